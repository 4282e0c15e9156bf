#include "storage/local/signed_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "storage/content_disposition.h"

namespace longshore {
namespace {

using testing::HasSubstr;

const std::string kSecret = "0123456789abcdef0123456789abcdef";
const std::string kOther = "fedcba9876543210fedcba9876543210";

std::string percent_decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

class SignedLinksTest : public testing::Test {
 protected:
  std::unique_ptr<SignedLinks> make(std::vector<LinkKey> keys,
                                    const std::string& base = "https://exports.example.com") {
    return SignedLinks::make(std::move(keys), base, clock_).value();
  }
  /// Takes a URL apart.
  struct Taken {
    std::string key;
    LinkParameters parameters;
  };
  static Taken take(const std::string& url) {
    const auto path = url.find("/v1/files/") + 10;
    const auto question = url.find('?');
    Taken taken{url.substr(path, question - path), {}};
    LinkParameters& to = taken.parameters;
    std::map<std::string, std::string*> fields{
        {"expires", &to.expires}, {"kid", &to.kid}, {"filename", &to.filename}, {"type", &to.type}, {"sig", &to.sig}};
    std::istringstream query(url.substr(question + 1));
    for (std::string pair; std::getline(query, pair, '&');) {
      const std::size_t equals = pair.find('=');
      *fields.at(pair.substr(0, equals)) = percent_decoded(pair.substr(equals + 1));
    }
    return taken;
  }

