#include "engine/format/segment_header.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"

namespace stave {
namespace {

// Where FORMAT.md puts these fields.
constexpr size_t kCrcAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kKindAt = 14;

std::string ValidHeader() {
  return EncodeSegmentHeader({SegmentKind::kLog, 42, 0x0123456789abcdef});
}

// Makes the checksum of changed bytes right, as FORMAT.md defines it.
void Reseal(std::string* bytes) {
  const std::string covered = bytes->substr(0, 8) + bytes->substr(12);
  EncodeFixed(Crc32c(covered), &(*bytes)[kCrcAt]);
}

TEST(SegmentHeaderTest, ComesBackAsItWas) {
  const absl::StatusOr<SegmentHeader> header =
      DecodeSegmentHeader(ValidHeader());
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->kind, SegmentKind::kLog);
  EXPECT_EQ(header->id, 42u);
  EXPECT_EQ(header->salt, 0x0123456789abcdef);
}

TEST(SegmentHeaderTest, WhatFollowsItDoesNotMatter) {
  EXPECT_TRUE(DecodeSegmentHeader(ValidHeader() + "records").ok());
}

TEST(SegmentHeaderTest, EveryFlippedBitIsDataLoss) {
  ForEachFlippedBit(ValidHeader(), [](const std::string& damaged) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeSegmentHeader(damaged).status()));
  });
}

TEST(SegmentHeaderTest, EveryTruncationIsDataLoss) {
  ForEachTruncation(ValidHeader(), [](const std::string& cut) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeSegmentHeader(cut).status()));
  });
}

TEST(SegmentHeaderTest, RandomBytesAreDataLoss) {
  ForEachRandomString(100'000, 40, [](const std::string& bytes) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeSegmentHeader(bytes).status()));
  });
}

TEST(SegmentHeaderTest, UnknownVersionSaysWhichOne) {
  std::string bytes = ValidHeader();
  EncodeFixed(uint16_t{258}, &bytes[kVersionAt]);
  Reseal(&bytes);
  const absl::Status status = DecodeSegmentHeader(bytes).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(std::string(status.message()).find("version 258"),
            std::string::npos)
      << status;
}

TEST(SegmentHeaderTest, UnknownKindSaysWhichOne) {
  std::string bytes = ValidHeader();
  bytes[kKindAt] = 77;
  Reseal(&bytes);
  const absl::Status status = DecodeSegmentHeader(bytes).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(std::string(status.message()).find("kind 77"), std::string::npos)
      << status;
}

}  // namespace
}  // namespace stave
