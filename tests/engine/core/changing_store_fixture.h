#ifndef STAVE_TESTS_ENGINE_CORE_CHANGING_STORE_FIXTURE_H_
#define STAVE_TESTS_ENGINE_CORE_CHANGING_STORE_FIXTURE_H_

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "stave/write_batch.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {

// A store of small segments that changes much, for those who compare what it
// shows when parts of it are gone.
class ChangingStoreFixture : public StoreFixture {
 protected:
  ChangingStoreFixture() {
    options.segment_size_bytes = 2048;
    options.file_system = &faults_;
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const std::string key = absl::StrCat("key", i);
      contents_[key] = ValueOf(i, 100);
      Put(key, contents_[key]);
    }
  }
  void MakeStore() {
    Open();
    PutNumbers(0, 100);
    Close();
  }
  // Puts, deletes, batches and expiries, some large, over and over.
  void ChangeAtRandom(unsigned seed, int changes) {
    std::mt19937 random(seed);
    for (int i = 0; i < changes; ++i) {
      const std::string key = absl::StrCat("key", random() % 50);
      const size_t size =
          random() % 10 == 0 ? 1000 + random() % 900 : random() % 100;
      switch (random() % 5) {
        case 0:
          Delete(key);
          break;
        case 1: {
          WriteBatch batch;
          batch.Put(key, ValueOf(i, size / 2));
          batch.Delete(absl::StrCat("key", random() % 50));
          batch.Put(absl::StrCat("key", random() % 50), ValueOf(i, 7));
          Write(batch);
          break;
        }
        case 2:
          Put(key, ValueOf(i, size), {.ttl = absl::Hours(1 + random() % 5)});
          break;
        default:
          Put(key, ValueOf(i, size));
      }
      if (random() % 20 == 0) clock.Advance(absl::Minutes(10));
    }
  }
  // What the open store shows, and counts.
  std::string Shown() {
    std::string shown;
    for (const auto& [key, value] : All()) {
      absl::StrAppend(&shown, key, "=", value, "\n");
      EXPECT_EQ(Get(key), value);
    }
    const Statistics statistics = store().GetStatistics();
    absl::StrAppend(&shown, statistics.keys, " keys, ", statistics.live_bytes,
                    " live, ", statistics.dead_bytes, " dead");
    return shown;
  }

  FaultyFileSystem faults_{PosixFileSystem()};
  Contents contents_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_CHANGING_STORE_FIXTURE_H_
