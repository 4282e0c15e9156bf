#include "access/tokens.h"

#include "base/digest.h"

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kAlice = "alice-token-0123456789";
const std::string kBob = "bob-token-abcdefghijkl";
const RolePermissions kRoles{
    {"analyst", {"exports.orders"}}, {"privacy", {"pii.read", "exports.orders"}}, {"admin", {"*"}}, {"guest", {}}};

TokenEntry alice() {
  return {kAlice, "acme", "alice", {"analyst", "privacy"}};
}

TokenTable table_of(const std::vector<TokenEntry>& entries) {
  auto table = TokenTable::make(entries, kRoles);
  EXPECT_TRUE(table) << table.error().message;
  return *std::move(table);
}

/// The only finding of a table that must be refused.
ErrorDetail only_finding(const std::vector<TokenEntry>& entries) {
  const auto table = TokenTable::make(entries, kRoles);
  if (table || table.error().details.size() != 1) {
    ADD_FAILURE() << "expected one finding, got " << (table ? "none" : table.error().message);
    return {};
  }
  EXPECT_EQ(table.error().code, "bad_tokens");
  EXPECT_EQ(table.error().source, ErrorSource::user);
  return table.error().details.front();
}

TEST(TokenTable, ATokenBecomesItsPrincipalWithThePermissionsOfAllRoles) {
  const TokenTable table = table_of({alice(), {kBob, "globex", "bob", {"admin"}}});
  const auto principal = table.authenticate("Bearer " + kAlice);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->tenant, TenantId("acme"));
  EXPECT_EQ(principal->user, UserId("alice"));
  EXPECT_THAT(principal->roles, ElementsAre("analyst", "privacy"));
  EXPECT_THAT(principal->permissions, ElementsAre("exports.orders", "pii.read"));
  EXPECT_TRUE(principal->may("pii.read"));
  EXPECT_FALSE(principal->may("exports.audit_logs"));

  const auto bob = table.authenticate("Bearer " + kBob);
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->tenant, TenantId("globex"));
  EXPECT_TRUE(bob->may("anything.at_all"));
}

TEST(TokenTable, TheSchemeIsCaseInsensitiveAndBlanksAroundAreIgnored) {
  const TokenTable table = table_of({alice()});
  for (const std::string& header : {"bearer " + kAlice, "BEARER " + kAlice, "Bearer   " + kAlice + " \t"}) {
    EXPECT_TRUE(table.authenticate(header)) << header;
  }
}

TEST(TokenTable, ATokenConfiguredAsItsHashIsSentInClear) {
  const std::string hash = sha256_hex(kAlice);
  std::string upper = hash;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& configured : {"sha256:" + hash, "sha256:" + upper}) {
    const TokenTable table = table_of({{configured, "acme", "alice", {}}});
    EXPECT_TRUE(table.authenticate("Bearer " + kAlice));
    EXPECT_FALSE(table.authenticate("Bearer " + hash)) << "the hash itself must not open the door";
    EXPECT_FALSE(table.authenticate("Bearer " + configured));
  }
}

TEST(TokenTable, RefusalsSayWhatIsMissingAndNeverRepeatTheToken) {
  const TokenTable table = table_of({alice()});
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "header is missing"},
      {"   ", "header is missing"},
      {"Basic YWxpY2U6c2VjcmV0", "scheme is not Bearer"},
      {kAlice, "scheme is not Bearer"},
      {"Bearer" + kAlice, "scheme is not Bearer"},
      {"Bearer", "holds no token"},
      {"Bearer   ", "holds no token"},
      {"Bearer " + kBob, "not known"},
      {"Bearer " + kAlice + "x", "not known"},
      {"Bearer " + kAlice.substr(1), "not known"},
      {"Bearer " + kAlice + " " + kAlice, "not known"},
  };
  for (const auto& [header, message] : cases) {
    const auto principal = table.authenticate(header);
    ASSERT_FALSE(principal) << header;
    EXPECT_EQ(principal.error().code, "unauthenticated");
    EXPECT_EQ(principal.error().source, ErrorSource::user);
    EXPECT_FALSE(principal.error().retriable);
    EXPECT_THAT(principal.error().message, HasSubstr(message)) << header;
    EXPECT_THAT(principal.error().message, Not(HasSubstr("token-"))) << header;
  }
}

