#include "scan/postgres/lag_query.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Lag that is only read off a commit's age may be none: a primary that was idle has just begun to write. Some quick
/// looks at the positions tell.
constexpr int kQuickLooks = 10;
constexpr auto kBetweenLooks = 50ms;
constexpr Duration kNoMatter = 500ms;
/// A server that takes longer to say where it is has other worries than exports.
constexpr Duration kAnswerWithin = 5s;

// CASE keeps functions from being called on a server of the other kind, where some of them are errors.
constexpr const char* kPositions = R"(
SELECT r.standby::int4,
  CASE WHEN r.standby
       THEN pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), w.latest_end_lsn, pg_last_wal_replay_lsn()), '0/0')
       ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') END::int8,
  CASE WHEN r.standby THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') ELSE s.replayed END::int8,
  (NOT r.standby OR w.pid IS NOT NULL)::int4,
  CASE WHEN r.standby THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) ELSE s.lag END::float8,
  CASE WHEN r.standby THEN pg_is_wal_replay_paused() ELSE false END::int4,
  s.hidden::int4
FROM (SELECT pg_is_in_recovery() AS standby) r
LEFT JOIN pg_stat_wal_receiver w ON true
LEFT JOIN (SELECT min(pg_wal_lsn_diff(replay_lsn, '0/0')) FILTER (WHERE state = 'streaming') AS replayed,
                  extract(epoch FROM max(replay_lag) FILTER (WHERE state = 'streaming')) AS lag,
                  count(*) FILTER (WHERE state IS NULL) AS hidden FROM pg_stat_replication) s ON true)";

template <class Number>
std::optional<Number> number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<Duration> seconds(const std::optional<std::string>& text) {
  const auto value = number<double>(text);
  // Negative where the clocks of two servers differ; beyond a few decades it is no lag but nonsense.
  if (!value || !(*value < 1e9)) return std::nullopt;
  return Duration(static_cast<Duration::rep>(std::max(*value, 0.0) * 1e6));
}

bool is_of_the_session(const Error& error) {
  return error.code == "source_unavailable" || error.code == "source_conflict" || error.code == "source_timeout" ||
         error.code == "scan_stopped";
}

Result<ServerReport> ask_own(PostgresConnection& connection, const std::string& query, const std::stop_token& stop) {
  auto answer = connection.query(query, {}, stop);
  if (!answer && is_of_the_session(answer.error())) return fail(std::move(answer).error());
  if (!answer) return ServerReport{.up = true, .lag = {}, .remark = "lag_query failed: " + answer.error().message};
  if (answer->rows.size() != 1 || answer->rows[0].size() != 1) {
    return ServerReport{.up = true, .lag = {}, .remark = "lag_query must return one row of one column"};
  }
  const auto lag = seconds(answer->rows[0][0]);
  if (!lag) {
    return ServerReport{
        .up = true,
        .lag = {},
        .remark = "lag_query returned " + answer->rows[0][0].value_or("NULL") + ", which is no number of seconds"};
  }
  return ServerReport{.up = true, .lag = lag, .remark = {}};
}

struct Look {
  ServerReport report;
  bool certain = true;
};

Result<Look> look(PostgresConnection& connection, LagMeter& meter, const std::stop_token& stop) {
  auto answer = connection.query(kPositions, {}, stop);
  if (!answer && is_of_the_session(answer.error())) return fail(std::move(answer).error());
  if (!answer) {
    return Look{.report = {.up = true,
                           .lag = {},
                           .remark = answer.error().message + "; give the source a lag_query, or max_lag: off"}};
  }
  const auto& row = answer->rows.at(0);
  const bool standby = number<int>(row.at(0)) == 1;
  const auto received = number<std::int64_t>(row.at(1));
  const auto applied = number<std::int64_t>(row.at(2));
  const bool fed = number<int>(row.at(3)) == 1;
  Look seen;
  if (!standby && !applied) {
    seen.report.lag = Duration::zero();
    if (number<int>(row.at(6)).value_or(0) > 0) {
      seen.report.remark = "its standbys cannot be seen; GRANT pg_monitor to the user of the connection string";
    }
    return seen;
  }
  const Lag lag = meter.add(
      std::chrono::steady_clock::now(),
      {.received = received.value_or(0), .applied = applied.value_or(0), .fed = fed, .replay_age = seconds(row.at(4))});
  seen.report.lag = lag.value;
  seen.certain = lag.measured || !fed || (lag.value && *lag.value < kNoMatter);
  if (!fed) seen.report.remark = "it is not connected to its primary";
  if (number<int>(row.at(5)) == 1) seen.report.remark = "WAL replay is paused there";
  return seen;
}

class PostgresLagProbe final : public LagProbe {
 public:
  PostgresLagProbe(std::string connection_string, std::string lag_query)
      : connection_string_(std::move(connection_string)), lag_query_(std::move(lag_query)) {}

  Result<ServerReport> ask(const std::stop_token& stop) override {
    if (connection_ == nullptr) {
      TRY(connection_, PostgresConnection::open({.connection_string = connection_string_,
                                                 .application_name = "longshore monitor",
                                                 .statement_timeout = kAnswerWithin,
                                                 .place = nullptr},
                                                stop));
    }
    auto answer = ask_lag(*connection_, lag_query_, meter_, stop);
    if (!answer) connection_.reset();
    return answer;
  }

  void hang_up() override {
    connection_.reset();
    meter_.forget();
  }

 private:
  const std::string connection_string_;
  const std::string lag_query_;
  std::unique_ptr<PostgresConnection> connection_;
  LagMeter meter_;
};

}  // namespace

Result<ServerReport> ask_lag(PostgresConnection& connection, const std::string& query, LagMeter& meter,
                             const std::stop_token& stop) {
  if (!query.empty()) return ask_own(connection, query, stop);
  SystemClock clock;
  for (int looks = 1;; ++looks) {
    TRY(Look seen, look(connection, meter, stop));
    if (seen.certain || looks == kQuickLooks) return std::move(seen.report);
    static_cast<void>(clock.sleep_for(kBetweenLooks, stop));
  }
}

std::unique_ptr<LagProbe> postgres_lag_probe(std::string connection_string, std::string lag_query) {
  return std::make_unique<PostgresLagProbe>(std::move(connection_string), std::move(lag_query));
}

}  // namespace longshore
