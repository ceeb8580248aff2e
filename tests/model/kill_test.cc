#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/seeds.h"

namespace stave {
namespace {

constexpr size_t kThreads = 4;
constexpr uint64_t kKeys = 20;  // of each thread, beside those of its batches
constexpr uint64_t kBatchKeys = 5;

// How far a thread has come. Its operations are numbered; begun is one more
// than acknowledged while one is going on.
struct Progress {
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> acknowledged{0};
};

// Lies in memory that outlives the process that writes it.
using Shared = std::array<Progress, kThreads>;

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

 private:
  void* const memory_;
};

enum class Kind { kPut, kDelete, kBatch };

// What a thread's operation does follows from its number, so that no list of
// them need be kept: its kind, its key, its value.
struct Operation {
  Kind kind;
  std::string key;    // of a batch: the beginning of its keys
  std::string value;  // begins with the number
  bool sync;
};

Operation OperationOf(size_t thread, uint64_t number) {
  std::minstd_rand random(static_cast<uint32_t>(number * kThreads + thread));
  random.discard(2);
  const uint64_t choice = random() % 10;
  Operation operation;
  operation.kind = choice < 6   ? Kind::kPut
                   : choice < 8 ? Kind::kDelete
                                : Kind::kBatch;
  operation.key = operation.kind == Kind::kBatch
                      ? absl::StrCat(thread, ".batch.")
                      : absl::StrCat(thread, ".", random() % kKeys);
  operation.value = absl::StrCat(number, ":");
  operation.value.append(random() % 10 == 0 ? 3000 : random() % 100, 'v');
  operation.sync = random() % 200 == 0;
  return operation;
}

absl::Status Apply(Store& store, const Operation& operation) {
  const WriteOptions write = {.sync = operation.sync};
  if (operation.kind == Kind::kPut) {
    return store.Put(operation.key, operation.value, write);
  }
  if (operation.kind == Kind::kDelete) {
    return store.Delete(operation.key, write).status();
  }
  WriteBatch batch;
  for (uint64_t i = 0; i < kBatchKeys; ++i) {
    batch.Put(absl::StrCat(operation.key, i), operation.value);
  }
  return store.Write(batch, write);
}

// What one thread's keys hold after its first `count` operations.
using Contents = std::map<std::string, std::string>;

Contents ContentsAfter(size_t thread, uint64_t count) {
  Contents contents;
  for (uint64_t number = 1; number <= count; ++number) {
    const Operation operation = OperationOf(thread, number);
    switch (operation.kind) {
      case Kind::kPut:
        contents[operation.key] = operation.value;
        break;
      case Kind::kDelete:
        contents.erase(operation.key);
        break;
      case Kind::kBatch:
        for (uint64_t i = 0; i < kBatchKeys; ++i) {
          contents[absl::StrCat(operation.key, i)] = operation.value;
        }
        break;
    }
  }
  return contents;
}

// A process with four threads that write is killed at a random moment, again
// and again. All that it acknowledged must be there then; of each thread one
// operation may have been going on, which is there wholly or not at all.
class KillTest : public testing::Test {
 protected:
  struct Round {
    uint64_t seed = 0;
    std::string place;
    bool mapped = true;
  };

  // As long as most opens take, or as many writes.
  static absl::Duration AnyDelay(std::mt19937_64& random) {
    const uint64_t microseconds = uint64_t{1} << random() % 17;
    return absl::Microseconds(random() % (2 * microseconds));
  }

  // Kills `times` processes that go on one after another in one store.
  void Run(const Round& round, int times) {
    std::mt19937_64 random(round.seed);
    const TemporaryDirectory directory(round.place);
    path_ = directory.path() + "/store";
    options_ = Options();
    options_.segment_size_bytes = kMinSegmentSizeBytes << random() % 11;
    options_.sync_interval = absl::Milliseconds(random() % 20 + 1);
    options_.file_system = round.mapped ? nullptr : &written_;
    SharedMemory shared;
    for (int i = 0; i < times && !HasFailure(); ++i) {
      const pid_t child = fork();
      if (child == 0) RunChild(*shared);
      absl::SleepFor(AnyDelay(random));
      kill(child, SIGKILL);
      int ended = 0;
      waitpid(child, &ended, 0);
      ASSERT_TRUE(WIFSIGNALED(ended)) << "exit code " << WEXITSTATUS(ended);
      Verify(*shared);
    }
  }

