#include "tools/stave/escape.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/random_bytes.h"

namespace stave::tool {
namespace {

using std::string_literals::operator""s;

// What `text` stands for; "?" where it stands for nothing.
std::string Unescaped(std::string_view text) {
  std::string bytes;
  return Unescape(text, &bytes).ok() ? bytes : "?";
}

TEST(EscapeTest, PrintableTextStandsForItself) {
  EXPECT_EQ(Escaped("user:1 \"Alice\""), "user:1 \"Alice\"");
  EXPECT_EQ(Escaped("B\xc3\xa4r \xf0\x9f\x90\x98"),
            "B\xc3\xa4r \xf0\x9f\x90\x98");
  EXPECT_EQ(Escaped(""), "");
}

TEST(EscapeTest, WhatBreaksALineIsEscaped) {
  EXPECT_EQ(Escaped("a\nb\tc\rd\\e"), "a\\nb\\tc\\rd\\\\e");
}

TEST(EscapeTest, WhatTheTerminalObeysIsEscaped) {
  EXPECT_EQ(Escaped("\0\x1b[2J\x7f"s), "\\x00\\x1b[2J\\x7f");
  EXPECT_EQ(Escaped("\xc2\x9b"), "\\xc2\\x9b");
}

TEST(EscapeTest, BytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(Escaped("\xff"), "\\xff");
  EXPECT_EQ(Escaped("a\xc3"), "a\\xc3");
  EXPECT_EQ(Escaped("\xe2\x82z"), "\\xe2\\x82z");
  EXPECT_EQ(Escaped("\xa4\xc3\xa4"), "\\xa4\xc3\xa4");
}

TEST(EscapeTest, HexDigitsMayBeOfAnyCase) {
  EXPECT_EQ(Unescaped("\\xaB\\x0f"), "\xab\x0f");
}

TEST(EscapeTest, RawBytesAreAccepted) {
  EXPECT_EQ(Unescaped("a\tb\xff\r"), "a\tb\xff\r");
}

TEST(EscapeTest, OtherEscapesAreErrorsThatNameThem) {
  for (const char* text : {"\\", "a\\", "\\q", "\\x", "\\x4", "\\xg0", "\\x0g",
                           "\\N", "\\0", "\\u0041", "ok\\n\\ "}) {
    std::string bytes;
    const absl::Status status = Unescape(text, &bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("escape"));
  }
}

TEST(EscapeTest, EveryByteComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    EXPECT_EQ(Unescaped(Escaped(one)), one) << byte;
    EXPECT_EQ(Unescaped(Escaped("a" + one + "z")), "a" + one + "z") << byte;
  }
}

TEST(EscapeTest, AnyBytesComeBackAndFitALine) {
  RandomBytes random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::string bytes =
        i % 2 == 0 ? random.Text(random.Number(40))
                   : random.Text(random.Number(40), "\\xn0\xc2\x9f\xe2\x82");
    const std::string line = Escaped(bytes);
    ASSERT_EQ(line.find_first_of("\n\t\r\0\x1b\x7f"s), std::string::npos);
    ASSERT_EQ(Unescaped(line), bytes) << "in round " << i;
  }
}

TEST(EscapeTest, DamagedTextIsReadOrRefused) {
  RandomBytes random(2);
  for (int i = 0; i < 20000; ++i) {
    const std::string text =
        random.Damaged("user\\n\\t\\r\\\\\\x00\\xff \xc3\xa4");
    std::string bytes;
    const absl::Status status = Unescape(text, &bytes);
    if (!status.ok()) continue;
    ASSERT_LE(bytes.size(), text.size());
    ASSERT_EQ(Unescaped(Escaped(bytes)), bytes);
  }
}

TEST(EscapeTest, KeysInMessagesAreCut) {
  EXPECT_EQ(Quoted("a\nb"), "'a\\nb'");
  EXPECT_EQ(Quoted(std::string(100, 'k')), "'" + std::string(100, 'k') + "'");
  EXPECT_EQ(Quoted(std::string(101, 'k')),
            "'" + std::string(100, 'k') + "...'");
}

}  // namespace
}  // namespace stave::tool
