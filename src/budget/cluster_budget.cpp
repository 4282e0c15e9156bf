#include "budget/cluster_budget.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "budget/process_places.h"

namespace longshore {

namespace {

/// How long a session on a source may idle before the server ends it (`idle_session_timeout`), and how soon a server
/// notices a client that does not read (`tcp_user_timeout`); see scan/postgres/connection.cpp.
constexpr std::chrono::seconds kSessionIdle{30};
constexpr std::chrono::seconds kDefaultStatement{30};

}  // namespace

Duration quarantine_of(const Source& source) {
  const Duration statement =
      source.statement_timeout > Duration::zero() ? source.statement_timeout : Duration{kDefaultStatement};
  return statement + kSessionIdle;
}

namespace {

/// One source's share of the process's places.
class SourceBudget final : public ConnectionBudget {
 public:
  SourceBudget(std::shared_ptr<ProcessPlaces> places, std::string source)
      : places_(std::move(places)), source_(std::move(source)) {}

  Result<ConnectionSlot> acquire(std::stop_token stop, std::optional<Duration> patience) override {
    return places_->acquire(source_, stop, patience);
  }
  std::vector<SuspectPlace> take_suspects() override { return places_->take_suspects(source_); }
  void clear(const std::vector<SuspectPlace>& places) override { places_->clear(source_, places); }

 private:
  std::shared_ptr<ProcessPlaces> places_;
  std::string source_;
};

}  // namespace

ClusterBudget::ClusterBudget(SourcePlaces& places, ClusterBudgetOptions options)
    : places_(std::make_shared<ProcessPlaces>(places, std::move(options))),
      keeper_([shared = places_](const std::stop_token& stop) { shared->keep(stop); }),
      watch_([shared = places_](const std::stop_token& stop) { shared->watch(stop); }) {}

ClusterBudget::~ClusterBudget() {
  for (std::jthread* thread : {&keeper_, &watch_}) {
    thread->request_stop();
    thread->join();
  }
  places_->end();
}

std::shared_ptr<ConnectionBudget> ClusterBudget::budget_of(const Source& source) {
  places_->add_source(source.name, std::max(1, source.max_connections), quarantine_of(source));
  return std::make_shared<SourceBudget>(places_, source.name);
}

std::map<std::string, int> ClusterBudget::held() const {
  return places_->held();
}

}  // namespace longshore