  ManualClock clock_{Timestamp{std::chrono::seconds{1'780'000'000}}};
  std::unique_ptr<SignedLinks> links_ = make({{"k1", kSecret}});
  const std::string key_ = "acme/exports/2026/06/a=b.csv";
};

TEST_F(SignedLinksTest, SignsAUrlOfThisExactForm) {
  const auto url = links_->sign(key_, {std::chrono::seconds{300}, "Umsätze & Co.csv", "text/csv; charset=utf-8"});
  ASSERT_TRUE(url);
  // Made with Python's hmac and base64 over the documented string; links in flight must survive an upgrade.
  EXPECT_EQ(*url,
            "https://exports.example.com/v1/files/acme/exports/2026/06/a=b.csv?expires=1780000300&kid=k1"
            "&filename=Ums%C3%A4tze%20%26%20Co.csv&type=text%2Fcsv%3B%20charset%3Dutf-8"
            "&sig=__wdZbNp_w_wy4GByMyX_tbJyxZ4Y9SGj5XkOEgk8AY");
}

TEST_F(SignedLinksTest, VerifiesWhatItSigned) {
  for (const std::string& name :
       {std::string("plain.csv"), std::string("Umsätze & Co+1=2.csv"), std::string(""),
        std::string("a&sig=x#y?z%20.csv"), std::string("\xE5\xA4\xA7\"\r\n\\.csv"), std::string("\xff")}) {
    SCOPED_TRACE(name);
    const auto taken = take(links_->sign(key_, {std::chrono::seconds{300}, name, "text/csv"}).value());
    const auto verified = links_->verify(taken.key, taken.parameters, clock_.now());
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_EQ(verified->key, key_);
    EXPECT_EQ(verified->file_name, name);
    EXPECT_EQ(verified->content_type, "text/csv");
    EXPECT_EQ(verified->expires, clock_.now() + std::chrono::seconds{300});
  }
}

TEST_F(SignedLinksTest, AnyChangeMakesItInvalid) {
  const auto good = take(links_->sign(key_, {std::chrono::seconds{300}, "a.csv", "text/csv"}).value());
  const auto expect_invalid = [&](const std::string& key, const LinkParameters& parameters) {
    const auto verified = links_->verify(key, parameters, clock_.now());
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, "link_invalid");
    EXPECT_EQ(verified.error().source, ErrorSource::user);
  };
  expect_invalid("acme/exports/2026/06/other.csv", good.parameters);
  for (const auto field : {&LinkParameters::expires, &LinkParameters::kid, &LinkParameters::filename,
                           &LinkParameters::type, &LinkParameters::sig}) {
    for (const std::string& value : {good.parameters.*field + "0", std::string(), "9" + good.parameters.*field}) {
      LinkParameters changed = good.parameters;
      changed.*field = value;
      SCOPED_TRACE(value);
      expect_invalid(good.key, changed);
    }
  }
  for (std::size_t i = 0; i < good.parameters.sig.size(); ++i) {
    LinkParameters changed = good.parameters;
    changed.sig[i] = changed.sig[i] == 'A' ? 'B' : 'A';
    expect_invalid(good.key, changed);
  }
  EXPECT_TRUE(links_->verify(good.key, good.parameters, clock_.now()));
}

TEST_F(SignedLinksTest, BytesCannotMoveFromOneFieldIntoAnother) {
  const auto good = take(links_->sign("t/a", {std::chrono::seconds{300}, "x\n3:abc", "text/csv"}).value());
  LinkParameters shifted = good.parameters;
  shifted.filename = "x";
  shifted.type = "abc\n8:text/csv";
  EXPECT_FALSE(links_->verify(good.key, shifted, clock_.now()));
  const auto joined = take(links_->sign("t/a", {std::chrono::seconds{300}, "ab", "c"}).value());
  LinkParameters moved = joined.parameters;
  moved.filename = "a";
  moved.type = "bc";
  EXPECT_FALSE(links_->verify(joined.key, moved, clock_.now()));
}

TEST_F(SignedLinksTest, ExpiresOnTheSecond) {
  const auto link = take(links_->sign(key_, {std::chrono::seconds{300}, "a.csv", ""}).value());
  clock_.advance(std::chrono::seconds{300} - std::chrono::microseconds{1});
  EXPECT_TRUE(links_->verify(link.key, link.parameters, clock_.now()));
  clock_.advance(std::chrono::microseconds{1});
  const auto expired = links_->verify(link.key, link.parameters, clock_.now());
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, "link_expired");
  EXPECT_EQ(expired.error().source, ErrorSource::user);
  EXPECT_THAT(expired.error().message, HasSubstr("2026-05-28T20:31:40Z"));
  // A forged one is invalid first, so nobody learns from it.
  auto forged = link.parameters;
  forged.sig = "x";
  EXPECT_EQ(links_->verify(link.key, forged, clock_.now()).error().code, "link_invalid");
}

TEST_F(SignedLinksTest, KeysRotate) {
  const auto before = take(links_->sign(key_, {}).value());
  const auto both = make({{"k2", kOther}, {"k1", kSecret}});
  EXPECT_TRUE(both->verify(before.key, before.parameters, clock_.now()));
  const auto after = take(both->sign(key_, {}).value());
  EXPECT_EQ(after.parameters.kid, "k2");
  EXPECT_TRUE(both->verify(after.key, after.parameters, clock_.now()));
  EXPECT_FALSE(links_->verify(after.key, after.parameters, clock_.now()));
  const auto only_new = make({{"k2", kOther}});
  EXPECT_EQ(only_new->verify(before.key, before.parameters, clock_.now()).error().code, "link_invalid");
  // The same id with another secret is another key.
  EXPECT_FALSE(make({{"k1", kOther}})->verify(before.key, before.parameters, clock_.now()));
}

TEST_F(SignedLinksTest, BaseUrlsMayHaveAPath) {
  for (const std::string base : {"http://localhost:8080", "http://localhost:8080/", "http://[::1]:80/longshore//"}) {
    const auto url = make({{"k1", kSecret}}, base)->sign("t/a", {}).value();
    EXPECT_THAT(url, testing::MatchesRegex("http://[^/]+(/longshore)?/v1/files/t/a\\?expires=.*"));
  }
}

TEST(BaseUrl, LosesNothingButSlashesAtItsEnd) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"https://exports.example.com", "https://exports.example.com"},
      {"http://h:8080/", "http://h:8080"},
      {"HTTPS://Exports.Example.com:443/a/b//", "HTTPS://Exports.Example.com:443/a/b"},
      {"http://[::1]:80/longshore/", "http://[::1]:80/longshore"},
      {"http://[2001:db8::7]", "http://[2001:db8::7]"},
      {"http://127.0.0.1:65535", "http://127.0.0.1:65535"},
      {"https://h/caf%C3%A9", "https://h/caf%C3%A9"}};
  for (const auto& [given, kept] : cases) {
    const auto parsed = parse_base_url(given);
    ASSERT_TRUE(parsed) << given << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, kept);
  }
}

TEST(BaseUrl, MustNameAServer) {
  for (const std::string bad : {"",
                                "https://",
                                "https:///x",
                                "https://:80",
                                "https://:80/x",
                                "http://[::1",
                                "http://::1/",
                                "http://[::1]x",
                                "http://[12345::]",
                                "https://h:99999",
                                "https://h:0",
                                "https://h:",
                                "https://h:8o",
                                "https://u@h",
                                "//h",
                                "h:80",
                                "mailto:a@h",
                                "https://h/\r\nX: y",
                                "https://h y",
                                "https://caf\xC3\xA9.example"}) {
    const auto parsed = parse_base_url(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, "bad_base_url");
    EXPECT_THAT(parsed.error().message, HasSubstr("expected http:// or https://, a host"));
  }
}

