#include "tools/stave/tsv.h"

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "stave/limits.h"
#include "tests/tools/stave/random_bytes.h"

namespace stave::tool {
namespace {

using testing::HasSubstr;

std::string Line(const Record& record) {
  std::string line;
  AppendTsv(record, &line);
  return line;
}

// What is wrong with the line.
std::string Problem(std::string_view line) {
  TsvDecoder decoder;
  const absl::StatusOr<Record> record = decoder.Decode(line);
  return record.ok() ? "nothing" : std::string(record.status().message());
}

TEST(TsvTest, ARecordIsKeyTabValue) {
  EXPECT_EQ(Line({"user:1", "Alice"}), "user:1\tAlice");
  EXPECT_EQ(Line({"a\tb", "c\nd\\"}), "a\\tb\tc\\nd\\\\");
  EXPECT_EQ(Line({"key", ""}), "key\t");
}

TEST(TsvTest, AnExpiryIsAThirdColumn) {
  const Record record{"k", "v", absl::FromUnixMillis(1'789'000'000'123)};
  EXPECT_EQ(Line(record), "k\tv\texpire_at_ms=1789000000123");
  TsvDecoder decoder;
  EXPECT_EQ(decoder.Decode(Line(record)).value().expire_at, record.expire_at);
}

TEST(TsvTest, ACarriageReturnBelongsToTheValue) {
  TsvDecoder decoder;
  EXPECT_EQ(decoder.Decode("k\tv\r").value().value, "v\r");
}

TEST(TsvTest, BadLinesAreRefusedWithTheReason) {
  EXPECT_THAT(Problem(""), HasSubstr("no tab"));
  EXPECT_THAT(Problem("key"), HasSubstr("no tab"));
  EXPECT_THAT(Problem("\tvalue"), HasSubstr("key is empty"));
  EXPECT_THAT(Problem("k\\q\tv"), HasSubstr("bad escape '\\q'"));
  EXPECT_THAT(Problem("k\tv\\"), HasSubstr("bad escape"));
  EXPECT_THAT(Problem(std::string(kMaxKeyBytes + 1, 'k') + "\tv"),
              HasSubstr("65536 bytes; a key has at most 65535"));
}

TEST(TsvTest, AThirdColumnThatIsNoExpiryIsRefused) {
  for (const char* line : {"k\tv\t", "k\tv\t1789000000000", "k\tv\tx",
                           "k\tv\texpire_at_ms=", "k\tv\texpire_at_ms=soon",
                           "k\tv\texpire_at_ms=1\tx"}) {
    EXPECT_THAT(Problem(line), HasSubstr("third column")) << line;
  }
  EXPECT_THAT(Problem("k\tv\texpire_at_ms=0"), HasSubstr("more than 0"));
  EXPECT_THAT(Problem("k\tv\texpire_at_ms=-5"), HasSubstr("more than 0"));
}

TEST(TsvTest, TheLongestKeyIsAccepted) {
  EXPECT_EQ(Problem(std::string(kMaxKeyBytes, 'k') + "\tv"), "nothing");
}

TEST(TsvTest, AnyRecordComesBack) {
  RandomBytes random(6);
  TsvDecoder decoder;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = random.Text(1 + random.Number(20));
    const std::string value = random.Text(random.Number(60));
    const std::string line = Line({key, value});
    const absl::StatusOr<Record> record = decoder.Decode(line);
    ASSERT_TRUE(record.ok()) << record.status() << " in round " << i;
    ASSERT_EQ(record->key, key);
    ASSERT_EQ(record->value, value);
  }
}

TEST(TsvTest, DamagedLinesAreReadOrRefused) {
  RandomBytes random(7);
  TsvDecoder decoder;
  for (int i = 0; i < 50000; ++i) {
    const std::string line =
        random.Damaged("user\\n1\tA\\x00\\\\e\texpire_at_ms=1789000000000");
    const absl::StatusOr<Record> record = decoder.Decode(line);
    if (!record.ok()) continue;
    ASSERT_FALSE(record->key.empty()) << line;
    ASSERT_LE(record->key.size() + record->value.size(), line.size());
  }
}

}  // namespace
}  // namespace stave::tool
