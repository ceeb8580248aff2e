#include "engine/format/file_names.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr uint64_t kGreatest = std::numeric_limits<uint64_t>::max();

TEST(FileNamesTest, SegmentsAreNamedBySixteenHexadecimalDigits) {
  EXPECT_EQ(SegmentFileName(1), "0000000000000001.seg");
  EXPECT_EQ(SegmentFileName(0x1234567890abcdef), "1234567890abcdef.seg");
  EXPECT_EQ(SegmentFileName(kGreatest), "ffffffffffffffff.seg");
}

TEST(FileNamesTest, HintFilesAreNamedAsTheirSegmentsAre) {
  EXPECT_EQ(HintFileName(0xab), "00000000000000ab.hint");
  EXPECT_EQ(ParseHintFileName("00000000000000ab.hint"), 0xabu);
  EXPECT_EQ(ParseHintFileName("00000000000000ab.seg"), std::nullopt);
  EXPECT_EQ(ParseSegmentFileName("00000000000000ab.hint"), std::nullopt);
  for (const char* name : {".hint", "1.hint", "00000000000000AB.hint",
                           "00000000000000ab.hint2", "00000000000000ab"}) {
    EXPECT_EQ(ParseHintFileName(name), std::nullopt) << name;
    EXPECT_FALSE(IsStoreFileName(name)) << name;
  }
}

TEST(FileNamesTest, ManifestsAreNamedByADecimalNumber) {
  EXPECT_EQ(ManifestFileName(1), "MANIFEST-1");
  EXPECT_EQ(ManifestFileName(kGreatest), "MANIFEST-18446744073709551615");
}

TEST(FileNamesTest, NamesLeadBackToTheirNumbers) {
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{255},
                                uint64_t{1} << 63, kGreatest}) {
    EXPECT_EQ(ParseSegmentFileName(SegmentFileName(number)), number);
    EXPECT_EQ(ParseHintFileName(HintFileName(number)), number);
    EXPECT_EQ(ParseManifestFileName(ManifestFileName(number)), number);
  }
}

TEST(FileNamesTest, NamesOutsideTheGrammarAreNotSegments) {
  for (const char* name :
       {"", ".seg", "1.seg", "000000000000001.seg", "00000000000000001.seg",
        "0000000000000001", "0000000000000001.SEG", "0000000000000001.seg ",
        "0000000000000001.seg.old", "00000000000000AB.seg",
        "000000000000000g.seg", "0x00000000000001.seg", "-000000000000001.seg",
        "+000000000000001.seg", " 000000000000001.seg", "0000000000000001.hin",
        "../0000000000000001.seg"}) {
    EXPECT_EQ(ParseSegmentFileName(name), std::nullopt) << name;
    EXPECT_FALSE(IsStoreFileName(name)) << name;
  }
}

TEST(FileNamesTest, NamesOutsideTheGrammarAreNotManifests) {
  for (const char* name :
       {"MANIFEST", "MANIFEST-", "MANIFEST-01", "MANIFEST-000001",
        "MANIFEST--1", "MANIFEST-+1", "MANIFEST- 1", "MANIFEST-1 ",
        "MANIFEST-1a", "MANIFEST-0x1", "manifest-1", "MANIFEST_1",
        "MANIFEST-18446744073709551616", "MANIFEST-99999999999999999999"}) {
    EXPECT_EQ(ParseManifestFileName(name), std::nullopt) << name;
    EXPECT_FALSE(IsStoreFileName(name)) << name;
  }
}

TEST(FileNamesTest, ACheckpointIsNamedByItsGeneration) {
  EXPECT_EQ(CheckpointFileName(12), "KEYDIR-12");
  EXPECT_EQ(ParseCheckpointFileName("KEYDIR-12"), 12u);
  EXPECT_EQ(ParseManifestFileName("KEYDIR-12"), std::nullopt);
  EXPECT_EQ(ParseCheckpointFileName("MANIFEST-12"), std::nullopt);
  for (const char* name :
       {"KEYDIR", "KEYDIR-", "KEYDIR-01", "KEYDIR--1", "KEYDIR-1a", "keydir-1",
        "KEYDIR-1.tmp", "KEYDIR-18446744073709551616"}) {
    EXPECT_EQ(ParseCheckpointFileName(name), std::nullopt) << name;
    EXPECT_FALSE(IsStoreFileName(name)) << name;
  }
}

TEST(FileNamesTest, ADictionaryIsNamedByItsId) {
  EXPECT_EQ(DictionaryFileName(12), "DICTIONARY-12");
  EXPECT_EQ(ParseDictionaryFileName("DICTIONARY-12"), 12u);
  EXPECT_EQ(ParseDictionaryFileName("KEYDIR-12"), std::nullopt);
  EXPECT_TRUE(IsStoreFileName("DICTIONARY-12"));
  for (const char* name : {"DICTIONARY", "DICTIONARY-", "DICTIONARY-01",
                           "DICTIONARY-1a", "dictionary-1"}) {
    EXPECT_EQ(ParseDictionaryFileName(name), std::nullopt) << name;
    EXPECT_FALSE(IsStoreFileName(name)) << name;
  }
}

TEST(FileNamesTest, AStoreHasALockSegmentsHintFilesAndManifests) {
  EXPECT_TRUE(IsStoreFileName("LOCK"));
  EXPECT_TRUE(IsStoreFileName("RESERVE"));
  EXPECT_TRUE(IsStoreFileName("MANIFEST-12"));
  EXPECT_TRUE(IsStoreFileName("KEYDIR-12"));
  EXPECT_TRUE(IsStoreFileName("000000000000000c.seg"));
  EXPECT_TRUE(IsStoreFileName("000000000000000c.hint"));
  EXPECT_FALSE(IsStoreFileName("lock"));
  EXPECT_FALSE(IsStoreFileName("README"));
}

}  // namespace
}  // namespace stave
