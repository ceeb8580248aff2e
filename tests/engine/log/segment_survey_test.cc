#include "engine/log/segment_survey.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/types.h"
#include "engine/format/dictionary.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/file_window.h"
#include "gtest/gtest.h"
#include "tests/engine/format/segment_image.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

// The output of a merge, each of whose puts takes 32 bytes, and what a survey
// finds in it.
class OutputSurveyTest : public testing::Test {
 protected:
  OutputSurveyTest() {
    for (const Sequence sequence : {40, 7, 93, 12, 55, 21}) {
      image_.SetNextSequence(sequence);
      image_.Put(std::string(1, static_cast<char>('a' + sequence % 26)), "val");
    }
  }

  uint64_t Place(int record) const {
    return kSegmentHeaderBytes + 32 * static_cast<uint64_t>(record);
  }
  void Flip(uint64_t offset) { image_.bytes()[offset] ^= 1; }

  SegmentSurvey Survey() const {
    auto directory = PosixFileSystem()->OpenDirectory(temporary_.path());
    EXPECT_TRUE(directory.ok());
    (*directory)->Unlink("segment").IgnoreError();
    auto file = (*directory)->CreateFile("segment");
    EXPECT_TRUE(file.ok() && (*file)->Write(0, image_.bytes()).ok());
    FileWindow window(file->get(), image_.size());
    SegmentToSurvey segment;
    segment.dictionaries = &dictionaries_;
    segment.seed = image_.seed();
    segment.kind = SegmentKind::kMerged;
    segment.length = image_.size();
    segment.first = 7;
    segment.greatest = 93;
    return SurveySegment(&window, segment);
  }

  const TemporaryDirectory temporary_;
  const DictionarySet dictionaries_;
  SegmentImage image_{{SegmentKind::kMerged, 7, 0x5a17}};
};

TEST_F(OutputSurveyTest, SequencesComeInAnyOrder) {
  const SegmentSurvey found = Survey();
  EXPECT_TRUE(found.bad.empty());
  EXPECT_EQ(found.summary.records, 6u);
  EXPECT_EQ(found.summary.least_sequence, 7u);
  EXPECT_EQ(found.summary.greatest_sequence, 93u);
  EXPECT_EQ(found.last_known, 93u);
}

TEST_F(OutputSurveyTest, ABadHeaderHidesWhatTheSegmentCanHold) {
  Flip(Place(2) + 9);
  const SegmentSurvey found = Survey();
  ASSERT_EQ(found.bad.size(), 1u);
  EXPECT_EQ(found.bad[0].bytes, (ByteRange{Place(2), Place(3)}));
  EXPECT_EQ(found.bad[0].first, 0u);
  EXPECT_EQ(found.bad[0].last, 93u);
  EXPECT_EQ(found.summary.records, 5u);
}

TEST_F(OutputSurveyTest, ABadBodyHidesOneRecord) {
  Flip(Place(3) + 25);
  const SegmentSurvey found = Survey();
  ASSERT_EQ(found.bad.size(), 1u);
  EXPECT_TRUE(found.bad[0].header_is_sound);
  EXPECT_EQ(found.bad[0].first, 12u);
  EXPECT_EQ(found.bad[0].last, 12u);
}

TEST_F(OutputSurveyTest, NoRecordIsLeftOutAsPartOfABatch) {
  std::fill_n(image_.bytes().begin() + static_cast<ptrdiff_t>(Place(1)), 64,
              '\0');
  Flip(Place(4) + 25);
  const SegmentSurvey found = Survey();
  EXPECT_EQ(found.bad.size(), 2u);
  EXPECT_TRUE(found.left_out.empty());
  EXPECT_EQ(found.changes, 3u);
}

TEST_F(OutputSurveyTest, AMarkHasNoPlaceInIt) {
  image_.Mark(32);
  const SegmentSurvey found = Survey();
  EXPECT_EQ(found.bad.size(), 1u);
  EXPECT_TRUE(found.synced_lengths.empty());
}

}  // namespace
}  // namespace stave
