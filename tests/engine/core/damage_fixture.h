#ifndef STAVE_TESTS_ENGINE_CORE_DAMAGE_FIXTURE_H_
#define STAVE_TESTS_ENGINE_CORE_DAMAGE_FIXTURE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {

// A store of a few small segments whose files get damaged. FORMAT.md: a segment
// has a header of 32 bytes, then records.
class DamageFixture : public StoreFixture {
 protected:
  DamageFixture() {
    options.segment_size_bytes = 512;
    Open();
    for (int i = 0; i < 20; ++i) PutNumber(i);
  }

  void PutNumber(int i) {
    const std::string key = absl::StrCat("key", i);
    contents_[key] = ValueOf(i, 80);
    Put(key, contents_[key]);
  }

  // Open reads each segment when there are no hint files; what it does when
  // there are some, the tests of hints say.
  void CloseWithoutHints() {
    Close();
    WriteDirectory(path(), WithoutHints(Image()));
  }

  void Damage(const std::string& name, size_t offset) {
    FlipBit(PathOf(name), offset);
  }

  // Open must refuse, name all of `mentioned`, and change nothing.
  void ExpectDataLoss(const std::vector<std::string>& mentioned) {
    options.read_only = true;
    ExpectDataLossForWriters(mentioned);
    options.read_only = false;
    ExpectDataLossForWriters(mentioned);
  }
  void ExpectDataLossForWriters(const std::vector<std::string>& mentioned) {
    const DirectoryImage before = Image();
    const absl::Status status = TryOpen();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    for (const std::string& text : mentioned) {
      EXPECT_NE(std::string(status.message()).find(text), std::string::npos)
          << text << " is not in: " << status;
    }
    EXPECT_EQ(Difference(before, Image()), "");
  }

  std::string Segment(size_t index) const {
    return SegmentNames(Image()).at(index);
  }
  std::string LastSegment() const { return SegmentNames(Image()).back(); }
  std::string Manifest() const { return ManifestName(Image()); }

  Contents contents_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_DAMAGE_FIXTURE_H_
