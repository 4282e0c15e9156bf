#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "s3/credentials.h"
#include "s3/http.h"
#include "s3/options.h"

namespace longshore::s3 {

/// A place that credentials come from.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Looks there once, without retrying. Errors: `store_denied` (external, final) for what will not change by itself,
  /// `store_unavailable` (external, retriable); messages name the place and never hold a secret. Not thread-safe.
  virtual Result<Credentials> fetch() = 0;
  /// For messages: `the environment`, `profile default of /root/.aws/credentials`.
  virtual std::string place() const = 0;
  /// How long what was fetched may be used before looking again, if it does not say so itself; 0: for ever.
  virtual Duration recheck() const { return Duration{0}; }
};

/// The value of an environment variable; empty if there is none.
using Environment = std::function<std::string(const std::string& name)>;
/// That of this process.
std::string process_environment(const std::string& name);

std::unique_ptr<CredentialSource> given_credentials(Credentials credentials);
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; read anew each time.
std::unique_ptr<CredentialSource> environment_credentials(Environment environment);
/// A profile of the shared credentials file (AWS SDKs and Tools Reference Guide): aws_access_key_id,
/// aws_secret_access_key, aws_session_token. Read again every minute, since secrets that are mounted change in place.
/// Profiles that stand for a role, a program or single sign-on are refused with a message that says so.
std::unique_ptr<CredentialSource> file_credentials(std::string path, std::string profile);
/// The container credentials endpoint (AWS SDKs and Tools Reference Guide, "Container credential provider"): ECS, EKS
/// pod identity. Over plain http only loopback and the addresses of ECS and EKS are asked.
std::unique_ptr<CredentialSource> container_credentials(Environment environment,
                                                        std::shared_ptr<HttpTransport> transport);
/// The instance metadata service, version 2 only (EC2 User Guide, "Use IMDSv2").
std::unique_ptr<CredentialSource> instance_credentials(std::string endpoint, std::shared_ptr<HttpTransport> transport);
/// AssumeRoleWithWebIdentity with the token of AWS_WEB_IDENTITY_TOKEN_FILE, for AWS_ROLE_ARN, as
/// AWS_ROLE_SESSION_NAME (AWS Security Token Service API Reference). The file is read each time: it is replaced.
std::unique_ptr<CredentialSource> web_identity_credentials(Environment environment, std::string endpoint,
                                                           std::shared_ptr<HttpTransport> transport);

/// The source that the options and the environment ask for; what it is does not change later. Errors: `bad_s3_option`
/// (user) if there is nothing to look at.
Result<std::unique_ptr<CredentialSource>> choose_credential_source(const S3CredentialOptions& options,
                                                                   const std::string& region, Environment environment,
                                                                   std::shared_ptr<HttpTransport> transport);

}  // namespace longshore::s3
