#include "engine/format/snapshot_file.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/json_text.h"
#include "gtest/gtest.h"
#include "stave/options.h"

namespace stave {
namespace {

using Pieces = std::vector<std::string>;

// What the sink was given of a JSON snapshot.
Pieces PiecesOf(const std::vector<SnapshotEntry>& entries) {
  const auto walk = [&entries](SnapshotVisitor visit) {
    for (const SnapshotEntry& entry : entries) {
      if (absl::Status status = visit(entry); !status.ok()) return status;
    }
    return absl::OkStatus();
  };
  Pieces pieces;
  const auto sink = [&pieces](std::string_view bytes) {
    pieces.emplace_back(bytes);
    return absl::OkStatus();
  };
  EXPECT_EQ(WriteSnapshot(SnapshotFormat::kJson, absl::UnixEpoch(), walk, sink),
            absl::OkStatus());
  return pieces;
}

std::string JsonOf(const std::vector<SnapshotEntry>& entries) {
  std::string all;
  for (const std::string& piece : PiecesOf(entries)) all += piece;
  return all;
}

size_t LongestOf(const Pieces& pieces) {
  size_t longest = 0;
  for (const std::string& piece : pieces) {
    longest = std::max(longest, piece.size());
  }
  return longest;
}

std::string Quoted(std::string_view text) {
  std::string json;
  AppendJsonString(text, &json);
  return json;
}

constexpr char kHead[] =
    "{\"version\":1,\"timestamp\":\"1970-01-01T00:00:00Z\",\"data\":{";
constexpr size_t kLong = size_t{200} << 10;
// No piece is longer, whatever it is a piece of.
constexpr size_t kMostPieceBytes = size_t{400} << 10;

// Of `size` bytes or a few more.
std::string Repeated(std::string_view unit, size_t size) {
  std::string text;
  while (text.size() < size) text += unit;
  return text;
}

// However long parts are, in some of these texts they would end so.
TEST(SnapshotFileTest, NoPartEndsWithinACharacter) {
  const std::string key = Repeated("\xc3\xa4", 65'000);
  for (const std::string_view unit :
       {"A", "\"", "\x01", "\xc2\x9b", "\xc3\xa4", "\xe2\x82\xac",
        "\xf0\x9f\x90\x98", "A\xc3\xa4\n\xe2\x82\xac\\\xf0\x9f\x90\x98"}) {
    for (size_t shift = 0; shift < unit.size(); ++shift) {
      const std::string value =
          std::string(shift, 'a') + Repeated(unit, kLong + shift);
      ASSERT_TRUE(JsonOf({{key, value}, {"next", ""}}) ==
                  absl::StrCat(kHead, Quoted(key), ":", Quoted(value),
                               ",\"next\":\"\"}}\n"))
          << shift << " before " << unit;
    }
  }
}

TEST(SnapshotFileTest, PartsInBase64AreNotPadded) {
  const std::string key = Repeated("\xff", 65'000);
  for (size_t more = 0; more < 3; ++more) {
    const std::string value = Repeated("\xff\x01\x02\x03\x04", kLong + more);
    ASSERT_TRUE(
        JsonOf({{key, value}, {"next", "\xff"}}) ==
        absl::StrCat(kHead, "},\"binary\":[{\"key_base64\":\"", Base64(key),
                     "\",\"value_base64\":\"", Base64(value),
                     "\"},{\"key_base64\":\"bmV4dA==\",\"value_base64\":"
                     "\"/w==\"}]}\n"));
  }
}

TEST(SnapshotFileTest, TextsNearTheSizeOfAPartAreWhole) {
  const std::string key = Repeated("\xf0\x9f\x90\x98", 65'000);
  for (const std::string_view end : {"", "\x01", "\xc3\xa4", "\xe2\x82\xac"}) {
    for (const size_t part : {size_t{48} << 10, size_t{64} << 10}) {
      for (size_t size = part - 4; size <= part + 4; ++size) {
        const std::string value = std::string(size, 'a') + std::string(end);
        ASSERT_TRUE(JsonOf({{key, value, absl::FromUnixMillis(7)}}) ==
                    absl::StrCat(kHead, Quoted(key), ":", Quoted(value),
                                 "},\"expire_at_ms\":{", Quoted(key),
                                 ":7}}\n"));
        const std::string bytes = "\xff" + value;
        ASSERT_TRUE(JsonOf({{"k", bytes, absl::FromUnixMillis(7)}}) ==
                    absl::StrCat(kHead,
                                 "},\"binary\":[{\"key_base64\":\"aw==\","
                                 "\"value_base64\":\"",
                                 Base64(bytes), "\",\"expire_at_ms\":7}]}\n"));
      }
    }
  }
}

// Or else a value of 1 GiB would take 6 GB.
TEST(SnapshotFileTest, WhatIsGatheredDoesNotGrowWithAValue) {
  const std::string text(size_t{3} << 20, '\x01');
  EXPECT_LE(LongestOf(PiecesOf({{"text", text}})), kMostPieceBytes);
  EXPECT_LE(LongestOf(PiecesOf({{"binary", text + "\xff"}})), kMostPieceBytes);
}

TEST(SnapshotFileTest, ASmallPairIsOnePiece) {
  const Pieces pieces =
      PiecesOf({{"a", "1"}, {"b", "2", absl::FromUnixMillis(7)}, {"\xff", ""}});
  const Pieces expected = {kHead,
                           "\"a\":\"1\"",
                           ",\"b\":\"2\"",
                           "}",
                           ",\"expire_at_ms\":{",
                           "\"b\":7",
                           "}",
                           ",\"binary\":[",
                           "{\"key_base64\":\"/w==\",\"value_base64\":\"\"}",
                           "]",
                           "}\n"};
  EXPECT_EQ(pieces, expected);
}

}  // namespace
}  // namespace stave
