#ifndef STAVE_TESTS_ENGINE_CORE_MERGE_FIXTURE_H_
#define STAVE_TESTS_ENGINE_CORE_MERGE_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/merge.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {

// Merges, seen from outside: they change nothing but what the files take.
class MergeTest : public StoreFixture {
 protected:
  MergeTest() {
    options.segment_size_bytes = 2048;
    options.background_merge = false;
    options.file_system = &disk_;
    Open();
  }

  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const std::string key = absl::StrCat("key", i);
      contents_[key] = ValueOf(i, 100);
      Put(key, contents_[key]);
    }
  }
  void DeleteNumber(int number) {
    const std::string key = absl::StrCat("key", number);
    EXPECT_TRUE(Delete(key));
    contents_.erase(key);
  }
  // The bound of Options::max_space_amplification.
  void ExpectBound() {
    const Statistics stat = Stat();
    ASSERT_LE(
        static_cast<double>(stat.segment_bytes - stat.pinned_bytes),
        options.max_space_amplification * static_cast<double>(stat.live_bytes) +
            2 * static_cast<double>(options.segment_size_bytes))
        << "with " << stat.live_bytes << " live bytes in " << stat.segments
        << " segments";
  }
  // All that has been written so far is in sealed segments from now on. One
  // record more is in the next.
  void FillSegment() {
    const uint64_t segments = Stat().segments;
    do {
      Put("filler", ValueOf(0, 300));
    } while (Stat().segments == segments);
    contents_["filler"] = ValueOf(0, 300);
  }
  // Sixty keys, of each third one the first version is dead.
  void MakeHalfDead() {
    PutNumbers(0, 60);
    for (int i = 0; i < 60; i += 3) {
      contents_[absl::StrCat("key", i)] = ValueOf(1000 + i, 90);
      Put(absl::StrCat("key", i), ValueOf(1000 + i, 90));
    }
    for (int i = 1; i < 60; i += 3) DeleteNumber(i);
  }

  void Merge(bool all = true) {
    const absl::Status status = store().Merge({.all = all});
    EXPECT_TRUE(status.ok()) << status;
  }
  MergePlan Plan(bool all) { return store().PlanMerge({.all = all}).value(); }
  Statistics Stat() { return store().GetStatistics(); }
  uint64_t SegmentFiles() const {
    uint64_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      files += entry.path().extension() == ".seg";
    }
    return files;
  }
  void ExpectContents() {
    EXPECT_EQ(All(), contents_);
    for (const auto& [key, value] : contents_) EXPECT_EQ(Get(key), value);
  }
  void ExpectContentsNowAndLater() {
    ExpectContents();
    Reopen();
    ExpectContents();
    Kill();
    Open();
    ExpectContents();
  }
  // The key whose value stands last in `bytes`.
  std::string LastKeyIn(const std::string& bytes) const {
    std::string last;
    size_t last_at = 0;
    for (const auto& [key, value] : contents_) {
      const size_t at = bytes.rfind(value);
      if (at == bytes.npos || at <= last_at) continue;
      last_at = at;
      last = key;
    }
    return last;
  }
  FaultyFileSystem disk_{PosixFileSystem()};
  Contents contents_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_MERGE_FIXTURE_H_
