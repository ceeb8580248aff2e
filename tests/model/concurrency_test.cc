#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/seeds.h"

namespace stave {
namespace {

constexpr size_t kKeys = 40;

// Threads that read and write one store of small segments at the same time,
// with checks that each can make on its own.
class ConcurrencyTest : public testing::Test {
 protected:
  ConcurrencyTest() : directory_(PlaceInMemory()) {
    options_.segment_size_bytes = 8192;
    options_.sync_interval = absl::Milliseconds(2);
    Open();
  }

  void Open() {
    store_ = nullptr;
    auto opened = Store::Open(directory_.path(), options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  // Starts a thread that runs until `Join`, or until it returns.
  void Start(std::function<void(const std::atomic<bool>& stop)> body) {
    threads_.emplace_back([this, body = std::move(body)] { body(stop_); });
  }
  // Waits for what was started since the last Join; tells it to stop.
  void Join() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    stop_ = false;
  }

  void Put(const std::string& key, const std::string& value,
           const WriteOptions& write = {}) {
    const absl::Status status = store_->Put(key, value, write);
    ASSERT_TRUE(status.ok()) << status;
  }

  static std::string KeyOf(size_t number) {
    return absl::StrCat("key", number);
  }
  // Values tell whose they are, and which version.
  static std::string ValueOf(const std::string& key, uint64_t version) {
    return absl::StrCat(key, "=", version, ";",
                        std::string(version * 7 % 200, 'v'));
  }
  static uint64_t VersionIn(const std::string& key, std::string_view value) {
    const std::string text(value);
    EXPECT_EQ(text.rfind(key + "=", 0), 0u) << text << " is not of " << key;
    const uint64_t version = std::stoull(text.substr(key.size() + 1));
    EXPECT_EQ(text, ValueOf(key, version));
    return version;
  }
  // The version of a key that must be there, read in one of the ways there
  // are.
  uint64_t Read(const std::string& key, uint64_t way) {
    if (way % 3 == 0) {
      const absl::StatusOr<bool> exists = store_->Exists(key);
      EXPECT_TRUE(exists.ok() && *exists) << key;
    }
    if (way % 2 == 0) {
      const absl::StatusOr<std::string> value = store_->Get(key);
      EXPECT_TRUE(value.ok()) << key << ": " << value.status();
      return value.ok() ? VersionIn(key, *value) : 0;
    }
    const absl::StatusOr<PinnedValue> pinned = store_->GetPinned(key);
    EXPECT_TRUE(pinned.ok()) << key << ": " << pinned.status();
    return pinned.ok() ? VersionIn(key, pinned->view()) : 0;
  }

  const uint64_t rounds_ = FromEnvironment("STAVE_ROUNDS", 500);
  TemporaryDirectory directory_;
  Options options_;
  std::unique_ptr<Store> store_;

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

TEST_F(ConcurrencyTest, VersionsNeverGoBackAndKeysNeverVanish) {
  for (size_t i = 0; i < kKeys; ++i) Put(KeyOf(i), ValueOf(KeyOf(i), 1));
  for (int reader = 0; reader < 2; ++reader) {
    Start([this](const std::atomic<bool>& stop) {
      std::array<uint64_t, kKeys> seen{};
      std::minstd_rand random(1);
      while (!stop && !HasFailure()) {
        const size_t i = random() % kKeys;
        const uint64_t version = Read(KeyOf(i), random());
        ASSERT_GE(version, seen[i]);
        seen[i] = version;
      }
    });
  }
  std::vector<std::thread> writers;
  for (size_t writer = 0; writer < 2; ++writer) {
    writers.emplace_back([this, writer] {
      for (uint64_t version = 2; version < rounds_; ++version) {
        for (size_t i = writer; i < kKeys; i += 2) {
          Put(KeyOf(i), ValueOf(KeyOf(i), version),
              {.sync = version % 99 == 0});
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  Join();
  for (size_t i = 0; i < kKeys; ++i) {
    EXPECT_EQ(Read(KeyOf(i), 0), rounds_ - 1);
  }
}

// Batch n puts all keys, or if it is odd deletes them, and notes its number.
TEST_F(ConcurrencyTest, ABatchIsSeenAtOneInstant) {
  Put("number", ValueOf("number", 1));
  for (int reader = 0; reader < 2; ++reader) {
    Start([this](const std::atomic<bool>& stop) {
      std::minstd_rand random(1);
      while (!stop && !HasFailure()) {
        const std::string key = KeyOf(random() % kKeys);
        const uint64_t before = Read("number", 0);
        const absl::StatusOr<std::string> value = store_->Get(key);
        const uint64_t after = Read("number", 0);
        if (value.ok()) {
          const uint64_t version = VersionIn(key, *value);
          ASSERT_LE(before, version);
          ASSERT_LE(version, after);
        } else {
          ASSERT_TRUE(absl::IsNotFound(value.status())) << value.status();
          ASSERT_TRUE(before % 2 == 1 || before < after) << before;
        }
      }
    });
  }
  for (uint64_t number = 2; number < 4 * rounds_; ++number) {
    WriteBatch batch;
    for (size_t i = 0; i < kKeys; ++i) {
      number % 2 == 0 ? batch.Put(KeyOf(i), ValueOf(KeyOf(i), number))
                      : batch.Delete(KeyOf(i));
    }
    batch.Put("number", ValueOf("number", number));
    ASSERT_TRUE(store_->Write(batch).ok());
  }
  Join();
}

class IteratorConcurrencyTest : public ConcurrencyTest,
                                public testing::WithParamInterface<KeydirKind> {
 protected:
  IteratorConcurrencyTest() {
    options_.keydir = GetParam();
    Open();
  }
};

TEST_P(IteratorConcurrencyTest, IteratorsSeeOneInstant) {
  const auto write = [this](uint64_t number) {
    WriteBatch batch;
    for (size_t i = 0; i < kKeys; ++i) {
      batch.Put(KeyOf(i), ValueOf(KeyOf(i), number));
    }
    const absl::Status status = store_->Write(batch);
    ASSERT_TRUE(status.ok()) << status;
  };
  write(1);
  for (int reader = 0; reader < 2; ++reader) {
    Start([this](const std::atomic<bool>& stop) {
      uint64_t seen = 0;
      std::vector<std::unique_ptr<Iterator>> held;
      while (!stop && !HasFailure()) {
        held.push_back(store_->NewIterator().value());
        if (held.size() < 3) continue;
        Iterator& iterator = *held.front();
        std::map<std::string, uint64_t> versions;
        for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
          const std::string key(iterator.key());
          if (key[0] == 'o') continue;
          versions[key] = VersionIn(key, iterator.value());
        }
        ASSERT_TRUE(iterator.status().ok()) << iterator.status();
        ASSERT_EQ(versions.size(), kKeys);
        const uint64_t version = versions.begin()->second;
        for (const auto& [key, each] : versions) ASSERT_EQ(each, version);
        ASSERT_GE(version, seen);
        seen = version;
        held.erase(held.begin());
      }
    });
  }
  Start([this](const std::atomic<bool>& stop) {
    for (uint64_t i = 0; !stop; ++i) {
      const std::string other = absl::StrCat("other", i % 10);
      if (i % 3 == 0) {
        ASSERT_TRUE(store_->Delete(other).ok());
      } else {
        Put(other, "o");
      }
    }
  });
  for (uint64_t number = 2; number < rounds_; ++number) write(number);
  Join();
}

INSTANTIATE_TEST_SUITE_P(Keydirs, IteratorConcurrencyTest,
                         testing::Values(KeydirKind::kHash,
                                         KeydirKind::kOrdered));

// All threads change the same few keys; the counts must come out right.
TEST_F(ConcurrencyTest, CountsAreRightWhenThreadsChangeTheSameKeys) {
  std::vector<std::thread> writers;
  for (uint32_t writer = 0; writer < 4; ++writer) {
    writers.emplace_back([this, writer] {
      std::minstd_rand random(writer + 1);
      for (uint64_t i = 0; i < 10 * rounds_; ++i) {
        const std::string key = KeyOf(random() % 8);
        if (random() % 3 == 0) {
          ASSERT_TRUE(store_->Delete(key, {.sync = i % 999 == 0}).ok());
        } else {
          Put(key, ValueOf(key, random() % 1000));
        }
        if (i % 97 == 0) {
          ASSERT_LE(store_->GetStatistics().keys, 8u);
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(store_->Sync().ok());
  const Statistics before = store_->GetStatistics();
  Open();
  EXPECT_EQ(store_->GetStatistics().keys, before.keys);
  EXPECT_EQ(store_->GetStatistics().live_bytes, before.live_bytes);
}

// Writers that wait for the device, and one that calls Sync.
TEST_F(ConcurrencyTest, DurableWritesShareTheirWaiting) {
  Start([this](const std::atomic<bool>& stop) {
    while (!stop) ASSERT_TRUE(store_->Sync().ok());
  });
  std::vector<std::thread> writers;
  for (size_t writer = 0; writer < 3; ++writer) {
    writers.emplace_back([this, writer] {
      for (uint64_t version = 1; version < rounds_; ++version) {
        Put(KeyOf(writer), ValueOf(KeyOf(writer), version), {.sync = true});
        ASSERT_EQ(Read(KeyOf(writer), version), version);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  Join();
}

// Close ends calls that run, and no write that it lets return OK is lost.
TEST_F(ConcurrencyTest, CloseWhileOthersRun) {
  for (uint64_t round = 0; round < rounds_ / 10; ++round) {
    std::array<std::atomic<uint64_t>, 3> acknowledged{};
    for (size_t writer = 0; writer < acknowledged.size(); ++writer) {
      acknowledged[writer] = 0;
      Start([&, writer](const std::atomic<bool>&) {
        absl::Status status;
        for (uint64_t version = 1; status.ok(); ++version) {
          status = store_->Put(KeyOf(writer), ValueOf(KeyOf(writer), version));
          if (status.ok()) acknowledged[writer] = version;
        }
        EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
      });
    }
    Start([&](const std::atomic<bool>&) {
      absl::Status status;
      while (status.ok() || absl::IsNotFound(status)) {
        status = store_->Get(KeyOf(0)).status();
        if (status.ok()) status = store_->NewIterator().status();
      }
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    });
    while (acknowledged[0] < round % 7 * 20 + 1) std::this_thread::yield();
    const absl::Status closed = store_->Close();
    EXPECT_TRUE(closed.ok()) << closed;
    Join();
    Open();
    for (size_t writer = 0; writer < acknowledged.size(); ++writer) {
      if (acknowledged[writer] == 0) continue;
      EXPECT_EQ(Read(KeyOf(writer), 0), acknowledged[writer]);
    }
  }
}

}  // namespace
}  // namespace stave
