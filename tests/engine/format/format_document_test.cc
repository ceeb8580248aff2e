#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/index/hash_stretch.h"
#include "gtest/gtest.h"
#include "tests/engine/format/segment_image.h"

namespace stave {
namespace {

// FORMAT.md, which must not say anything else than the code does.
class FormatDocumentTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file("engine/FORMAT.md");
    std::ostringstream text;
    text << file.rdbuf();
    text_ = text.str();
    ASSERT_FALSE(text_.empty()) << "the test's data has no engine/FORMAT.md";
  }

  // The lines of the first block between ``` in the section of this title.
  std::vector<std::string> BlockIn(const std::string& title) const {
    const size_t section = text_.find(absl::StrCat("\n## ", title, "\n"));
    const size_t fence = text_.find("\n```\n", section);
    const size_t end = text_.find("\n```\n", fence + 1);
    EXPECT_NE(end, std::string::npos) << "there is no " << title;
    if (end == std::string::npos) return {};
    return absl::StrSplit(text_.substr(fence + 5, end - fence - 5), '\n',
                          absl::SkipEmpty());
  }

 private:
  std::string text_;
};

// A row is an offset in four digits, eight bytes, and what they mean.
std::string BytesOfRow(const std::string& row) {
  std::string bytes;
  for (size_t at = 6; at < 30; at += 3) {
    bytes += static_cast<char>(std::stoi(row.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

TEST_F(FormatDocumentTest, ExampleIsWhatTheCodeWrites) {
  SegmentImage image({SegmentKind::kLog, 1, 0x1122334455667788},
                     /*first_sequence=*/1);
  image.Put("city", "Ulm");
  image.PutExpiring("token", "t", 1'700'000'000'000);
  image.Delete("city");
  image.Mark(SyncMark{1, image.size(), 1'699'999'999'000});
  image.Batch([&] {
    image.Put("a", "1");
    image.Delete("token");
  });

  std::string bytes;
  for (const std::string& row : BlockIn("Example")) {
    EXPECT_EQ(row.substr(0, 6),
              absl::StrCat(absl::Hex(bytes.size(), absl::kZeroPad4), "  "));
    const std::string expected = image.bytes().substr(bytes.size(), 8);
    EXPECT_EQ(absl::BytesToHexString(BytesOfRow(row)),
              absl::BytesToHexString(expected))
        << row;
    bytes += BytesOfRow(row);
  }
  EXPECT_EQ(bytes.size(), image.size());
}

TEST_F(FormatDocumentTest, StretchTableIsTheOneOfTheCode) {
  std::vector<std::string> values;
  for (const std::string& row : BlockIn("Hash of a key")) {
    for (const auto value : absl::StrSplit(row, ' ')) {
      values.emplace_back(value);
    }
  }
  ASSERT_EQ(values.size(), 256u);
  for (uint64_t i = 0; i < values.size(); ++i) {
    const uint64_t stretched = StretchHash(i << 56);
    EXPECT_EQ(values[i],
              absl::StrCat(absl::Hex(stretched >> 32, absl::kZeroPad8)));
  }
}

TEST_F(FormatDocumentTest, StretchRunsAlongStraightLines) {
  std::vector<uint64_t> points;
  for (uint64_t i = 0; i < 256; ++i) {
    points.push_back(StretchHash(i << 56) >> 32);
  }
  points.push_back(uint64_t{1} << 32);
  for (uint64_t i = 0; i < 256; ++i) {
    for (const uint64_t f : {0u, 1u, 0x12345678u, 0xffffffffu}) {
      EXPECT_EQ(StretchHash(i << 56 | f << 24 | 0xabcdef),
                (points[i] << 32) + (points[i + 1] - points[i]) * f);
    }
  }
}

}  // namespace
}  // namespace stave
