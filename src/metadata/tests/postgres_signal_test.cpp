#include "metadata/postgres/postgres_signal.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "metadata/tests/postgres_testbed.h"

namespace longshore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// A signal, and what it said of itself.
class Listener {
 public:
  explicit Listener(const std::string& dsn, const std::string& channel, Duration debounce = milliseconds{50}) {
    PostgresSignalOptions options;
    options.connection = dsn + " application_name=" + channel;
    options.channel = channel;
    options.debounce = debounce;
    options.on_change = [this](bool listening, const Error* why) {
      const std::lock_guard lock(mutex_);
      ++(listening ? begun_ : ended_);
      if (why != nullptr) why_ = why->message;
      changed_.notify_all();
    };
    auto made = PostgresSignal::make(std::move(options));
    EXPECT_THAT(made, Succeeded());
    signal_ = *std::move(made);
  }

  PostgresSignal& operator*() const { return *signal_; }
  PostgresSignal* operator->() const { return signal_.get(); }
  /// Waits until it has begun to listen, or ceased, so many times.
  void await_begun(int times) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, seconds{20}, [&] { return begun_ >= times; }));
  }
  std::string await_ended(int times) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, seconds{20}, [&] { return ended_ >= times; }));
    return why_;
  }
  /// Forgets the hints that came so far.
  void settle() { signal_->wait(seen_, milliseconds{0}, {}); }
  /// Whether a hint comes soon.
  bool hinted(milliseconds patience = seconds{10}) {
    const auto before = seen_;
    signal_->wait(seen_, patience, {});
    return seen_ != before;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int ended_ = 0;
  std::string why_;
  std::uint64_t seen_ = 0;
  std::unique_ptr<PostgresSignal> signal_;  ///< last: its thread uses the rest
};

std::string channel_name() {
  static int number = 0;
  return fmt::format("longshore_test_{}_{}", ::getpid(), ++number);
}

TEST(PostgresSignalTest, AHintReachesOtherProcessesAndOnesOwnThreads) {
  const std::string channel = channel_name();
  Listener a(postgres_dsn(), channel);
  Listener b(postgres_dsn(), channel);
  Listener stranger(postgres_dsn(), channel_name());
  for (Listener* listener : {&a, &b, &stranger}) {
    listener->await_begun(1);
    EXPECT_TRUE((*listener)->listening());
    EXPECT_TRUE(listener->hinted()) << "whoever begins to listen looks once";
  }
  a->announce();
  EXPECT_TRUE(a.hinted());
  EXPECT_TRUE(b.hinted());
  EXPECT_FALSE(stranger.hinted(milliseconds{100}));
}

TEST(PostgresSignalTest, ManyHintsAreFewNotifications) {
  const std::string channel = channel_name();
  Listener a(postgres_dsn(), channel, milliseconds{200});
  Listener b(postgres_dsn(), channel, milliseconds{0});
  a.await_begun(1);
  b.await_begun(1);
  EXPECT_TRUE(b.hinted());
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) a->announce();
  EXPECT_TRUE(b.hinted());
  int heard = 1;
  a->announce();  // within the interval: it is sent at its end
  while (b.hinted(milliseconds{600})) ++heard;
  const auto intervals = (std::chrono::steady_clock::now() - begun) / milliseconds{200};
  EXPECT_GE(heard, 2);
  EXPECT_LE(heard, intervals + 1);
  EXPECT_LT(heard, 10);
}

TEST(PostgresSignalTest, AfterAnOutageItListensAgainAndLooksOnce) {
  const std::string channel = channel_name();
  Listener a(postgres_dsn(), channel);
  a.await_begun(1);
  EXPECT_TRUE(a.hinted());
  ask(postgres_dsn(),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" + channel + "'");
  EXPECT_THAT(a.await_ended(1), HasSubstr("has ended"));
  a.await_begun(2);
  EXPECT_TRUE(a.hinted());
  Listener b(postgres_dsn(), channel);
  b.await_begun(1);
  a.settle();
  b->announce();
  EXPECT_TRUE(a.hinted());
}

TEST(PostgresSignalTest, WithoutADatabaseThreadsStillWakeEachOther) {
  Listener a("host=127.0.0.1 port=1 dbname=none", channel_name());
  EXPECT_THAT(a.await_ended(1), HasSubstr("127.0.0.1:1/none"));
  EXPECT_FALSE(a->listening());
  a->announce();
  EXPECT_TRUE(a.hinted());
}

TEST(PostgresSignalTest, APoolerIsRecognized) {
  Listener a(pgbouncer_dsn(), channel_name());
  EXPECT_THAT(a.await_ended(1), HasSubstr("cannot come through the pooler"));
  EXPECT_FALSE(a->listening());
}

TEST(PostgresSignalTest, WaitingEndsWithItsTimeOrAStop) {
  Listener a(postgres_dsn(), channel_name());
  a.await_begun(1);
  a.settle();
  auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(a.hinted(milliseconds{100}));
  const auto waited = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(waited, milliseconds{49});
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  std::uint64_t seen = 1'000'000;
  a->wait(seen, seconds{60}, stop.get_token());
}

TEST(PostgresSignalTest, WhatIsNoConnectionStringIsRefusedWithoutRepeatingIt) {
  PostgresSignalOptions options;
  options.connection = "password=hunter2 nonsense";
  const auto made = PostgresSignal::make(options);
  ASSERT_THAT(made, FailedWith("bad_metadata_connection"));
  EXPECT_THAT(made.error().message, testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace longshore
