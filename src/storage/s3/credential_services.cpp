// Credentials that a service hands out: the container's, the instance's, the security token service's.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "s3/address.h"
#include "s3/answers.h"
#include "s3/credential_source.h"
#include "s3/uri_encoding.h"

namespace longshore::s3 {
namespace {

namespace json = boost::json;

// These services are a hop away; whoever waits for them is an upload.
constexpr HttpTimeouts kQuick{std::chrono::seconds{1}, std::chrono::seconds{3}, std::chrono::seconds{5}};
constexpr HttpTimeouts kOverTheNetwork{std::chrono::seconds{5}, std::chrono::seconds{10}, std::chrono::seconds{15}};
constexpr std::size_t kMaxAnswer = 64 << 10;

Error unavailable(const std::string& text) {
  return external_error("store_unavailable", "no credentials for the S3 store: " + text);
}

Error denied(const std::string& text) {
  return external_error("store_denied", "no credentials for the S3 store: " + text, false);
}

Result<std::string> read_file(const std::string& path, std::string_view what) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (!file || text.empty()) return fail(denied(fmt::format("{} {} cannot be read or is empty", what, path)));
  return text;
}

Result<HttpResponse> ask(HttpTransport& transport, const std::string& place, HttpRequest request) {
  request.max_body = kMaxAnswer;
  auto answer = transport.exchange(request);
  if (!answer) return fail(unavailable(fmt::format("{} cannot be asked: {}", place, answer.error().message)));
  return answer;
}

/// The JSON of the container's and the instance's services.
Result<Credentials> read_credentials(const std::string& place, const std::string& body) {
  boost::system::error_code broken;
  const json::value parsed = json::parse(body, broken);
  const auto field = [&](const char* name) -> std::string {
    const json::value* value = parsed.is_object() ? parsed.get_object().if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (broken) return fail(unavailable(fmt::format("{} answers with something that is not JSON", place)));
  if (const std::string code = field("Code"); !code.empty() && code != "Success") {
    return fail(unavailable(fmt::format("{} answers {}", place, code)));
  }
  Credentials out{field("AccessKeyId"), field("SecretAccessKey"), field("Token"), std::nullopt};
  if (out.access_key_id.empty() || out.secret_access_key.empty()) {
    return fail(unavailable(fmt::format("{} answers without AccessKeyId and SecretAccessKey", place)));
  }
  if (const std::string expires = field("Expiration"); !expires.empty()) {
    const auto time = parse_rfc3339(expires);
    if (!time) return fail(unavailable(fmt::format("{} answers with an Expiration that is no time", place)));
    out.expires = *time;
  }
  return out;
}

class Container final : public CredentialSource {
 public:
  Container(Environment environment, std::shared_ptr<HttpTransport> transport)
      : environment_(std::move(environment)), transport_(std::move(transport)) {}

  std::string place() const override { return "the container credentials endpoint"; }

  Result<Credentials> fetch() override {
    TRY(HttpRequest request, request_of_environment());
    TRY(const HttpResponse answer, ask(*transport_, place(), std::move(request)));
    if (answer.status != 200) return fail(unavailable(fmt::format("{} answers HTTP {}", place(), answer.status)));
    return read_credentials(place(), answer.body);
  }

 private:
  Result<HttpRequest> request_of_environment() const {
    HttpRequest request;
    request.method = "GET";
    request.timeouts = kQuick;
    if (const std::string relative = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !relative.empty()) {
      request.url = "http://169.254.170.2" + relative;
    } else {
      request.url = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI");
      CHECK_OK(check_url(request.url));
    }
    std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const std::string path = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
      TRY(token, read_file(path, "the token file"));
    }
    if (token.find_first_of("\r\n") != std::string::npos) return fail(denied("the container's token has two lines"));
    if (!token.empty()) request.headers.emplace_back("Authorization", token);
    return request;
  }

  /// The token must not go over the network in the clear.
  static Status check_url(const std::string& text) {
    const auto url = parse_endpoint(text.substr(0, text.find_first_of("?#")));
    if (url && (url->secure || (url->host.starts_with("127.") && is_ip_address(url->host)))) return {};
    for (const char* allowed : {"localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
      if (url && url->host == allowed) return {};
    }
    return fail(
        denied("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine, ECS or EKS"));
  }

  Environment environment_;
  std::shared_ptr<HttpTransport> transport_;
};

class Instance final : public CredentialSource {
 public:
  Instance(std::string endpoint, std::shared_ptr<HttpTransport> transport)
      : endpoint_(std::move(endpoint)), transport_(std::move(transport)) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
  }

  std::string place() const override { return "the instance metadata service at " + endpoint_; }

  Result<Credentials> fetch() override {
    TRY(const HttpResponse token,
        ask(*transport_, place() + " (the last place that was looked at)",
            request("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}})));
    if (token.status != 200) {
      return fail(
          unavailable(fmt::format("{} gives no token (HTTP {}); it must allow IMDSv2, from containers with a hop "
                                  "limit of 2",
                                  place(), token.status)));
    }
    const Headers with_token{{"X-aws-ec2-metadata-token", token.body}};
    const std::string path = "/latest/meta-data/iam/security-credentials/";
    TRY(const HttpResponse role, ask(*transport_, place(), request("GET", path, with_token)));
    const std::string name = role.body.substr(0, role.body.find_first_of("\r\n"));
    if (role.status != 200 || name.empty()) {
      return fail(
          unavailable(fmt::format("{} knows no role; give the instance one, or configure credentials", place())));
    }
    TRY(const HttpResponse answer,
        ask(*transport_, place(), request("GET", path + uri_encode(name, Slash::encode), with_token)));
    if (answer.status != 200) return fail(unavailable(fmt::format("{} answers HTTP {}", place(), answer.status)));
    return read_credentials(place(), answer.body);
  }

 private:
  HttpRequest request(std::string method, const std::string& path, Headers headers) const {
    HttpRequest out;
    out.method = std::move(method);
    out.url = endpoint_ + path;
    out.headers = std::move(headers);
    out.timeouts = kQuick;
    return out;
  }

  std::string endpoint_;
  std::shared_ptr<HttpTransport> transport_;
};

class WebIdentity final : public CredentialSource {
 public:
  WebIdentity(Environment environment, std::string endpoint, std::shared_ptr<HttpTransport> transport)
      : environment_(std::move(environment)), endpoint_(std::move(endpoint)), transport_(std::move(transport)) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
  }

  std::string place() const override { return "the security token service at " + endpoint_; }

  Result<Credentials> fetch() override {
    const std::string role = environment_("AWS_ROLE_ARN");
    if (role.empty()) return fail(denied("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not"));
    TRY(const std::string token, read_file(environment_("AWS_WEB_IDENTITY_TOKEN_FILE"), "the web identity token"));
    const std::string session = environment_("AWS_ROLE_SESSION_NAME");
    // In the body: what stands in a query ends up in logs.
    const std::string form = canonical_query({{"Action", "AssumeRoleWithWebIdentity"},
                                              {"Version", "2011-06-15"},
                                              {"RoleArn", role},
                                              {"RoleSessionName", session.empty() ? "longshore" : session},
                                              {"WebIdentityToken", token}});
    HttpRequest request;
    request.method = "POST";
    request.url = endpoint_ + "/";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = form;
    request.timeouts = kOverTheNetwork;
    TRY(const HttpResponse answer, ask(*transport_, place(), std::move(request)));
    if (answer.status / 100 != 2) return fail(refused(answer, role));
    auto credentials = parse_assumed_role(answer.body);
    if (!credentials) return fail(unavailable(fmt::format("{}: {}", place(), credentials.error().message)));
    return credentials;
  }

 private:
  Error refused(const HttpResponse& answer, const std::string& role) const {
    const auto error = parse_error(answer.body);
    const std::string text =
        fmt::format("{} does not give the role {}: {} (HTTP {})", place(), role,
                    error ? error->code + ": " + error->message : "no reason given", answer.status);
    return answer.status / 100 == 4 && answer.status != 429 ? denied(text) : unavailable(text);
  }

  Environment environment_;
  std::string endpoint_;
  std::shared_ptr<HttpTransport> transport_;
};

}  // namespace

std::unique_ptr<CredentialSource> container_credentials(Environment environment,
                                                        std::shared_ptr<HttpTransport> transport) {
  return std::make_unique<Container>(std::move(environment), std::move(transport));
}

std::unique_ptr<CredentialSource> instance_credentials(std::string endpoint, std::shared_ptr<HttpTransport> transport) {
  return std::make_unique<Instance>(std::move(endpoint), std::move(transport));
}

std::unique_ptr<CredentialSource> web_identity_credentials(Environment environment, std::string endpoint,
                                                           std::shared_ptr<HttpTransport> transport) {
  return std::make_unique<WebIdentity>(std::move(environment), std::move(endpoint), std::move(transport));
}

}  // namespace longshore::s3
