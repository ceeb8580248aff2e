#include "engine/base/utf8.h"

#include <cstddef>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace stave {
namespace {

TEST(Utf8Test, SequencesOfEveryLengthAreWellFormed) {
  EXPECT_EQ(Utf8SequenceLength("A"), 1u);
  EXPECT_EQ(Utf8SequenceLength("\xc3\xa4x"), 2u);
  EXPECT_EQ(Utf8SequenceLength("\xe2\x82\xacx"), 3u);
  EXPECT_EQ(Utf8SequenceLength("\xf0\x9f\x90\x98x"), 4u);
  EXPECT_EQ(Utf8SequenceLength(std::string(1, '\0')), 1u);
}

TEST(Utf8Test, EveryCodePointIsWellFormedExceptSurrogates) {
  for (unsigned point = 0x800; point < 0x10000; ++point) {
    const std::string bytes = {static_cast<char>(0xe0 | point >> 12),
                               static_cast<char>(0x80 | (point >> 6 & 0x3f)),
                               static_cast<char>(0x80 | (point & 0x3f))};
    const bool is_surrogate = point >= 0xd800 && point < 0xe000;
    ASSERT_EQ(IsUtf8(bytes), !is_surrogate) << std::hex << point;
  }
}

TEST(Utf8Test, OverlongFormsAreNotWellFormed) {
  EXPECT_FALSE(IsUtf8("\xc0\x80"));
  EXPECT_FALSE(IsUtf8("\xc1\xbf"));
  EXPECT_FALSE(IsUtf8("\xe0\x9f\xbf"));
  EXPECT_FALSE(IsUtf8("\xf0\x8f\xbf\xbf"));
}

TEST(Utf8Test, WhatIsBeyondUnicodeIsNotWellFormed) {
  EXPECT_TRUE(IsUtf8("\xf4\x8f\xbf\xbf"));
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(IsUtf8("\xf5\x80\x80\x80"));
  EXPECT_FALSE(IsUtf8("\xff"));
}

TEST(Utf8Test, SequencesThatEndEarlyAreNotWellFormed) {
  const std::string elephant = "\xf0\x9f\x90\x98";
  for (size_t size = 1; size < elephant.size(); ++size) {
    EXPECT_FALSE(IsUtf8(elephant.substr(0, size))) << size;
    EXPECT_FALSE(IsUtf8(elephant.substr(0, size) + "A")) << size;
  }
  EXPECT_EQ(Utf8SequenceLength(""), 0u);
}

TEST(Utf8Test, APrefixCutsNoSequence) {
  const std::string text = "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98";
  const size_t ends[] = {3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t most = 4; most < 4 + std::size(ends); ++most) {
    EXPECT_EQ(Utf8Prefix(text, most), text.substr(0, ends[most - 4])) << most;
  }
  EXPECT_EQ(Utf8Prefix("", 4), "");
}

TEST(Utf8Test, ControlCharactersHaveOneByteOrTwo) {
  EXPECT_TRUE(IsControlCharacter("\n"));
  EXPECT_TRUE(IsControlCharacter("\x7f"));
  EXPECT_TRUE(IsControlCharacter("\xc2\x9b"));
  EXPECT_FALSE(IsControlCharacter(" "));
  EXPECT_FALSE(IsControlCharacter("\xc2\xa0"));
  EXPECT_FALSE(IsControlCharacter("\xe2\x82\xac"));
}

}  // namespace
}  // namespace stave
