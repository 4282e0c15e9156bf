#pragma once

#include <memory>
#include <string>

#include "s3/client.h"
#include "s3/s3_store.h"
#include "s3/tests/scripted_transport.h"

namespace longshore::s3 {

/// A store on a scripted transport, with fixed keys and a clock that the test moves.
class ScriptedStore {
 public:
  explicit ScriptedStore(S3Options options = usual_options(), std::stop_token stop = {}) {
    Surroundings surroundings;
    surroundings.transport = transport_;
    surroundings.credential_transport = credential_transport_;
    surroundings.environment = [](const std::string&) { return std::string(); };
    surroundings.stop = std::move(stop);
    client_ = Client::make(std::move(options), clock_, std::move(surroundings)).value();
    store_ = std::make_unique<S3Store>(client_);
  }

  static S3Options usual_options() {
    S3Options options;
    options.endpoint = "https://s3.test";
    options.region = "eu-central-1";
    options.bucket = "exports";
    options.credentials.access_key_id = "AKIDEXAMPLE7";
    options.credentials.secret_access_key = "very-secret";
    return options;
  }
  static std::string error(const std::string& code, const std::string& message = "") {
    return "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>";
  }

  S3Store& store() { return *store_; }
  const std::shared_ptr<Client>& client() { return client_; }
  ScriptedTransport& transport() { return *transport_; }
  ScriptedTransport& credential_transport() { return *credential_transport_; }
  ManualClock& clock() { return clock_; }

 private:
  ManualClock clock_;
  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
  std::shared_ptr<ScriptedTransport> credential_transport_ = std::make_shared<ScriptedTransport>();
  std::shared_ptr<Client> client_;
  std::unique_ptr<S3Store> store_;
};

}  // namespace longshore::s3
