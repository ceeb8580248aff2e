#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/access_history.h"
#include "tests/model/linearizability.h"
#include "tests/model/mortal_file_system.h"
#include "tests/model/performer.h"
#include "tests/model/seeds.h"
#include "tests/model/workload.h"

namespace stave {
namespace {

bool IsKilled(uint64_t seed) { return seed % 4 == 0; }

WorkloadConfiguration ConfigurationOf(uint64_t seed, size_t thread) {
  WorkloadConfiguration configuration = AnyConfiguration(seed);
  configuration.keys = 4 + seed % 12;
  configuration.key_bytes_max = 1;  // all threads have the same keys
  configuration.value_prefix = std::to_string(thread) + ".";
  configuration.has_empty_values = false;
  auto& shares = configuration.shares;
  for (const Operation::Kind kind :
       {Operation::kPassTime, Operation::kReopen, Operation::kKill}) {
    shares[kind] = 0;
  }
  if (IsKilled(seed)) shares[Operation::kIncrement] = 0;
  shares[Operation::kWrite] *= 3;
  shares[Operation::kGet] *= 3;
  return configuration;
}

// A thread that works, and remembers what it did.
class Worker {
 public:
  Worker(uint64_t seed, size_t number)
      : number_(number),
        workload_(seed * 64 + number, ConfigurationOf(seed, number)) {}

  // Until the process is killed, if it is.
  void Work(Store* store, uint64_t operations, int64_t now_ms, Moments* moments,
            const MortalFileSystem& files) {
    performer_.ForgetHeld();  // it has ended with the process before
    for (uint64_t i = 0; i < operations; ++i) {
      Deed deed;
      deed.thread = number_;
      deed.operation = workload_.Next();
      deed.begin = moments->Next();
      const absl::StatusOr<Answer> answer =
          performer_.Perform(deed.operation, now_ms, store);
      deed.maybe = files.dead();
      deed.end = moments->Next();
      if (answer.ok()) deed.answer = *answer;
      ASSERT_TRUE(deed.maybe || answer.ok()) << answer.status();
      deeds_.push_back(std::move(deed));
      if (deeds_.back().maybe) return;
    }
  }

  const std::vector<std::string>& keys() const { return workload_.keys(); }
  const std::vector<Deed>& deeds() const { return deeds_; }

 private:
  const size_t number_;
  Workload workload_;
  Performer performer_;
  std::vector<Deed> deeds_;
};

// Two to eight threads that do everything to the same few keys at the same
// time. Afterwards there must be an order of all that explains every answer.
// Some histories go on over kills of the process.
class HistoryTest : public testing::Test {
 protected:
  // Adds the operations that were done to `*done`.
  static AccessHistory Record(uint64_t seed, uint64_t operations,
                              uint64_t* done) {
    std::mt19937_64 random(seed);
    const TemporaryDirectory directory(PlaceInMemory());
    Moments moments;
    ManualClock clock;
    MortalFileSystem files(PosixFileSystem());
    // Its lock would order the threads, so it is there only where it is needed.
    const bool is_killed = IsKilled(seed);
    Options options = AnyOptions(seed);
    options.background_threads = random() % 4 > 0;
    options.clock = &clock;
    if (is_killed) options.file_system = &files;
    WrittenFileSystem written(is_killed ? &files : PosixFileSystem());
    if (random() % 4 == 0) options.file_system = &written;
    std::deque<Worker> workers;
    const size_t threads = 2 + random() % 7;
    for (size_t i = 0; i < threads; ++i) workers.emplace_back(seed, i);

    const uint64_t lives = is_killed ? 4 : 1;
    for (uint64_t life = 0; life < lives; ++life) {
      absl::StatusOr<std::unique_ptr<Store>> store =
          Store::Open(directory.path() + "/store", options);
      EXPECT_TRUE(store.ok()) << store.status();
      if (!store.ok()) break;
      MomentOfDeath moment;
      moment.nth = 1 + random() % operations;
      files.DieAt(moment);
      Work(store->get(), &workers, operations / threads / lives,
           absl::ToUnixMillis(clock.WallNow()), &moments, files);
      // Killed while nobody works, if that moment has not come.
      files.Die();
      *store = nullptr;
      files.Revive();
    }
    AccessHistory history(workers.front().keys());
    for (const Worker& worker : workers) {
      *done += worker.deeds().size();
      for (const Deed& deed : worker.deeds()) history.Add(deed);
    }
    return history;
  }

  static void Work(Store* store, std::deque<Worker>* workers,
                   uint64_t operations, int64_t now_ms, Moments* moments,
                   const MortalFileSystem& files) {
    std::vector<std::thread> threads;
    for (Worker& worker : *workers) {
      threads.emplace_back(
          [&] { worker.Work(store, operations, now_ms, moments, files); });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(HistoryTest, SomeOrderExplainsEveryAnswer) {
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 520);
  const uint64_t operations = FromEnvironment("STAVE_OPERATIONS", 12'000);
  uint64_t accesses = 0, done = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    if (IsLeftOut(seed)) continue;
    const AccessHistory history = Record(seed, operations, &done);
    accesses += history.size();
    ASSERT_EQ(CheckKeys(history.keys()), "")
        << HowToReplay("//tests/model:history_test", seed);
    ASSERT_FALSE(HasFailure())
        << HowToReplay("//tests/model:history_test", seed);
  }
  std::cout << seeds << " histories of " << done << " operations, " << accesses
            << " accesses of keys\n";
}

}  // namespace
}  // namespace stave
