#include "scan/postgres/servers.h"

#include <utility>

#include "scan/postgres/lag_query.h"
#include "scan/postgres/session_fence.h"

namespace longshore {

namespace {

class LeftOpen final : public ParkedSession {
 public:
  std::size_t server = 0;
  std::unique_ptr<PostgresConnection> connection;
};

/// Takes the session that was left open on a place, if there is one.
LeftOpen left_open_on(const ConnectionSlot& slot) {
  LeftOpen taken;
  if (auto* left = dynamic_cast<LeftOpen*>(slot.session().get())) std::swap(taken, *left);
  return taken;
}

}  // namespace

PostgresServers::PostgresServers(Source source, std::shared_ptr<ConnectionBudget> budget)
    : SourceServers(std::move(source), std::move(budget)), connection_strings_(this->source().replicas) {
  if (!this->source().primary.empty()) connection_strings_.push_back(this->source().primary);
}

Result<std::shared_ptr<const PostgresServers>> PostgresServers::make(Source source,
                                                                     std::shared_ptr<ConnectionBudget> budget,
                                                                     std::vector<std::string> elsewhere) {
  const std::shared_ptr<PostgresServers> servers(new PostgresServers(std::move(source), std::move(budget)));
  servers->elsewhere_ = std::move(elsewhere);
  std::vector<Watched> watched;
  for (const std::string& connection_string : servers->connection_strings_) {
    watched.push_back(
        {server_name(connection_string), postgres_lag_probe(connection_string, servers->source().lag_query)});
  }
  CHECK_OK(servers->watch(std::move(watched)));
  return servers;
}

Result<ConnectionSlot> PostgresServers::acquire_slot(std::stop_token stop, std::optional<Duration> patience) const {
  ConnectionSlot slot = park_.take();
  if (!slot) {
    TRY(slot, SourceServers::acquire_slot(stop, patience));
  }
  CHECK_OK(end_lost_sessions(slot, stop));
  return slot;
}

/// From a place of our own, so that there is never a session more than allowed. Only if the place itself is unproven is
/// there no other way than to come first and to look then.
Status PostgresServers::end_lost_sessions(ConnectionSlot& slot, const std::stop_token& stop) const {
  const std::vector<SuspectPlace> suspects = budget().take_suspects();
  const bool unproven = slot.place()->unproven();
  if (suspects.empty() && !unproven) return {};
  slot.leave_open(nullptr);  // before there is another on its place
  std::vector<std::string> tags;
  tags.reserve(suspects.size() + 1);
  for (const SuspectPlace& suspect : suspects) tags.push_back(suspect.tag);
  if (unproven) tags.push_back(slot.place()->tag());
  bool all_ended = true;
  std::vector<std::string> everywhere = connection_strings_;
  everywhere.insert(everywhere.end(), elsewhere_.begin(), elsewhere_.end());
  for (const std::string& connection_string : everywhere) {
    auto connection = open(connection_string, "fence", stop, slot);
    const Status ended = connection ? end_sessions(**connection, tags, stop) : fail(std::move(connection).error());
    if (ended) continue;
    all_ended = false;
    const bool stopped = ended.error().code == "scan_stopped";
    // What cannot be reached from here is not known to be gone; the quarantine has to do.
    if (!stopped && (ended.error().code == "source_unavailable" || !unproven)) continue;
    if (unproven) slot.place()->doubt();  // the next holder has to look, as we should have
    return fail(Error(ended.error()).with_context("source " + source().name));
  }
  if (all_ended) budget().clear(suspects);
  return {};
}

PostgresSession PostgresServers::session_for(const std::string& connection_string, const std::string& label,
                                             const ConnectionSlot& slot) const {
  return {.connection_string = connection_string,
          .application_name = "longshore/" + label,
          .statement_timeout = source().statement_timeout,
          .place = slot.place()};
}

Result<std::unique_ptr<PostgresConnection>> PostgresServers::connect(std::size_t index, const std::string& label,
                                                                     std::stop_token stop,
                                                                     const ConnectionSlot& slot) const {
  if (auto left = left_open_on(slot); left.connection != nullptr && left.server == index % count()) {
    if (left.connection->reuse(session_for(connection_strings_[left.server], label, slot), stop)) {
      return std::move(left.connection);
    }
  }  // one that is of no use has ended here, before there is another on its place
  return open(connection_strings_[index % count()], label, std::move(stop), slot);
}

void PostgresServers::park(std::size_t index, std::unique_ptr<PostgresConnection> connection,
                           ConnectionSlot slot) const {
  if (connection == nullptr || !connection->reusable() || !slot) return;
  if (slot.place()->wanted() || slot.place()->unproven() || slot.place()->doubted()) return;
  auto left = std::make_shared<LeftOpen>();
  left->server = index % count();
  left->connection = std::move(connection);
  slot.leave_open(std::move(left));
  park_.park(std::move(slot));
}

Result<std::unique_ptr<PostgresConnection>> PostgresServers::open(const std::string& connection_string,
                                                                  const std::string& label, std::stop_token stop,
                                                                  const ConnectionSlot& slot) const {
  auto connection = PostgresConnection::open(session_for(connection_string, label, slot), stop);
  if (!connection && connection.error().code != "scan_stopped") {
    return fail(std::move(connection).error().with_context("source " + source().name));
  }
  return connection;
}

}  // namespace longshore
