#include "tools/stave/arguments.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stave::tool {
namespace {

using testing::ElementsAre;

TEST(ArgumentsTest, NamesAndFlagsStayAsTheyAre) {
  EXPECT_THAT(ProtectArguments({"get", "--raw", "-h", "user:1", "a/b", "7"}),
              ElementsAre("get", "--raw", "-h", "user:1", "a/b", "7"));
}

TEST(ArgumentsTest, WhatMightBeInterpretedIsProtected) {
  for (const char* text : {"[a,b]", "{}", "++", "%%", "", "-", "\x01", " x"}) {
    const std::vector<std::string> arguments = ProtectArguments({"get", text});
    EXPECT_EQ(arguments[1], "\x01" + std::string(text));
    EXPECT_EQ(Unprotected(arguments[1]), text);
  }
}

TEST(ArgumentsTest, TheValueOfAFlagIsProtected) {
  EXPECT_THAT(ProtectArguments({"--prefix=[[a]]", "--limit=3", "--to="}),
              ElementsAre("--prefix=\x01[[a]]", "--limit=3", "--to=\x01"));
}

TEST(ArgumentsTest, AllBehindTwoDashesIsProtected) {
  EXPECT_THAT(ProtectArguments({"get", "--", "-k", "--", "a"}),
              ElementsAre("get", "\x01-k", "\x01--",
                          "\x01"
                          "a"));
}

TEST(ArgumentsTest, MessagesLoseTheMarks) {
  EXPECT_EQ(WithoutMarks("not expected: \x01[a] \x01-k"),
            "not expected: [a] -k");
}

}  // namespace
}  // namespace stave::tool
