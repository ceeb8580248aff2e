#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/limits.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/mortal_file_system.h"
#include "tests/model/performer.h"
#include "tests/model/points_of_death.h"
#include "tests/model/seeds.h"
#include "tests/model/writer.h"

namespace stave {
namespace {

constexpr size_t kMostWriters = 8;
constexpr size_t kPoints = std::size(kPointsOfDeath);
// A store without merge only grows, and is read after each kill.
constexpr uint64_t kMostSegments = 100;

// Lies in memory that outlives the process that writes it.
struct Shared {
  std::array<Progress, kMostWriters> progress;
  // The process did not get to the point where it was to be killed.
  std::atomic<bool> gave_up{false};
};

class SharedMemory {
 public:
  SharedMemory()
      : memory_(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) std::abort();
    new (memory_) Shared;
  }
  ~SharedMemory() { munmap(memory_, sizeof(Shared)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  Shared& operator*() { return *static_cast<Shared*>(memory_); }
  Shared* get() { return static_cast<Shared*>(memory_); }

 private:
  void* const memory_;
};

// Processes of four to eight threads that work in a store and are killed, one
// after another: at random instants, and at all the points of points_of_death.h
// by themselves. All that they acknowledged must be there then; of each thread
// one operation may have been going on, which is there wholly or not at all.
class KillTest : public testing::Test {
 protected:
  // A store after another, of one kind.
  void StartGroup(uint64_t seed) {
    random_.seed(seed);
    seed_ = seed;
    directory_ = std::make_unique<TemporaryDirectory>(
        seed % 8 == 0 ? PlaceOnDisk() : PlaceInMemory());
    options_ = AnyOptions(seed);
    options_.background_threads = Below(4) > 0;
    options_.checkpoint_min_keys = 1;
    options_.checkpoint_interval_bytes = uint64_t{64} << Below(6);
    options_.clock = &clock_;
    if (Below(8) > 0) {
      options_.compression = Compression::kZstd;
      options_.compression_threshold_bytes = 1;
      options_.compression_dictionary_bytes = kMinCompressionDictionaryBytes;
      // Of such as are sealed it is learnt.
      options_.segment_size_bytes =
          std::min<uint64_t>(options_.segment_size_bytes, 8 << 10);
    }
    mapped_ = Below(4) > 0;
    StartOver();
  }

  void StartOver() {
    path_ = directory_->path() + "/store" + std::to_string(++stores_);
    shared_ = std::make_unique<SharedMemory>();
    writers_.clear();
    for (size_t i = 0, count = 4 + Below(kMostWriters - 3); i < count; ++i) {
      writers_.emplace_back(seed_ * 1000 + stores_, i,
                            absl::ToUnixMillis(clock_.WallNow()),
                            &shared_->get()->progress[i]);
    }
  }

  void KillAtRandomInstant() {
    const pid_t child = fork();
    if (child == 0) RunChild(nullptr, 0);
    absl::SleepFor(AnyDelay());
    kill(child, SIGKILL);
    Bury(child);
    Verify(/*reading_only=*/Below(2) == 0);
    if (HasFailure()) return;
    ++kills_;
  }

  // More than once, if the process does not get there.
  void KillAt(size_t index) {
    constexpr int kTries = 6;
    const PointOfDeath& point = kPointsOfDeath[index];
    bool hit = false;
    for (int tries = 0; tries < kTries && !hit && !HasFailure(); ++tries) {
      if (point.in_new_store) StartOver();
      shared_->get()->gave_up = false;
      const bool comes_often =
          point.phase == Phase::kWork && !point.in_new_store;
      const uint64_t nth = tries > 0 || !comes_often ? 1 : 1 + Below(8);
      const pid_t child = fork();
      if (child == 0) RunChild(&point, nth);
      Bury(child);
      hit = !shared_->get()->gave_up;
      // Recovery is the next process's.
      Verify(/*reading_only=*/point.phase == Phase::kOpen || Below(2) == 0);
      ++kills_;
    }
    hits_[index] += hit;
  }

  uint64_t Below(uint64_t bound) { return random_() % bound; }

  uint64_t kills_ = 0;
  std::array<uint64_t, kPoints> hits_{};

 private:
  // As long as most opens take, or as many writes.
  absl::Duration AnyDelay() {
    const uint64_t microseconds = uint64_t{1} << Below(15);
    return absl::Microseconds(Below(2 * microseconds));
  }

  static void Bury(pid_t child) {
    int ended = 0;
    waitpid(child, &ended, 0);
    ASSERT_TRUE(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL)
        << "exit code " << WEXITSTATUS(ended);
  }

  // Opens, works and closes until it is killed: at call number `nth` of
  // `point`, if that is not null, or else from outside.
  [[noreturn]] void RunChild(const PointOfDeath* point, uint64_t nth) {
    random_.seed(random_() + 1);
    MortalFileSystem files(PosixFileSystem());
    WrittenFileSystem written(&files);
    files.KillThisProcess();
    options_.file_system = &files;
    if (!mapped_) options_.file_system = &written;
    const auto enter = [&](Phase phase) {
      if (point == nullptr) return;
      // Hint files of a merge's outputs may be left to the close.
      if (point->phase == Phase::kMerge && phase == Phase::kClose) return;
      files.LiveOn();
      if (point->phase == phase) files.DieAt(MomentOf(*point, nth));
    };
    for (int turn = 0;; ++turn) {
      enter(Phase::kOpen);
      auto store = Store::Open(path_, options_);
      if (!store.ok()) End(store.status().ToString());
      enter(Phase::kWork);
      Work(store->get(), point == nullptr ? 1 + Below(2'000) : 60);
      if (point != nullptr && point->phase == Phase::kMerge) {
        enter(Phase::kMerge);
        const absl::Status merged = (*store)->Merge({.all = true});
        if (!merged.ok()) End(merged.ToString());
      }
      // The next process has something to recover.
      if (point != nullptr && point->phase == Phase::kOpen) GiveUp();
      enter(Phase::kClose);
      const absl::Status closed = (*store)->Close();
      if (!closed.ok()) End(closed.ToString());
      if (point != nullptr && turn > 0) GiveUp();
    }
  }

  MomentOfDeath MomentOf(const PointOfDeath& point, uint64_t nth) const {
    MomentOfDeath moment{point.call, point.file_prefix, nth, point.part};
    if (!mapped_ && point.call == FileCall::kStore) {
      moment.call = FileCall::kWrite;
    }
    return moment;
  }

  void Work(Store* store, uint64_t operations) {
    std::vector<std::thread> threads;
    for (Writer& writer : writers_) {
      threads.emplace_back([&] {
        const std::string problem = writer.Work(store, operations);
        if (!problem.empty()) End(problem);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  [[noreturn]] void GiveUp() {
    shared_->get()->gave_up = true;
    kill(getpid(), SIGKILL);
    std::abort();
  }
  [[noreturn]] static void End(const std::string& problem) {
    ADD_FAILURE() << problem;
    std::fflush(stdout);
    _exit(1);
  }

  void Verify(bool reading_only) {
    if (HasFailure()) return;
    // Killed before it was made.
    if (!std::filesystem::exists(path_)) return;
    const Answer found = Look(/*read_only=*/true);
    for (Writer& writer : writers_) {
      const std::string problem = writer.CatchUp(found.contents);
      ASSERT_EQ(problem, "");
    }
    const auto passed_ms = static_cast<int64_t>(Below(2) * Below(50'000));
    for (Writer& writer : writers_) writer.PassTime(passed_ms);
    clock_.Advance(absl::Milliseconds(passed_ms));
    if (reading_only || HasFailure()) return;

    const Contents expected = Expected();
    ASSERT_TRUE(Look(/*read_only=*/false).contents == expected);
    const Answer again = Look(/*read_only=*/false);
    ASSERT_TRUE(again.contents == expected) << "a second open";
    if (segments_ > kMostSegments || Below(12) == 0) StartOver();
  }

  Contents Expected() const {
    Contents expected;
    for (const Writer& writer : writers_) {
      expected.merge(writer.model().Live());
    }
    return expected;
  }

  // All that the store holds, read in each way; it can be written, unless it
  // is read-only.
  Answer Look(bool read_only) {
    Options options = options_;
    options.background_threads = false;
    options.read_only = read_only;
    const auto store = Store::Open(path_, options);
    if (read_only && absl::IsNotFound(store.status())) return Answer();
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return Answer();
    const absl::StatusOr<Answer> whole = Whole(store->get());
    EXPECT_TRUE(whole.ok()) << whole.status();
    if (!whole.ok()) return Answer();
    for (const auto& [key, held] : whole->contents) {
      EXPECT_EQ((*store)->Get(key).value_or("nothing"), held.value) << key;
    }
    if (!read_only) {
      EXPECT_TRUE((*store)->Put("writable", "yes").ok());
      EXPECT_TRUE((*store)->Delete("writable").value_or(false));
    }
    segments_ = (*store)->GetStatistics().segments;
    return *whole;
  }

  std::mt19937_64 random_;
  uint64_t seed_ = 0;
  uint64_t stores_ = 0;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::string path_;
  ManualClock clock_;
  Options options_;
  bool mapped_ = true;
  std::unique_ptr<SharedMemory> shared_;
  std::deque<Writer> writers_;
  uint64_t segments_ = 0;
};

TEST_F(KillTest, NothingAcknowledgedIsLost) {
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 40);
  const uint64_t hits = FromEnvironment("STAVE_HITS", 20);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    if (IsLeftOut(seed)) continue;
    StartGroup(seed);
    std::vector<size_t> points(kPoints);
    std::iota(points.begin(), points.end(), size_t{0});
    std::shuffle(points.begin(), points.end(), std::mt19937_64(seed));
    for (const size_t point : points) {
      KillAt(point);
      KillAtRandomInstant();
      ASSERT_FALSE(HasFailure())
          << "killed " << kPointsOfDeath[point].name << ", or at random\n"
          << HowToReplay("//tests/model:kill_test", seed);
    }
  }
  std::cout << kills_ << " kills\n";
  for (size_t i = 0; i < kPoints; ++i) {
    std::cout << hits_[i] << " " << kPointsOfDeath[i].name << "\n";
    // One seed alone is a replay.
    if (IsLeftOut(0)) continue;
    EXPECT_GE(hits_[i], hits) << kPointsOfDeath[i].name;
  }
}

}  // namespace
}  // namespace stave