TEST_F(SignedLinksTest, RefusesBadConfiguration) {
  const auto code = [&](std::vector<LinkKey> keys, const std::string& base) {
    const auto made = SignedLinks::make(std::move(keys), base, clock_);
    EXPECT_TRUE(made || made.error().message.find(kSecret) == std::string::npos) << "a secret in an error";
    return made ? "ok" : made.error().code;
  };
  const std::string base = "https://h";
  EXPECT_EQ(code({{"k1", kSecret}}, base), "ok");
  EXPECT_EQ(code({}, base), "bad_link_key");
  EXPECT_EQ(code({{"k1", kSecret.substr(1)}}, base), "bad_link_key");
  EXPECT_EQ(code({{"", kSecret}}, base), "bad_link_key");
  EXPECT_EQ(code({{"a&b", kSecret}}, base), "bad_link_key");
  EXPECT_EQ(code({{"k1", kSecret}, {"k1", kOther}}, base), "bad_link_key");
  for (const std::string& bad : {std::string(""), std::string("exports.example.com"), std::string("/v1"),
                                 std::string("ftp://h"), std::string("https://h?x=1"), std::string("https://h#f"),
                                 std::string("https://u:p@h"), std::string("https://h/ x")}) {
    EXPECT_EQ(code({{"k1", kSecret}}, bad), "bad_base_url") << bad;
  }
}

TEST_F(SignedLinksTest, RefusesToSignNonsense) {
  EXPECT_EQ(links_->sign("../x", {}).error().code, "bad_object_key");
  EXPECT_EQ(links_->sign(key_, {std::chrono::seconds{0}, "", ""}).error().code, "bad_link_option");
  EXPECT_EQ(links_->sign(key_, {std::chrono::seconds{1}, "", "text/csv\r\nX: y"}).error().code, "bad_link_option");
  // However long, without overflow.
  const auto forever = take(links_->sign(key_, {std::chrono::seconds::max(), "", ""}).value());
  EXPECT_TRUE(links_->verify(forever.key, forever.parameters, clock_.now()));
}

TEST(ContentDispositionTest, NamesFilesForOldAndNewClients) {
  EXPECT_EQ(content_disposition("orders.csv"), "attachment; filename=\"orders.csv\"; filename*=UTF-8''orders.csv");
  EXPECT_EQ(content_disposition("Umsätze 大.csv"),
            "attachment; filename=\"Ums_tze _.csv\"; filename*=UTF-8''Ums%C3%A4tze%20%E5%A4%A7.csv");
  EXPECT_EQ(content_disposition(""), "attachment; filename=\"download\"; filename*=UTF-8''download");
  EXPECT_EQ(content_disposition("a~b'c(d)*.csv"),
            "attachment; filename=\"a~b'c(d)*.csv\"; filename*=UTF-8''a~b%27c%28d%29%2A.csv");
}

TEST(ContentDispositionTest, CannotBeBrokenOutOf) {
  EXPECT_EQ(content_disposition("a\"; filename=evil.exe"),
            "attachment; filename=\"a_; filename=evil.exe\"; filename*=UTF-8''a%22%3B%20filename%3Devil.exe");
  EXPECT_EQ(content_disposition("a\r\nSet-Cookie: x=1"),
            "attachment; filename=\"a__Set-Cookie: x=1\"; filename*=UTF-8''a__Set-Cookie%3A%20x%3D1");
  EXPECT_EQ(content_disposition("../../etc\\passwd%41"),
            "attachment; filename=\".._.._etc_passwd_41\"; filename*=UTF-8''.._.._etc_passwd%2541");
  EXPECT_EQ(content_disposition(std::string("a\0b\x7f\xc2\x85", 6)),
            "attachment; filename=\"a_b__\"; filename*=UTF-8''a_b__");
  // Not UTF-8: lone bytes, a sequence cut off, an overlong slash, a surrogate, beyond the last code point.
  EXPECT_EQ(content_disposition("\xff\xc3"), "attachment; filename=\"__\"; filename*=UTF-8''%EF%BF%BD%EF%BF%BD");
  EXPECT_THAT(content_disposition("\xc0\xaf"), HasSubstr("filename=\"__\""));
  EXPECT_THAT(content_disposition("\xed\xa0\x80"), HasSubstr("filename=\"___\""));
  EXPECT_THAT(content_disposition("\xf4\x90\x80\x80"), HasSubstr("filename=\"____\""));
  EXPECT_THAT(content_disposition("\xf0\x9f\x9a\xa2.csv"), HasSubstr("''%F0%9F%9A%A2.csv"));
}

}  // namespace
}  // namespace longshore
