#include "tools/stave/shell_parser.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/random_bytes.h"

namespace stave::tool {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Words(std::string_view line) {
  return SplitWords(line).value_or(std::vector<std::string>{"error"});
}

std::string Value(std::string_view line) {
  const absl::StatusOr<SetArguments> set = ParseSet(line);
  return set.ok() ? set->value
                  : "error: " + std::string(set.status().message());
}

TEST(ShellParserTest, WordsHaveSpacesBetweenThem) {
  EXPECT_THAT(Words("  get\tuser:1 \r"), ElementsAre("get", "user:1"));
  EXPECT_THAT(Words(" "), IsEmpty());
}

TEST(ShellParserTest, WithoutQuotesAllBytesStandForThemselves) {
  EXPECT_THAT(Words("a\\n b\"c d'"), ElementsAre("a\\n", "b\"c", "d'"));
}

TEST(ShellParserTest, DoubleQuotesHoldSpacesAndEscapes) {
  EXPECT_THAT(Words(R"("a b" "\n\t\x00\"\\" "")"),
              ElementsAre("a b", "\n\t\0\"\\"s, ""));
}

TEST(ShellParserTest, SingleQuotesHoldAllButThemselves) {
  EXPECT_THAT(Words(R"('a "b"' '\n\'')"), ElementsAre("a \"b\"", "\\n'"));
}

TEST(ShellParserTest, BadQuotesAreErrors) {
  for (const char* line :
       {"\"a", "'", "\"a\\\"", "\"a\"b", "'a''b'", "\"\\q\"", "\"\\x4\""}) {
    EXPECT_FALSE(SplitWords(line).ok()) << line;
  }
}

TEST(ShellParserTest, AValueIsTheRestOfTheLine) {
  EXPECT_EQ(Value("k Alice"), "Alice");
  EXPECT_EQ(Value("k  Alice  B. Smith \r"), "Alice  B. Smith");
  EXPECT_EQ(Value("k C:\\new"), "C:\\new");
  EXPECT_EQ(ParseSet("\"a key\" v").value().key, "a key");
}

TEST(ShellParserTest, AValueInQuotesIsOneWord) {
  EXPECT_EQ(Value("k \" a\\tb \""), " a\tb ");
  EXPECT_EQ(Value("k \"\""), "");
  EXPECT_THAT(Value("k \"a\" b"), HasSubstr("EX SECONDS"));
}

TEST(ShellParserTest, AnExpiryStandsBehindAQuotedValue) {
  EXPECT_EQ(ParseSet("k \"v\" EX 10").value().ttl, absl::Seconds(10));
  EXPECT_EQ(ParseSet("k \"v\" px 10").value().ttl, absl::Milliseconds(10));
  EXPECT_EQ(ParseSet("k v").value().ttl, absl::InfiniteDuration());
  for (const char* rest : {"EX", "EX 0", "EX -1", "EX 1 2", "EX 1m", "IN 5"}) {
    EXPECT_FALSE(ParseSet("k \"v\" " + std::string(rest)).ok()) << rest;
  }
}

TEST(ShellParserTest, ARestThatLooksLikeAnExpiryIsNotGuessedAt) {
  EXPECT_THAT(Value("k v EX 10"), HasSubstr("in quotes"));
  EXPECT_THAT(Value("k v px 5 "), HasSubstr("in quotes"));
  EXPECT_EQ(Value("k EX 10"), "EX 10");
  EXPECT_EQ(Value("k v EX ten"), "v EX ten");
  EXPECT_EQ(Value("k 10"), "10");
}

TEST(ShellParserTest, KeyAndValueMustBeThere) {
  EXPECT_THAT(Value(""), HasSubstr("a key is missing"));
  EXPECT_THAT(Value("k "), HasSubstr("a value is missing"));
}

TEST(ShellParserTest, AnyLineIsReadOrRefused) {
  RandomBytes random(12);
  for (int i = 0; i < 50000; ++i) {
    const std::string line =
        random.Text(random.Number(16), "ab\"'\\ \tnx0EX1\xff");
    (void)SplitWords(line);
    const absl::StatusOr<SetArguments> set = ParseSet(line);
    if (!set.ok()) continue;
    ASSERT_LE(set->value.size(), line.size()) << line;
  }
}

}  // namespace
}  // namespace stave::tool
