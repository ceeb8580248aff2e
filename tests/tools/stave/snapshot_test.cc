#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Some pairs of every kind, in the format of `stave load`.
constexpr char kPairs[] =
    "user:1\tAlice\n"
    "umlaut\t\xc3\xa4\\n\"\\\\\n"
    "empty\t\n"
    "session:9\tx\texpire_at_ms=4102444800000\n"
    "\\x00\\xff\t\\xff\n"
    "half\t\\x80\texpire_at_ms=4102444800001\n";

class SnapshotTest : public ProgramTest {
 protected:
  void LoadPairs() { EXPECT_THAT(Run({"load"}, kPairs), Prints("")); }

  std::string Dump(const std::string& store) const {
    return Run({"dump", "--store", store, "--format", "jsonl"}).out;
  }
  // Lines in byte order.
  std::string Sorted(const std::string& store) const {
    return Run({"scan", "--sort", "--json", "--store", store}).out;
  }
  void ExpectBad(std::string_view bytes, const std::string& why) {
    const std::string file = WriteFile("bad", bytes);
    EXPECT_THAT(Run({"snapshot", "load", file, "--store", Path("other")}),
                Fails(2, why));
    EXPECT_FALSE(std::filesystem::exists(Path("other")));
  }

  // A binary snapshot, as interface says, with the checksum of version 2.
  static std::string Binary(uint32_t version, uint32_t count,
                            const std::vector<std::string>& entries) {
    std::string bytes;
    AppendFixed(uint32_t{0x4B56DB}, &bytes);
    AppendFixed(version, &bytes);
    AppendFixed(uint64_t{1768473000}, &bytes);
    AppendFixed(count, &bytes);
    for (const std::string& entry : entries) bytes += entry;
    if (version == 2) AppendFixed(Crc32c(bytes), &bytes);
    return bytes;
  }
  static std::string Entry(const std::string& key, const std::string& value) {
    std::string bytes;
    AppendFixed(static_cast<uint32_t>(key.size()), &bytes);
    bytes += key;
    AppendFixed(static_cast<uint32_t>(value.size()), &bytes);
    return bytes + value;
  }
  static std::string Entry(const std::string& key, const std::string& value,
                           uint64_t expire_at_ms) {
    std::string bytes = Entry(key, value);
    AppendFixed(expire_at_ms, &bytes);
    return bytes;
  }
};

TEST_F(SnapshotTest, ComesBackByteForByte) {
  LoadPairs();
  for (const std::string format : {"json", "binary"}) {
    const std::string file = Path("snapshot." + format);
    EXPECT_THAT(Run({"snapshot", "save", file, "--format", format}),
                Prints("Saved snapshot to " + file + "\n"));
    const std::string other = Path("other " + format);
    EXPECT_THAT(Run({"snapshot", "load", file, "--store", other}),
                Prints("Loaded 6 pairs\n"));
    EXPECT_EQ(Sorted(other), Sorted(Store()));
    EXPECT_THAT(Dump(other), HasSubstr("4102444800000"));
    EXPECT_THAT(Dump(other), HasSubstr("4102444800001"));
  }
}

TEST_F(SnapshotTest, JsonIsAsDocumented) {
  LoadPairs();
  EXPECT_EQ(Run({"snapshot", "save", Path("data.json")}).exit_code, 0);
  const json snapshot = json::parse(BytesOf(Path("data.json")));
  EXPECT_EQ(snapshot["version"], 1);
  EXPECT_THAT(snapshot["timestamp"].get<std::string>(),
              testing::ContainsRegex("^20..-..-..T..:..:..Z$"));
  EXPECT_EQ(snapshot["data"],
            json::parse("{\"user:1\":\"Alice\",\"empty\":\"\","
                        "\"umlaut\":\"\xc3\xa4\\n\\\"\\\\\","
                        "\"session:9\":\"x\"}"));
  EXPECT_EQ(snapshot["expire_at_ms"],
            json::parse("{\"session:9\":4102444800000}"));
  EXPECT_EQ(snapshot["binary"].size(), 2u);
}

TEST_F(SnapshotTest, JsonOfTextAloneHasNoOtherMembers) {
  EXPECT_THAT(Run({"put", "user:1", "Alice"}), Prints(""));
  EXPECT_EQ(Run({"snapshot", "save", Path("data.json")}).exit_code, 0);
  EXPECT_THAT(BytesOf(Path("data.json")),
              testing::EndsWith(",\"data\":{\"user:1\":\"Alice\"}}\n"));
}

TEST_F(SnapshotTest, BinaryIsAsDocumented) {
  EXPECT_THAT(Run({"load"}, "a\tbc\texpire_at_ms=4102444800000\n"), Prints(""));
  EXPECT_EQ(Run({"snapshot", "save", Path("data.bin")}).exit_code, 0);
  std::string expected = Binary(2, 1, {Entry("a", "bc", 4102444800000)});
  std::string bytes = BytesOf(Path("data.bin"));
  ASSERT_EQ(bytes.size(), expected.size());
  // All but the time, and the checksum that covers it.
  EXPECT_EQ(bytes.substr(0, 8), expected.substr(0, 8));
  EXPECT_EQ(bytes.substr(16, bytes.size() - 20),
            expected.substr(16, expected.size() - 20));
}