TEST(TokenTable, WithoutEntriesNobodyComesIn) {
  EXPECT_FALSE(table_of({}).authenticate("Bearer " + kAlice));
}

TEST(TokenTable, UnknownRolesAreNamed) {
  const ErrorDetail finding = only_finding({alice(), {kBob, "acme", "bob", {"guest", "analist"}}});
  EXPECT_EQ(finding.where, "/1/roles/1");
  EXPECT_EQ(finding.code, "unknown_role");
  EXPECT_EQ(finding.message, "there is no role 'analist'; defined roles: admin, analyst, guest, privacy");
}

TEST(TokenTable, TenantAndUserMustBeGivenAndFitTheMetadataStore) {
  EXPECT_EQ(only_finding({{kAlice, "", "alice", {}}}).code, "missing_tenant");
  EXPECT_EQ(only_finding({{kAlice, "acme", "", {}}}).where, "/0/user");
  EXPECT_EQ(only_finding({{kAlice, std::string(65, 't'), "alice", {}}}).message,
            "the tenant has 65 characters; at most 64 are allowed");
  EXPECT_EQ(only_finding({{kAlice, "acme", std::string(129, 'u'), {}}}).code, "long_user");
  EXPECT_EQ(only_finding({{kAlice, "ac\nme", "alice", {}}}).code, "bad_tenant");
  table_of({{kAlice, std::string(64, 't'), std::string(128, 'u'), {}}});

  std::string umlauts;
  for (int i = 0; i < 64; ++i) umlauts += "ü";
  table_of({{kAlice, umlauts, "alice", {}}});
}

TEST(TokenTable, TokensMustBeHardToGuessAndPossibleToSend) {
  EXPECT_EQ(only_finding({{"", "acme", "alice", {}}}).code, "short_token");
  EXPECT_EQ(only_finding({{std::string(15, 'x'), "acme", "alice", {}}}).where, "/0/token");
  table_of({{std::string(16, 'x'), "acme", "alice", {}}});
  EXPECT_EQ(only_finding({{"sixteen characters", "acme", "alice", {}}}).code, "bad_token_character");
  EXPECT_EQ(only_finding({{"sha256:1234", "acme", "alice", {}}}).code, "bad_token_hash");
  EXPECT_EQ(only_finding({{"sha256:" + std::string(64, 'g'), "acme", "alice", {}}}).code, "bad_token_hash");
}

TEST(TokenTable, TheSameTokenTwiceIsRefusedHoweverItIsWritten) {
  const ErrorDetail finding = only_finding({alice(), {"sha256:" + sha256_hex(kAlice), "globex", "eve", {}}});
  EXPECT_EQ(finding.where, "/1/token");
  EXPECT_EQ(finding.code, "duplicate_token");
  EXPECT_THAT(finding.message, HasSubstr("entry 0"));
  EXPECT_THAT(finding.message, Not(HasSubstr(kAlice)));
}

TEST(TokenTable, AllFindingsAreReportedAtOnceAndNoneShowsAToken) {
  const auto table = TokenTable::make({{"tiny", "", "", {"nobody"}}, {kAlice, "acme", "alice", {}}, alice()}, kRoles);
  ASSERT_FALSE(table);
  std::vector<std::string> codes;
  for (const ErrorDetail& detail : table.error().details) {
    codes.push_back(detail.code);
    EXPECT_THAT(detail.message, Not(HasSubstr("tiny")));
  }
  EXPECT_THAT(codes, ElementsAre("missing_tenant", "missing_user", "unknown_role", "short_token", "duplicate_token"));
  EXPECT_THAT(table.error().message, HasSubstr("5 errors"));
}

}  // namespace
}  // namespace longshore
