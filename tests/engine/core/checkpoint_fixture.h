#ifndef STAVE_TESTS_ENGINE_CORE_CHECKPOINT_FIXTURE_H_
#define STAVE_TESTS_ENGINE_CORE_CHECKPOINT_FIXTURE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/format/hint.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/changing_store_fixture.h"
#include "tests/engine/core/directory_image.h"

namespace stave {

// Keydir checkpoints, seen from outside: what a store is, it is without them.
class CheckpointTest : public ChangingStoreFixture,
                       public testing::WithParamInterface<KeydirKind> {
 protected:
  CheckpointTest() {
    options.keydir = GetParam();
    options.checkpoint_min_keys = 0;
    options.checkpoint_interval_bytes = 64;
  }

  // What both kinds have in common the first one shows.
  static unsigned Seeds(unsigned number) {
    return GetParam() == KeydirKind::kHash ? number : number / 3;
  }

  static bool IsCheckpoint(const std::string& name) {
    return name.starts_with("KEYDIR-");
  }
  static DirectoryImage Without(DirectoryImage image) {
    std::erase_if(image,
                  [](const auto& file) { return IsCheckpoint(file.first); });
    return image;
  }
  static std::vector<std::string> CheckpointNames(const DirectoryImage& image) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : image) {
      if (IsCheckpoint(name)) names.push_back(name);
    }
    return names;
  }
  // Of the only one.
  static std::string CheckpointName(const DirectoryImage& image) {
    const std::vector<std::string> names = CheckpointNames(image);
    EXPECT_EQ(names.size(), 1u);
    return names.empty() ? "none" : names.front();
  }
  std::string CheckpointName() const { return CheckpointName(Image()); }
  // Changes keys until another checkpoint is written.
  void ChangeUntilThereIsAnother() {
    const uint64_t written = store().GetStatistics().checkpoints;
    for (int i = 0; store().GetStatistics().checkpoints == written; ++i) {
      ASSERT_LT(i, 1000);
      Put(absl::StrCat("key", i % 30), ValueOf(i, 150));
    }
  }
  // What the store in `image` shows, and counts.
  std::string StateOf(const DirectoryImage& image) {
    WriteDirectory(path(), image);
    Open();
    const std::string state = absl::StrCat(
        Shown(), ", ", store().GetStatistics().hint_bytes, " in hints");
    Close();
    return state;
  }
  // Spoils what stands behind the headers of segments, or of these and of hint
  // files: an open that has to read one refuses.
  static DirectoryImage WithoutRecords(DirectoryImage image) {
    for (const std::string& name : SegmentNames(image)) {
      std::string& bytes = image[name];
      for (size_t at = 32; at < bytes.size(); ++at) bytes[at] = '#';
    }
    return image;
  }
  static DirectoryImage WithoutRecordsAndHints(DirectoryImage image) {
    for (auto& [name, bytes] : image) {
      if (!name.ends_with(".hint")) continue;
      for (size_t at = kHintHeaderBytes; at < bytes.size(); ++at) {
        bytes[at] = '#';
      }
    }
    return WithoutRecords(std::move(image));
  }
  // Opens from the checkpoint alone.
  bool OpensFrom(const DirectoryImage& image) {
    WriteDirectory(path(), WithoutRecordsAndHints(image));
    const absl::Status status = TryOpen();
    if (status.ok()) Close();
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    return status.ok();
  }
  void ExpectTheSameWithout(const DirectoryImage& image) {
    const std::string state = StateOf(Without(image));
    EXPECT_EQ(StateOf(image), state);
  }
};

// The tests of `suite` for each kind of keydir.
#define FOR_EACH_KEYDIR(suite)                                       \
  INSTANTIATE_TEST_SUITE_P(                                          \
      Keydirs, suite,                                                \
      testing::Values(KeydirKind::kHash, KeydirKind::kOrdered),      \
      [](const auto& kind) {                                         \
        return kind.param == KeydirKind::kHash ? "Hash" : "Ordered"; \
      })

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_CHECKPOINT_FIXTURE_H_