TEST_F(SnapshotTest, VersionOneHasNoExpiries) {
  LoadPairs();
  const Arguments save = {"snapshot", "save", Path("v1"), "--format",
                          "binary-v1"};
  EXPECT_THAT(Run(save), Fails(2, "expires"));
  EXPECT_FALSE(std::filesystem::exists(Path("v1")));
  EXPECT_EQ(Run({"delete", "session:9"}).exit_code, 0);
  EXPECT_THAT(Run({"load"}, "half\tx\n"), Prints(""));
  EXPECT_EQ(Run(save).exit_code, 0);
  EXPECT_THAT(Run({"snapshot", "load", Path("v1"), "--store", Path("other")}),
              Prints("Loaded 5 pairs\n"));
  EXPECT_EQ(Sorted(Path("other")), Sorted(Store()));
}

TEST_F(SnapshotTest, AStoreWithKeysIsChangedOnlyAsTold) {
  EXPECT_THAT(Run({"put", "a", "1"}), Prints(""));
  EXPECT_THAT(Run({"put", "b", "2"}), Prints(""));
  const std::string file =
      WriteFile("s", R"({"version":1,"timestamp":"2026-01-15T10:30:00Z",)"
                     R"("data":{"b":"3","c":"4"}})");
  EXPECT_THAT(Run({"snapshot", "load", file}), Fails(2, "--replace"));
  EXPECT_THAT(Run({"scan", "--sort"}), Prints("a\t1\nb\t2\n"));
  EXPECT_THAT(Run({"snapshot", "load", file, "--add"}),
              Prints("Loaded 2 pairs\n"));
  EXPECT_THAT(Run({"scan", "--sort"}), Prints("a\t1\nb\t3\nc\t4\n"));
  EXPECT_THAT(Run({"snapshot", "load", file, "--replace", "--json"}),
              Prints("{\"loaded\":2}\n"));
  EXPECT_THAT(Run({"scan", "--sort"}), Prints("b\t3\nc\t4\n"));
}

TEST_F(SnapshotTest, MembersMayComeInAnyOrder) {
  const std::string file = WriteFile(
      "s", R"( {"expire_at_ms":{"a":4102444800000},"binary":[],"data":)"
           R"({"a":"1"},"timestamp":"2026-01-15T10:30:00.5+01:00",)"
           R"("version":1} )");
  EXPECT_THAT(Run({"snapshot", "load", file}), Prints("Loaded 1 pairs\n"));
  EXPECT_THAT(Run({"dump"}), Prints("a\t1\texpire_at_ms=4102444800000\n"));
}

