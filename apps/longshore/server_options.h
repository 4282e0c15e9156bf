#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/api_client.h"
#include "client/http_transport.h"

namespace CLI {
class App;
}

namespace longshore {

/// `--server`, `--token` and their environment variables, as every subcommand that talks to a server has them.
struct ServerOptions {
  std::string url = "http://127.0.0.1:8080";
  std::string token;
};

void add_server_options(CLI::App& command, ServerOptions& options);

/// A client and what it stands on.
struct ServerConnection {
  SystemClock clock;
  std::unique_ptr<HttpTransport> transport;
  std::unique_ptr<ApiClient> api;
};

Result<std::unique_ptr<ServerConnection>> connect(const ServerOptions& options, RetryPolicy policy = {});

}  // namespace longshore
