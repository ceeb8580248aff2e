#include "tools/stave/json_lines.h"

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "stave/limits.h"
#include "tests/tools/stave/random_bytes.h"

namespace stave::tool {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

std::string Line(const Record& record) {
  std::string line;
  AppendJsonLine(record, &line);
  return line;
}

// What is wrong with the line.
std::string Problem(std::string_view line) {
  JsonLineDecoder decoder;
  const absl::StatusOr<Record> record = decoder.Decode(line);
  return record.ok() ? "nothing" : std::string(record.status().message());
}

TEST(JsonLinesTest, TextStandsAsText) {
  EXPECT_EQ(Line({"user:1", "Alice"}), R"({"key":"user:1","value":"Alice"})");
  EXPECT_EQ(Line({"B\xc3\xa4r", "a\"b\\c\nd\te\rf"}),
            "{\"key\":\"B\xc3\xa4r\",\"value\":\"a\\\"b\\\\c\\nd\\te\\rf\"}");
}

TEST(JsonLinesTest, ControlCharactersAreEscaped) {
  EXPECT_EQ(Line({"k", "\0\x1b\x7f\xc2\x9b"s}),
            R"({"key":"k","value":"\u0000\u001b\u007f\u009b"})");
}

TEST(JsonLinesTest, WhatIsNotUtf8StandsInBase64) {
  EXPECT_EQ(Line({"\0\xff"s, "\xff"}),
            R"({"key_base64":"AP8=","value_base64":"/w=="})");
}

TEST(JsonLinesTest, AnExpiryIsInMilliseconds) {
  const Record record{"k", "v", absl::FromUnixMillis(1'789'000'000'123)};
  EXPECT_EQ(Line(record),
            R"({"key":"k","value":"v","expire_at_ms":1789000000123})");
  JsonLineDecoder decoder;
  EXPECT_EQ(decoder.Decode(Line(record)).value().expire_at, record.expire_at);
}

TEST(JsonLinesTest, FieldsMayStandInAnyOrder) {
  JsonLineDecoder decoder;
  const auto record =
      decoder.Decode(R"( { "value_base64" : "/w==", "key" : "\u00e4\u0000" } )"
                     "\r");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->key, "\xc3\xa4\0"s);
  EXPECT_EQ(record->value, "\xff");
}

TEST(JsonLinesTest, LinesThatAreNoJsonAreRefused) {
  for (const char* line :
       {"", "{", "{]", "key\tvalue", R"({"key":"a","value":"b"}x)",
        R"({"key":"a" "value":"b"})", R"({"key":"a","value":"b)",
        R"({"key":"a","value":"\ud800"})", "{\"key\":\"\xff\"}",
        R"({'key':'a'})", R"({"key":"a","value":"b",})"}) {
    EXPECT_THAT(Problem(line), HasSubstr("not JSON at byte")) << line;
  }
}

TEST(JsonLinesTest, OtherJsonThanOneObjectIsRefused) {
  EXPECT_THAT(Problem("[]"), HasSubstr("an array, not an object"));
  EXPECT_THAT(Problem("\"key\""), HasSubstr("a string, not an object"));
  EXPECT_THAT(Problem("null"), HasSubstr("null, not an object"));
  EXPECT_THAT(Problem("1"), HasSubstr("a number, not an object"));
}

TEST(JsonLinesTest, FieldsAreHeldToTheirTypes) {
  EXPECT_THAT(Problem(R"({"key":1})"), HasSubstr("'key' can not be a number"));
  EXPECT_THAT(Problem(R"({"key":null})"), HasSubstr("can not be null"));
  EXPECT_THAT(Problem(R"({"value":true})"), HasSubstr("can not be true"));
  EXPECT_THAT(Problem(R"({"value":{"a":1}})"), HasSubstr("an object"));
  EXPECT_THAT(Problem(R"({"value":[1]})"), HasSubstr("an array"));
  for (const char* expiry :
       {"\"1\"", "1.5", "1e3", "18446744073709551615", "1e999", "[]"}) {
    const std::string line =
        R"({"key":"k","value":"v","expire_at_ms":)" + std::string(expiry) + "}";
    EXPECT_NE(Problem(line), "nothing") << line;
  }
  EXPECT_THAT(Problem(R"({"key":"k","value":"v","expire_at_ms":0})"),
              HasSubstr("more than 0"));
}

TEST(JsonLinesTest, FieldsMustBeKnownAndThereOnce) {
  EXPECT_THAT(Problem("{}"), HasSubstr("no field 'key'"));
  EXPECT_THAT(Problem(R"({"key":"k"})"), HasSubstr("no field 'value'"));
  EXPECT_THAT(Problem(R"({"key":"k","value":"v","ttl":1})"),
              HasSubstr("unknown field 'ttl'"));
  EXPECT_THAT(Problem(R"({"key":"k","key":"l","value":"v"})"),
              HasSubstr("twice"));
  EXPECT_THAT(Problem(R"({"key":"k","key_base64":"aw==","value":"v"})"),
              HasSubstr("twice"));
}

TEST(JsonLinesTest, LimitsAreKept) {
  EXPECT_THAT(Problem(R"({"key":"","value":"v"})"), HasSubstr("is empty"));
  EXPECT_THAT(Problem(Line({std::string(kMaxKeyBytes + 1, 'k'), ""})),
              HasSubstr("at most 65535"));
  EXPECT_EQ(Problem(Line({std::string(kMaxKeyBytes, 'k'), ""})), "nothing");
}

TEST(JsonLinesTest, BadBase64IsRefused) {
  for (const char* text :
       {"A", "A===", "*", "AP8=x", "A-_=", "YQ", "YR==", "YQ==\\n"}) {
    const std::string line =
        R"({"key":"k","value_base64":")" + std::string(text) + "\"}";
    EXPECT_THAT(Problem(line), HasSubstr("not base64")) << line;
  }
}

TEST(JsonLinesTest, DeepNestingIsRefusedAtItsBeginning) {
  const std::string deep(1 << 24, '[');
  EXPECT_THAT(Problem(deep), HasSubstr("not an object"));
  EXPECT_THAT(Problem("{\"value\":" + deep), HasSubstr("an array"));
  EXPECT_THAT(Problem("{\"x\":{\"x\":{"), HasSubstr("unknown field 'x'"));
}

TEST(JsonLinesTest, AnyRecordComesBack) {
  RandomBytes random(8);
  JsonLineDecoder decoder;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = random.Text(1 + random.Number(3));
    const std::string value =
        random.Text(random.Number(6), i % 2 == 0 ? "" : "\xc2\x9b\"\\\n\x01z");
    const std::string line = Line({key, value});
    ASSERT_TRUE(nlohmann::json::accept(line)) << line;
    const absl::StatusOr<Record> record = decoder.Decode(line);
    ASSERT_TRUE(record.ok()) << record.status() << line;
    ASSERT_EQ(record->key, key);
    ASSERT_EQ(record->value, value);
  }
}

TEST(JsonLinesTest, DamagedLinesAreReadOrRefused) {
  RandomBytes random(9);
  JsonLineDecoder decoder;
  for (int i = 0; i < 50000; ++i) {
    const std::string line = random.Damaged(
        R"({"key":"us\u00e4","value_base64":"AP8=","expire_at_ms":17890})");
    const absl::StatusOr<Record> record = decoder.Decode(line);
    if (!record.ok()) continue;
    ASSERT_FALSE(record->key.empty()) << line;
    ASSERT_TRUE(nlohmann::json::accept(line)) << line;
  }
}

}  // namespace
}  // namespace stave::tool
