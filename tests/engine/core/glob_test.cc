#include "stave/glob.h"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace stave {
namespace {

// Up to `most` bytes of `alphabet`.
std::string Text(size_t most, std::string_view alphabet,
                 std::mt19937_64& random) {
  std::string text(random() % (most + 1), '\0');
  for (char& byte : text) byte = alphabet[random() % alphabet.size()];
  return text;
}

bool Matches(std::string_view pattern, std::string_view key) {
  return Glob(pattern).Matches(key);
}

TEST(GlobTest, APatternWithoutWildcardsIsTheKeyItself) {
  EXPECT_TRUE(Matches("user:1", "user:1"));
  EXPECT_FALSE(Matches("user:1", "user:12"));
  EXPECT_FALSE(Matches("user:12", "user:1"));
  EXPECT_FALSE(Matches("user:1", "User:1"));
  EXPECT_TRUE(Matches("", ""));
  EXPECT_FALSE(Matches("", "a"));
}

TEST(GlobTest, AStarStandsForAnyBytes) {
  EXPECT_TRUE(Matches("*", ""));
  EXPECT_TRUE(Matches("*", "anything"));
  EXPECT_TRUE(Matches("user:*", "user:"));
  EXPECT_TRUE(Matches("user:*", "user:1"));
  EXPECT_TRUE(Matches("*:1", "user:1"));
  EXPECT_TRUE(Matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(Matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(Matches("**", "x"));
}

TEST(GlobTest, AQuestionMarkStandsForOneByte) {
  EXPECT_TRUE(Matches("h?llo", "hello"));
  EXPECT_FALSE(Matches("h?llo", "hllo"));
  EXPECT_FALSE(Matches("?", ""));
  EXPECT_FALSE(Matches("h?llo", "h\xc3\xa4llo"));
  EXPECT_TRUE(Matches("h??llo", "h\xc3\xa4llo"));
}

TEST(GlobTest, AClassStandsForOneOfItsBytes) {
  EXPECT_TRUE(Matches("h[ae]llo", "hello"));
  EXPECT_TRUE(Matches("h[ae]llo", "hallo"));
  EXPECT_FALSE(Matches("h[ae]llo", "hillo"));
  EXPECT_TRUE(Matches("[0-9a-f]", "c"));
  EXPECT_FALSE(Matches("[0-9a-f]", "g"));
  EXPECT_TRUE(Matches("[z-a]", "m"));
  EXPECT_TRUE(Matches("[\x80-\xff]", "\xc3"));
  EXPECT_FALSE(Matches("[a]", ""));
}

TEST(GlobTest, ANegatedClassStandsForAllOtherBytes) {
  EXPECT_TRUE(Matches("h[^e]llo", "hallo"));
  EXPECT_FALSE(Matches("h[^e]llo", "hello"));
  EXPECT_FALSE(Matches("[^a-z]", "q"));
  EXPECT_TRUE(Matches("[^a-z]", "Q"));
  EXPECT_TRUE(Matches("[a^]", "^"));
}

TEST(GlobTest, ABackslashTakesTheMeaningAway) {
  EXPECT_TRUE(Matches("\\*", "*"));
  EXPECT_FALSE(Matches("\\*", "a"));
  EXPECT_TRUE(Matches("a\\[b", "a[b"));
  EXPECT_TRUE(Matches("\\\\", "\\"));
  EXPECT_TRUE(Matches("[\\]]", "]"));
  EXPECT_TRUE(Matches("[a\\-z]", "-"));
  EXPECT_FALSE(Matches("[a\\-z]", "m"));
}

// The same as what Redis makes of them.
TEST(GlobTest, UnfinishedPatternsHaveAMeaning) {
  EXPECT_TRUE(Matches("[abc", "b"));
  EXPECT_FALSE(Matches("[abc", "d"));
  EXPECT_FALSE(Matches("[", "["));
  EXPECT_FALSE(Matches("[]", "]"));
  EXPECT_TRUE(Matches("[^]", "x"));
  EXPECT_TRUE(Matches("a\\", "a\\"));
  EXPECT_TRUE(Matches("[a-", "-"));
}

TEST(GlobTest, HostilePatternsTakeBoundedTime) {
  const std::string key(20000, 'a');
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  EXPECT_TRUE(Matches(pattern, key));
  EXPECT_FALSE(Matches(pattern + "*b", key));
  EXPECT_FALSE(Matches(pattern + "*[b-z", key));
}

// The rules in their plainest form, which takes exponential time.
bool Simply(std::string_view pattern, std::string_view key) {
  if (pattern.empty()) return key.empty();
  if (pattern[0] == '*') {
    return Simply(pattern.substr(1), key) ||
           (!key.empty() && Simply(pattern, key.substr(1)));
  }
  if (key.empty()) return false;
  if (pattern[0] == '?') return Simply(pattern.substr(1), key.substr(1));
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return pattern[0] == key[0] && Simply(pattern.substr(1), key.substr(1));
}

TEST(GlobTest, AgreesWithThePlainestForm) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 200000; ++i) {
    const std::string pattern = Text(8, "ab*?\\", random);
    const std::string key = Text(8, "ab*\\", random);
    ASSERT_EQ(Matches(pattern, key), Simply(pattern, key))
        << pattern << " " << key;
  }
}

TEST(GlobTest, AnyBytesAreAPattern) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 100000; ++i) {
    const Glob glob(Text(12, "a-z[]^\\*?", random));
    const std::string key = Text(6, "a-z]\\", random);
    if (glob.Matches(key)) {
      ASSERT_TRUE(key.starts_with(glob.LiteralPrefix())) << key;
    }
  }
}

TEST(GlobTest, ThePrefixEndsBeforeTheFirstWildcard) {
  EXPECT_EQ(Glob("user:*").LiteralPrefix(), "user:");
  EXPECT_EQ(Glob("a\\*b?c").LiteralPrefix(), "a*b");
  EXPECT_EQ(Glob("[ab]").LiteralPrefix(), "");
  EXPECT_EQ(Glob("key").LiteralPrefix(), "key");
  EXPECT_EQ(Glob("key\\").LiteralPrefix(), "key\\");
}

}  // namespace
}  // namespace stave
