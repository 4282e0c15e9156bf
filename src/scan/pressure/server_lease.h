#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "model/export_spec.h"
#include "scan/connection_slots.h"
#include "scan/pressure/server_gate.h"
#include "scan/pressure/source_servers.h"

/// Sessions with servers that are fit to be read from, the same for every database. `Servers` is a SourceServers with
/// a type `Connection`, a function `connect(index, label, stop, slot)`, and beside it a free
/// `may_serve(servers, index, connection, spec, stop)`.
namespace longshore {

/// Which server a scan reads from, and what it has learned of them. Not thread-safe.
template <class Servers>
struct ServerChoice {
  std::size_t server = 0;          ///< of the last session
  ServerBoard::Wish wish;          ///< what the next session may go to
  std::optional<Error> refused{};  ///< why the primary may not serve

  /// A session past the lag guard: waits while all servers that answer are behind. With a `spec`, the primary is used
  /// only if it may serve that export. Errors: those of the gate and of `connect`, `primary_refused`.
  Result<std::unique_ptr<typename Servers::Connection>> open(const Servers& servers, ServerGate& gate,
                                                             const ConnectionSlot& slot, const std::string& label,
                                                             const ExportSpec* spec, const std::stop_token& stop) {
    while (true) {
      TRY(server, gate.choose(wish, stop));
      TRY(auto connection, servers.connect(server, label, stop, slot));
      servers.heard();
      const Status served = spec == nullptr ? Status() : may_serve(servers, server, *connection, *spec, stop);
      if (served) {
        wish.except.reset();
        return connection;
      }
      if (served.error().code != "primary_refused" || !served.error().retriable) return fail(served.error());
      // A replica may still come back; the failures until then are counted.
      refused = served.error();
      wish.primary = false;
    }
  }
};

/// A session for a single task. Keeps a place among the source's connections while it lives.
template <class Servers>
struct ServerLease {
  SourceServers::Use use;
  ConnectionSlot slot;
  std::unique_ptr<typename Servers::Connection> connection;
  std::size_t server = 0;

  /// For what is small: on the server that is best to read from, else on the next that answers, lagging or not.
  /// `patience`: how long it may wait for a place (`source_busy`). Errors: those of the last one.
  static Result<ServerLease> open(const Servers& servers, const std::string& label, std::stop_token stop,
                                  std::optional<Duration> patience = std::nullopt) {
    ServerLease lease;
    TRY(lease.slot, servers.acquire_slot(stop, patience));
    lease.server = servers.best_now();
    for (std::size_t attempt = 1;; ++attempt) {
      auto connection = servers.connect(lease.server, label, stop, lease.slot);
      if (connection) {
        servers.heard();
        lease.connection = *std::move(connection);
        return lease;
      }
      if (connection.error().code != "source_unavailable" || attempt >= servers.count()) {
        return fail(std::move(connection).error());
      }
      lease.server = (lease.server + 1) % servers.count();
    }
  }

  /// The same past the lag guard: waits while the source lags, `max_pause` at most. With a `spec`, the primary is used
  /// only if it may serve that export. `pressure`: is told what it waits for. Errors besides: `source_paused`,
  /// `primary_refused`.
  static Result<ServerLease> open_guarded(const Servers& servers, const std::string& label, const ExportSpec* spec,
                                          Duration max_pause, std::stop_token stop, PressureNote* pressure = nullptr) {
    ServerLease lease;
    lease.use = servers.use(stop);
    TRY(lease.slot, servers.acquire_slot(stop));
    ServerGate gate = servers.gate(pressure, max_pause);
    ServerChoice<Servers> choice;
    for (std::size_t failures = 1;; ++failures) {
      auto connection = choice.open(servers, gate, lease.slot, label, spec, stop);
      if (connection) {
        lease.connection = *std::move(connection);
        lease.server = choice.server;
        return lease;
      }
      if (connection.error().code != "source_unavailable") return fail(std::move(connection).error());
      if (failures >= servers.count()) return fail(choice.refused ? *choice.refused : std::move(connection).error());
      choice.wish.except = choice.server;
    }
  }
};

/// SourceDatabase::ping(): asks `SELECT 1` by a session that `ask` is given, and goes by what was heard lately when
/// there is no place for it.
template <class Servers, class Ask>
Status ping_servers(const Servers& servers, Ask ask) {
  constexpr Duration kPatience = std::chrono::milliseconds{500};
  auto lease = ServerLease<Servers>::open(servers, "ping", {}, kPatience);
  if (lease) return ask(*lease->connection);
  // Exports have all connections, and may have them for hours: nobody who asks for readiness should wait for that.
  return lease.error().code == "source_busy" ? servers.reachable() : fail(std::move(lease).error());
}

}  // namespace longshore