  // Never ends by itself, except for an error.
  [[noreturn]] void RunChild(Shared& shared) {
    auto store = Store::Open(path_, options_);
    if (!store.ok()) Give(store.status());
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back(
          [&, thread] { Write(**store, thread, shared[thread]); });
    }
    for (std::thread& thread : threads) thread.join();
    _exit(2);
  }
  [[noreturn]] static void Give(const absl::Status& error) {
    ADD_FAILURE() << error;
    std::fflush(stdout);
    _exit(1);
  }

  static void Write(Store& store, size_t thread, Progress& progress) {
    for (uint64_t number = progress.acknowledged + 1;; ++number) {
      const Operation operation = OperationOf(thread, number);
      progress.begun = number;
      const absl::Status status = Apply(store, operation);
      if (!status.ok()) Give(status);
      progress.acknowledged = number;
    }
  }

  void Verify(Shared& shared) {
    if (!std::filesystem::exists(path_)) return;  // killed before it was made
    const Contents read_only = ReadAll(/*read_only=*/true);
    const Contents all = ReadAll(/*read_only=*/false);
    EXPECT_TRUE(all == read_only);
    EXPECT_TRUE(all == ReadAll(/*read_only=*/false)) << "a second open";
    for (size_t thread = 0; thread < kThreads; ++thread) {
      Progress& progress = shared[thread];
      const Contents found = OfThread(all, thread);
      const uint64_t acknowledged = progress.acknowledged;
      if (found == ContentsAfter(thread, acknowledged)) {
        progress.begun = acknowledged;
      } else {
        EXPECT_TRUE(progress.begun > acknowledged &&
                    found == ContentsAfter(thread, progress.begun))
            << "thread " << thread << " had acknowledged " << acknowledged;
        progress.acknowledged = progress.begun.load();
      }
    }
  }

  // Of a store that can be opened, and written, unless it is read-only.
  Contents ReadAll(bool read_only) {
    Contents contents;
    Options options = options_;
    options.read_only = read_only;
    const auto store = Store::Open(path_, options);
    if (read_only && absl::IsNotFound(store.status())) return contents;
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return contents;
    const auto iterator = (*store)->NewIterator().value();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      contents.emplace(iterator->key(), iterator->value());
    }
    EXPECT_TRUE(iterator->status().ok()) << iterator->status();
    contents.erase("writable");
    if (!read_only) {
      EXPECT_TRUE((*store)->Put("writable", "yes").ok());
    }
    return contents;
  }
  static Contents OfThread(const Contents& all, size_t thread) {
    const std::string prefix = absl::StrCat(thread, ".");
    return Contents(all.lower_bound(prefix),
                    all.lower_bound(absl::StrCat(thread, "/")));
  }

  // Groups of kills: small ones make fresh stores, in which the first open is
  // killed too.
  void RunAll(const std::string& place, bool mapped, uint64_t first_seed) {
    const uint64_t groups = FromEnvironment("STAVE_SEEDS", 20);
    for (uint64_t seed = first_seed; seed < first_seed + groups; ++seed) {
      if (IsLeftOut(seed)) continue;
      Run({seed, place, mapped}, /*times=*/seed % 4 == 0 ? 3 : 8);
      ASSERT_FALSE(HasFailure())
          << HowToReplay("//tests/model:kill_test", seed);
    }
  }

 private:
  std::string path_;
  Options options_;
  WrittenFileSystem written_{PosixFileSystem()};
};

TEST_F(KillTest, NothingAcknowledgedIsLostInMemory) {
  RunAll(PlaceInMemory(), /*mapped=*/true, 1000);
}

TEST_F(KillTest, NothingAcknowledgedIsLostOnADisk) {
  RunAll(PlaceOnDisk(), /*mapped=*/true, 2000);
}

TEST_F(KillTest, NothingAcknowledgedIsLostWhereTheLogIsWritten) {
  RunAll(PlaceInMemory(), /*mapped=*/false, 3000);
}

}  // namespace
}  // namespace stave
