#include "scan/pressure/server_board.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

/// Replicas this near to each other are equally good.
constexpr Duration kSameLag = std::chrono::seconds{1};

std::string seconds_text(Duration duration) {
  char text[32];
  const double seconds = std::chrono::duration<double>(duration).count();
  std::snprintf(text, sizeof text, duration.count() % 1'000'000 == 0 ? "%.0f s" : "%.1f s", seconds);
  return text;
}

}  // namespace

ServerBoard::ServerBoard(std::vector<Server> servers, Duration max_lag) : entries_(servers.size()), max_lag_(max_lag) {
  for (std::size_t i = 0; i < servers.size(); ++i) entries_[i].server = std::move(servers[i]);
}

ServerState ServerBoard::report(std::size_t index, const ServerReport& report) {
  ServerState state = ServerState::fine;
  if (report.up) heard();
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[index];
    entry.lag = report.lag;
    entry.remark = report.remark;
    const bool under = report.lag && *report.lag <= max_lag_;
    entry.good_polls = under ? entry.good_polls + 1 : 0;
    if (!report.up) {
      state = ServerState::down;
    } else if (max_lag_ > Duration::zero()) {
      const bool was_behind = entry.state == ServerState::behind;
      const bool good = under && (!was_behind || *report.lag <= max_lag_ / 2 || entry.good_polls >= 2);
      state = good ? ServerState::fine : ServerState::behind;
    }
    entry.state = state;
  }
  changed_.notify_all();
  return state;
}

void ServerBoard::forget(std::size_t index) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[index];
  entry.state = ServerState::unknown;
  entry.lag.reset();
  entry.remark.clear();
  entry.good_polls = 0;
}

bool ServerBoard::wait_until_known(Duration limit, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, stop, limit, [this] {
    return std::ranges::none_of(entries_, [this](const Entry& entry) {
      return entry.state == ServerState::unknown && (!entry.server.primary || entries_.size() == 1);
    });
  });
}

template <class Matches>
std::optional<std::size_t> ServerBoard::next_of(Matches matches) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::size_t index = (turn_ + i) % entries_.size();
    if (!matches(entries_[index], index)) continue;
    turn_ = index + 1;
    return index;
  }
  return std::nullopt;
}

std::optional<std::size_t> ServerBoard::least_lagged(std::optional<std::size_t> except) {
  std::optional<Duration> least;
  const auto fits = [&](const Entry& entry, std::size_t index) {
    return !entry.server.primary && entry.state == ServerState::fine && index != except;
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!fits(entries_[i], i)) continue;
    const Duration lag = entries_[i].lag.value_or(Duration::zero());
    least = least ? std::min(*least, lag) : lag;
  }
  if (!least) return std::nullopt;
  return next_of([&](const Entry& entry, std::size_t index) {
    return fits(entry, index) && entry.lag.value_or(Duration::zero()) <= *least + kSameLag;
  });
}

std::optional<std::size_t> ServerBoard::choose(const Wish& wish) {
  const std::lock_guard lock(mutex_);
  const auto is = [&](ServerState state, bool primary, bool except_too) {
    return [=, &wish](const Entry& entry, std::size_t index) {
      return entry.server.primary == primary && entry.state == state && (except_too || index != wish.except);
    };
  };
  if (const auto best = least_lagged(wish.except)) return best;
  if (const auto other = next_of(is(ServerState::unknown, false, false))) return other;
  // The one that has just failed is better than none: a conflict or a restart passes.
  if (const auto again = least_lagged(std::nullopt)) return again;
  if (const auto again = next_of(is(ServerState::unknown, false, true))) return again;
  if (wish.primary) {
    if (const auto primary = next_of(is(ServerState::fine, true, true))) return primary;
    if (const auto primary = next_of(is(ServerState::unknown, true, true))) return primary;
  }
  const auto lags = [&](const Entry& entry) {
    return entry.state == ServerState::behind && (!entry.server.primary || wish.primary);
  };
  if (std::ranges::any_of(entries_, lags)) return std::nullopt;
  // Nobody answers the polls. Trying tells more than waiting: its failures are counted, and say why.
  if (const auto down = next_of(is(ServerState::down, false, false))) return down;
  if (const auto down = next_of(is(ServerState::down, false, true))) return down;
  return next_of([](const Entry&, std::size_t) { return true; });
}

std::optional<std::size_t> ServerBoard::fine_replica_besides(std::size_t index) {
  const std::lock_guard lock(mutex_);
  return least_lagged(index);
}

Status ServerBoard::reachable(Duration lately) const {
  const auto at = heard_at_.load(std::memory_order_relaxed);
  const auto silence = std::chrono::steady_clock::now().time_since_epoch() - at;
  const bool ever = at != std::chrono::steady_clock::duration::zero();
  if (ever && silence < lately) return {};
  const std::lock_guard lock(mutex_);
  const auto known = [](const Entry& entry) { return entry.state != ServerState::unknown; };
  const auto down = [](const Entry& entry) { return entry.state == ServerState::down; };
  const auto first = std::ranges::find_if(entries_, down);
  if (std::ranges::count_if(entries_, known) == std::ranges::count_if(entries_, down) && first != entries_.end()) {
    return fail(source_unavailable("no server answers; " + first->server.name + ": " + first->remark));
  }
  const std::string since =
      ever ? " for " + seconds_text(std::chrono::floor<std::chrono::seconds>(silence)) : std::string(" here yet");
  return fail(source_busy("nothing was heard of its servers" + since));
}

std::string ServerBoard::why_waiting() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const Entry& entry : entries_) {
    if (entry.state != ServerState::behind) continue;
    if (!text.empty()) text += "; ";
    text += (entry.server.primary ? "primary " : "replica ") + entry.server.name;
    if (entry.lag) {
      text += " is " + seconds_text(*entry.lag) + " behind (limit " + seconds_text(max_lag_);
      text += entry.remark.empty() ? ")" : "; " + entry.remark + ")";
    } else {
      text += " cannot say how far it is behind" + (entry.remark.empty() ? std::string() : " (" + entry.remark + ")");
    }
  }
  return text.empty() ? "no server of the source is ready" : text;
}

std::vector<ServerHealth> ServerBoard::health() const {
  const std::lock_guard lock(mutex_);
  std::vector<ServerHealth> all;
  for (const Entry& entry : entries_) {
    if (entry.state == ServerState::unknown) continue;
    ServerHealth health{.name = entry.server.name, .up = entry.state != ServerState::down, .lag = std::nullopt};
    if (entry.lag) health.lag = std::chrono::duration<double>(*entry.lag).count();
    all.push_back(std::move(health));
  }
  return all;
}

}  // namespace longshore
