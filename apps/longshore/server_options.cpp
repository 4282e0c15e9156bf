#include "cli/server_options.h"

#include <CLI/CLI.hpp>

#include "base/version.h"

namespace longshore {

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.url, "Address of the server")
      ->envname("LONGSHORE_SERVER")
      ->type_name("URL")
      ->capture_default_str()
      ->group("Server");
  command.add_option("--token", options.token, "Bearer token; better in the environment, where `ps` does not show it")
      ->envname("LONGSHORE_TOKEN")
      ->type_name("TOKEN")
      ->group("Server");
}

Result<std::unique_ptr<ServerConnection>> connect(const ServerOptions& options, RetryPolicy policy) {
  auto connection = std::make_unique<ServerConnection>();
  TransportOptions transport;
  transport.user_agent = std::string("longshore/") + kVersion;
  TRY(connection->transport, CurlTransport::make(std::move(transport)));
  TRY(ApiClient api, ApiClient::make({options.url, options.token}, *connection->transport, connection->clock, policy));
  connection->api = std::make_unique<ApiClient>(std::move(api));
  return connection;
}

}  // namespace longshore
