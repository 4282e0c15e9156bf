#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "budget/cluster_budget.h"
#include "budget/tests/budget_testbed.h"
#include "budget/tests/faulty_places.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

/// A database server that counts its sessions.
struct CountedServer {
  std::atomic<int> sessions = 0;
  std::atomic<int> most = 0;
  std::atomic<int> opened = 0;

  void open() {
    ++opened;
    const int now = ++sessions;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
  }
  void close() { --sessions; }
};

ClusterBudgetOptions hurried(int process) {
  ClusterBudgetOptions options;
  options.holder = "process-" + std::to_string(process);
  options.lease = 2s;
  options.margin = 1s;
  options.renew = 50ms;
  options.keep = 20ms;
  options.turn = 20ms;
  options.least_poll = 2ms;
  options.most_poll = 10ms;
  return options;
}

TEST(ClusterRaceTest, NeverMoreSessionsThanPlacesAndNobodyStarves) {
  constexpr int kProcesses = 3;
  constexpr int kThreads = 4;
  constexpr int kTurns = 150;
  BudgetTestbed testbed;
  CountedServer server;
  std::vector<std::unique_ptr<ClusterBudget>> processes;
  std::atomic<int> failures = 0;
  for (int i = 0; i < kProcesses; ++i) {
    processes.push_back(std::make_unique<ClusterBudget>(testbed.open(), hurried(i)));
  }
  {
    std::vector<std::jthread> threads;
    for (const auto& process : processes) {
      const auto budget = process->budget_of(source_of(2));
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, budget] {
          for (int turn = 0; turn < kTurns; ++turn) {
            const auto slot = budget->acquire({}, 30s);
            if (!slot) {
              ++failures;
              continue;
            }
            server.open();
            server.close();
          }
        });
      }
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(server.opened, kProcesses * kThreads * kTurns);
  EXPECT_LE(server.most, 2);
}

TEST(ClusterRaceTest, NorWhileTheStoreComesAndGoes) {
  BudgetTestbed testbed;
  CountedServer server;
  std::vector<std::unique_ptr<FaultyPlaces>> stores;
  std::vector<std::unique_ptr<ClusterBudget>> processes;
  for (int i = 0; i < 3; ++i) {
    stores.push_back(std::make_unique<FaultyPlaces>(testbed.open()));
    ClusterBudgetOptions options = hurried(i);
    options.lease = 300ms;
    options.margin = 150ms;
    options.renew = 20ms;
    processes.push_back(std::make_unique<ClusterBudget>(*stores.back(), options));
  }
  std::stop_source stop;
  {
    std::vector<std::jthread> threads;
    for (const auto& process : processes) {
      const auto budget = process->budget_of(source_of(2));
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, budget] {
          while (!stop.stop_requested()) {
            const auto slot = budget->acquire(stop.get_token());
            if (!slot || slot->lost()) continue;
            budget->clear(budget->take_suspects());  // sessions here end with their slots
            server.open();
            // A session ends when its place is lost, at the latest.
            for (int step = 0; step < 20 && !slot->lost(); ++step) std::this_thread::sleep_for(1ms);
            server.close();
          }
        });
      }
    }
    std::minstd_rand random(1);
    for (int round = 0; round < 12; ++round) {
      FaultyPlaces& store = *stores[random() % stores.size()];
      store.away = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 300));
      store.away = false;
      store.lose_answers = round % 3 == 0;
      std::this_thread::sleep_for(30ms);
      store.lose_answers = false;
    }
    const int before = server.opened;
    EXPECT_TRUE(eventually([&] { return server.opened > before + 20; })) << "places got lost for ever";
    stop.request_stop();
  }
  EXPECT_LE(server.most, 2);
}

}  // namespace
}  // namespace longshore