TEST_F(SnapshotTest, BadJsonChangesNothing) {
  const std::string head =
      R"({"version":1,"timestamp":"2026-01-15T10:30:00Z",)";
  const std::string whole = head + R"("data":{"a":"1"}})";
  for (size_t size = 1; size < whole.size(); ++size) {
    ExpectBad(whole.substr(0, size), "");
  }
  ExpectBad("", "is no snapshot");
  ExpectBad("[]", "is no snapshot");
  ExpectBad("hello", "is no snapshot");
  ExpectBad(whole + "x", "not JSON");
  ExpectBad(whole + '\0', "not JSON");
  ExpectBad(whole + '\0' + whole, "not JSON");
  ExpectBad(head + R"("data":{"a":"1","a":"2"}})", "'a' comes twice");
  ExpectBad(head + R"("data":{"a":"1"},"data":{}})", "'data' comes twice");
  ExpectBad(head + R"("data":{"a":"1"},"binary":[{"key_base64":"YQ==",)"
                   R"("value_base64":""}]})",
            "'a' comes twice");
  ExpectBad(head + R"("data":{"a":"1"},"expire_at_ms":{"b":1}})", "'data'");
  ExpectBad(head + R"("data":{"a":"1"},"expire_at_ms":{"a":-1}})", "byte");
  ExpectBad(head + R"("data":{"a":1}})", "can not be a number");
  ExpectBad(head + R"("data":{"a":{"b":"c"}}})", "can not be an object");
  ExpectBad(head + R"("data":{"":"1"}})", "byte");
  ExpectBad(head + "\"data\":{\"\xff\":\"1\"}}", "not JSON");
  ExpectBad(head + R"("data":{"\ud800":"1"}})", "not JSON");
  ExpectBad(head + R"("data":{},"more":1})", "'more'");
  ExpectBad(head + R"("data":{},"binary":[{"key_base64":"YQ="}]})", "base64");
  ExpectBad(head + R"("data":{},"binary":[{"key_base64":"YQ=="}]})", "lacks");
  ExpectBad(head + R"("data":[]})", "can not be an array");
  ExpectBad(absl::StrCat(head, "\"data\":", std::string(100'000, '['), "}"),
            "can not be an array");
  ExpectBad(
      absl::StrCat(head, "\"data\":{\"", std::string(70'000, 'k'), "\":\"\"}}"),
      "byte");
  ExpectBad(R"({"version":2,"timestamp":"2026-01-15T10:30:00Z","data":{}})",
            "version 2");
  ExpectBad(R"({"version":1,"timestamp":"yesterday","data":{}})", "timestamp");
  ExpectBad(R"({"version":1,"data":{}})", "no member 'timestamp'");
  ExpectBad(head + R"("expire_at_ms":{}})", "no member 'data'");
}

TEST_F(SnapshotTest, BadBinaryChangesNothing) {
  const std::vector<std::string> entries = {Entry("a", "1", 0),
                                            Entry("b", "2", 4102444800000)};
  const std::string whole = Binary(2, 2, entries);
  for (size_t size = 4; size < whole.size(); ++size) {
    ExpectBad(whole.substr(0, size), "byte");
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    ExpectBad(damaged, "");
  }
  ExpectBad(whole + "x", "1 bytes follow");
  ExpectBad(Binary(2, 1, entries), "wrong checksum");
  ExpectBad(Binary(2, 3, entries), "byte");
  ExpectBad(Binary(3, 2, entries), "version 3");
  ExpectBad(Binary(2, 2, {entries[0], entries[0]}), "'a' comes twice");
  ExpectBad(Binary(2, 1, {Entry("", "1", 0)}), "a key without bytes");
  ExpectBad(Binary(2, 1, {Entry("a", "1", ~uint64_t{0})}), "too large");
  ExpectBad(Binary(1, 1, {std::string(4, '\xff')}), "a key of 4294967295");
  ExpectBad(Binary(1, 1, {std::string("\1\0\0\0a\xff\xff\xff\x3f", 9)}),
            "within this entry");
  ExpectBad(Binary(1, 4000000000, {Entry("a", "1")}), "whole");
  ExpectBad(Binary(1, 0, {Entry("a", "1")}), "10 bytes follow the last of 0");
}

TEST_F(SnapshotTest, WrongUsageSaysSo) {
  LoadPairs();
  EXPECT_THAT(Run({"snapshot"}), Fails(2, "ACTION"));
  EXPECT_THAT(Run({"snapshot", "keep", "x"}), Fails(2, "save or load"));
  EXPECT_THAT(Run({"snapshot", "save", ""}), Fails(2, "FILE"));
  EXPECT_THAT(Run({"snapshot", "save", Path("x"), "--format", "xml"}),
              Fails(2, "'xml'"));
  EXPECT_THAT(Run({"snapshot", "save", Path("x"), "--add"}), Fails(2, "load"));
  EXPECT_THAT(Run({"snapshot", "save", Store() + "/x"}),
              Fails(2, "the store's own directory"));
  EXPECT_THAT(Run({"snapshot", "load", Path("missing")}), Fails(5, "missing"));
  EXPECT_THAT(Run({"snapshot", "load", "/dev/null"}), Fails(5, "regular"));
  EXPECT_THAT(Run({"snapshot", "save", "-"}), Fails(2, "standard output"));
  EXPECT_THAT(Run({"snapshot", "load", "-"}), Fails(2, "standard input"));
  EXPECT_THAT(Run({"snapshot", "load", Path("x"), "--read-only"}),
              Fails(2, "--read-only"));
  EXPECT_THAT(Run({"snapshot", "load", Path("x"), "--format", "json"}),
              Fails(2, "--format"));
  EXPECT_THAT(Run({"snapshot", "load", Path("x"), "--add", "--replace"}),
              Fails(2, "exclude"));
  EXPECT_THAT(Run({"snapshot", "save", Path("x"), "--store", Path("nowhere")}),
              Fails(5, "there is no store in"));
}

TEST_F(SnapshotTest, TheShellSavesOneAndBeginsWithIt) {
  const std::string file = Path("data.json");
  EXPECT_THAT(Run({"shell", "--file", file}, "SET user:1 Alice\nSNAPSHOT\n"),
              Prints("OK\nSaved snapshot to " + file + "\n"));
  std::filesystem::remove_all(Store());
  EXPECT_THAT(Run({"shell", "--file", file}, "GET user:1\nSET user:2 Bob\n"),
              Prints("Alice\nOK\n"));
  // It has keys by now.
  const Ran again = Run({"shell", "--file", file}, "COUNT\nEXIT\n");
  EXPECT_EQ(again.out, "2\nGoodbye!\n");
  EXPECT_THAT(again.error, HasSubstr("is not loaded"));
  const std::string other = Path("other.bin");
  EXPECT_THAT(Run({"shell"}, "snapshot " + other),
              Prints("Saved snapshot to " + other + "\n"));
  EXPECT_EQ(BytesOf(other).substr(0, 4), std::string("\xdb\x56\x4b\0", 4));
  WriteFile("bad.json", "{");
  EXPECT_THAT(
      Run({"shell", "--file", Path("bad.json"), "--store", Path("third")},
          "COUNT\n"),
      Fails(2, "not JSON"));
}

}  // namespace
}  // namespace stave::tool
