#include "scan/mysql/lag_query.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scan/value_text.h"

namespace longshore {

namespace {

/// More is no lag but a wrong query: a date in seconds, say.
constexpr double kMostSeconds = 1e9;
/// A server that takes longer to say where it is has other worries than exports.
constexpr Duration kAnswerWithin = std::chrono::seconds{5};

Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::max(seconds, 0.0)));
}

ServerReport unknown_lag(std::string remark) {
  return {.up = true, .lag = std::nullopt, .remark = std::move(remark)};
}

bool is_of_session(const Error& error) {
  return error.code == "source_unavailable" || error.code == "source_timeout" || error.code == "scan_stopped";
}

ServerReport report_of_query(const MysqlRows& answer) {
  const bool one = answer.rows.size() == 1 && answer.rows[0].size() == 1 && answer.rows[0][0];
  const auto seconds = one ? parse_float64(answer.at(0, 0)) : std::nullopt;
  if (!seconds || !std::isfinite(*seconds) || *seconds > kMostSeconds) {
    return unknown_lag("the lag_query does not return one number of seconds");
  }
  return {.up = true, .lag = seconds_of(*seconds), .remark = {}};
}

ServerReport report_of_channels(const MysqlRows& channels) {
  const auto at = std::ranges::find_if(channels.names, [](const std::string& name) {
    return name == "Seconds_Behind_Master" || name == "Seconds_Behind_Source";
  });
  if (channels.rows.empty()) return {.up = true, .lag = Duration::zero(), .remark = {}};
  if (at == channels.names.end()) return unknown_lag("the server's replication status is in a form that is not known");
  double most = 0;
  for (const auto& row : channels.rows) {
    const auto& value = row[static_cast<std::size_t>(at - channels.names.begin())];
    const auto seconds = value ? parse_float64(*value) : std::nullopt;
    if (!seconds) return unknown_lag("replication does not run");
    most = std::max(most, *seconds);
  }
  return {.up = true, .lag = seconds_of(most), .remark = {}};
}

class MysqlLagProbe final : public LagProbe {
 public:
  MysqlLagProbe(MysqlAddress address, std::string lag_query, bool is_primary)
      : address_(std::move(address)), lag_query_(std::move(lag_query)), is_primary_(is_primary) {}

  Result<ServerReport> ask(const std::stop_token& stop) override {
    if (connection_ == nullptr) {
      TRY(connection_,
          MysqlConnection::open(
              {.address = address_, .label = "monitor", .statement_timeout = kAnswerWithin, .place = nullptr}, stop));
    }
    auto answer = ask_lag(*connection_, lag_query_, is_primary_, stop);
    if (!answer) connection_.reset();
    return answer;
  }

  void hang_up() override { connection_.reset(); }

 private:
  const MysqlAddress address_;
  const std::string lag_query_;
  const bool is_primary_;
  std::unique_ptr<MysqlConnection> connection_;
};

}  // namespace

Result<ServerReport> ask_lag(MysqlConnection& connection, const std::string& query, bool is_primary,
                             const std::stop_token& stop) {
  const char* const status = connection.is_mariadb() ? "SHOW ALL SLAVES STATUS" : "SHOW REPLICA STATUS";
  const auto answer = connection.query(query.empty() ? status : query, stop);
  if (answer) return query.empty() ? report_of_channels(*answer) : report_of_query(*answer);
  if (is_of_session(answer.error())) return fail(answer.error());
  if (is_primary && query.empty() && answer.error().code == "source_denied") {
    return ServerReport{.up = true, .lag = Duration::zero(), .remark = {}};
  }
  return unknown_lag("its lag cannot be asked: " + answer.error().message +
                     (query.empty() ? "; grant SLAVE MONITOR (MySQL: REPLICATION CLIENT), or set lag_query" : ""));
}

std::unique_ptr<LagProbe> mysql_lag_probe(MysqlAddress address, std::string lag_query, bool is_primary) {
  return std::make_unique<MysqlLagProbe>(std::move(address), std::move(lag_query), is_primary);
}

}  // namespace longshore
