#include "cli/demo_words.h"

namespace longshore {
namespace {

constexpr std::array<DemoTenant, 5> kTenants{{
    {"acme", "Acme Logistics", "enterprise", "DE", 8},
    {"globex", "Globex “Retail” GmbH", "business", "AT", 5},
    {"initech", "Initech, Inc.", "business", "US", 4},
    {"sakura", "桜物産株式会社", "starter", "JP", 2},
    {"zenith", "Zénith & Fils", "starter", "FR", 1},
}};

constexpr std::array<std::string_view, 24> kGivenNames{
    "Anna",   "Björn", "Chloé",  "Dmitri", "Elif",  "Fatima", "Giulia", "Hans",  "Ines", "José",   "Kofi", "Lena",
    "Mehmet", "Nour",  "Oksana", "Paweł",  "Quang", "Rania",  "Søren",  "Tomás", "Ümit", "Vikram", "Yuki", "Zoë"};

constexpr std::array<std::string_view, 24> kFamilyNames{
    "Müller", "O'Brien",     "García", "Иванов", "Yılmaz", "العلي",        "Rossi",    "von der Heide",
    "Nguyễn", "Smith-Jones", "李",     "佐藤",   "김",     "Papadopoulos", "Åkesson",  "Kowalski",
    "Dubois", "Silva",       "כהן",    "शर्मा",   "Novák",  "Ó Séaghdha",   "D'Angelo", "Ng"};

constexpr std::array<std::string_view, 16> kCompanies{
    "Harbour & Sons",   "Nordlicht AG",      "Café \"Zur Post\"", "東京商事",     "ООО «Ромашка»", "Smith, Jones & Co.",
    "Tapas y Más S.L.", "Ångström Optics",   "Blue Bottle Ltd",   "Łódź Textile", "한빛상사",      "Mare Nostrum SpA",
    "شركة النور",       "Fjord Shipping AS", "Grüner Hof eG",     "Pixel 🚀 Labs"};

constexpr std::array<std::string_view, 16> kCities{"Berlin",  "Wien",   "São Paulo", "東京",     "Москва", "القاهرة",
                                                   "Kraków",  "Zürich", "Reykjavík", "Istanbul", "서울",   "New York",
                                                   "Córdoba", "Tromsø", "Montréal",  "Αθήνα"};

constexpr std::array<std::string_view, 12> kCountries{"DE", "AT", "BR", "JP", "PL", "EG",
                                                      "CH", "IS", "TR", "KR", "US", "GR"};

constexpr std::array<std::string_view, 14> kActions{
    "login",          "login",           "login",         "logout",      "invoice.create",
    "invoice.update", "invoice.view",    "report.export", "user.invite", "user.disable",
    "apikey.create",  "settings.update", "file.upload",   "login.failed"};

constexpr std::array<std::string_view, 8> kResources{"session", "invoice",  "report", "user",
                                                     "apikey",  "settings", "file",   "webhook"};

constexpr std::array<std::string_view, 8> kUserAgents{
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.8.0",
    "python-requests/2.32.3",
    "okhttp/4.12.0",
    "Acme-Mobile/7.3 (Android 14; de_DE)"};

constexpr std::array<std::string_view, 31> kAwkwardTexts{
    "",
    " ",
    "He said \"no\", then \"maybe\"",
    "one, two; three\tfour | five",
    "first line\nsecond line",
    "first line\r\nsecond line\r\n",
    "=HYPERLINK(\"http://example.com\",\"click\")",
    "+49 30 1234567",
    "-12.50",
    "@import url(x)",
    "=1+1",
    "0012",
    "1e5",
    "NULL",
    "null",
    "true",
    "Zoë Müller – naïve café",
    "東京都千代田区1-1",
    "Привет, «мир»",
    "مرحبا بالعالم",
    "שלום עולם",
    "नमस्ते दुनिया",
    "👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽",
    "e\u0301 is not \u00e9",
    "C:\\temp\\new \\\" \\n",
    "<script>alert('x')</script> & more",
    "  spaces around  ",
    "\"",
    "'; DROP TABLE users; --",
    "tab\there, bell\a, escape\x1b[0m",
    "9007199254740993",
};

}  // namespace

std::span<const DemoTenant> demo_tenants() {
  return kTenants;
}
std::span<const std::string_view> demo_given_names() {
  return kGivenNames;
}
std::span<const std::string_view> demo_family_names() {
  return kFamilyNames;
}
std::span<const std::string_view> demo_companies() {
  return kCompanies;
}
std::span<const std::string_view> demo_cities() {
  return kCities;
}
std::span<const std::string_view> demo_countries() {
  return kCountries;
}
std::span<const std::string_view> demo_actions() {
  return kActions;
}
std::span<const std::string_view> demo_resources() {
  return kResources;
}
std::span<const std::string_view> demo_user_agents() {
  return kUserAgents;
}
std::span<const std::string_view> demo_awkward_texts() {
  return kAwkwardTexts;
}

}  // namespace longshore
