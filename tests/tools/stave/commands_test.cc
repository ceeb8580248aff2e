#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/engine/core/prometheus_text.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

class CommandsTest : public ProgramTest {};

TEST_F(CommandsTest, WhatWasPutIsGot) {
  EXPECT_THAT(Run({"put", "user:1", "Alice"}), Prints(""));
  EXPECT_THAT(Run({"get", "user:1"}), Prints("Alice\n"));
  EXPECT_THAT(Run({"get", "user:1", "--raw"}), Prints("Alice"));
  EXPECT_THAT(Run({"put", "user:1", "Bob", "--sync"}), Prints(""));
  EXPECT_THAT(Run({"get", "user:1", "--json"}),
              Prints("{\"key\":\"user:1\",\"value\":\"Bob\"}\n"));
}

TEST_F(CommandsTest, AValueComesFromStandardInputByteForByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_THAT(Run({"put", "k"}, bytes), Prints(""));
  EXPECT_THAT(Run({"get", "k"}), Prints(bytes + "\n"));
  EXPECT_THAT(Run({"put", "k", "-"}, "a line\n"), Prints(""));
  EXPECT_THAT(Run({"get", "--raw", "k"}), Prints("a line\n"));
  EXPECT_THAT(Run({"put", "k"}, ""), Prints(""));
  EXPECT_THAT(Run({"get", "k"}), Prints("\n"));
}

TEST_F(CommandsTest, AKeyThatIsNotThereIsNotFound) {
  Run({"put", "a", "1"});
  EXPECT_THAT(Run({"get", "b"}), Fails(1, "there is no key 'b'"));
  EXPECT_EQ(Run({"get", "b", "--json"}).out, "");
}

TEST_F(CommandsTest, KeysAndValuesAreTakenLiterally) {
  for (const char* text : {"{}", "[a,b]", "[[a]]", "++", "%%", "put", "--",
                           "-k", "=", "\x01", " ", "\"quoted\"", "\xff\n"}) {
    EXPECT_THAT(Run({"put", "--", text, text + "!"s}), Prints("")) << text;
    EXPECT_THAT(Run({"get", "--", text}), Prints(text + "!\n"s)) << text;
    EXPECT_THAT(Run({"exists", "--", text, text}), Prints("2\n")) << text;
    EXPECT_THAT(Run({"delete", "--", text}), Prints("1\n")) << text;
  }
  EXPECT_THAT(Run({"put", "[a,b]", "{}"}), Prints(""));
  EXPECT_THAT(Run({"get", "[a,b]"}), Prints("{}\n"));
  EXPECT_THAT(Run({"put", "empty", ""}), Prints(""));
  EXPECT_THAT(Run({"get", "empty"}), Prints("\n"));
}

TEST_F(CommandsTest, DeleteTellsHowManyThereWere) {
  Run({"put", "a", "1"});
  Run({"put", "b", "2"});
  EXPECT_THAT(Run({"delete", "a", "b", "c", "a"}), Prints("2\n"));
  EXPECT_THAT(Run({"delete", "a"}), Fails(1, ""));
  EXPECT_EQ(Run({"delete", "a"}).out, "0\n");
  EXPECT_EQ(Run({"delete", "a"}).error, "");
  Run({"put", "a", "1"});
  EXPECT_THAT(Run({"delete", "a", "--json"}), Prints("{\"deleted\":1}\n"));
}

TEST_F(CommandsTest, DeleteDoesNotMakeAStore) {
  const Ran ran = Run({"delete", "a"});
  EXPECT_THAT(ran, Fails(1, "there is no store in " + Store()));
  EXPECT_EQ(ran.out, "0\n");
  EXPECT_FALSE(std::filesystem::exists(Store()));
}

TEST_F(CommandsTest, ExistsWantsAllOfThem) {
  Run({"put", "a", "1"});
  Run({"put", "b", "2"});
  EXPECT_THAT(Run({"exists", "a", "b"}), Prints("2\n"));
  EXPECT_THAT(Run({"exists", "a", "--json"}), Prints("{\"exists\":1}\n"));
  const Ran ran = Run({"exists", "a", "c"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "1\n");
  EXPECT_EQ(ran.error, "");
}

TEST_F(CommandsTest, KeysAreThoseThatFitThePattern) {
  Run({"load"}, "user:2\tB\nuser:1\tA\nother\tC\nuser:10\tD\n");
  EXPECT_THAT(Run({"keys", "--sort"}),
              Prints("other\nuser:1\nuser:10\nuser:2\n"));
  EXPECT_THAT(Run({"keys", "user:?", "--sort"}), Prints("user:1\nuser:2\n"));
  EXPECT_THAT(Run({"keys", "[ou][ts]*r", "--sort"}), Prints("other\n"));
  EXPECT_THAT(Run({"keys", "none*"}), Prints(""));
  EXPECT_THAT(Run({"count"}), Prints("4\n"));
  EXPECT_THAT(Run({"count", "user:*"}), Prints("3\n"));
  EXPECT_THAT(Run({"count", "--json"}), Prints("{\"count\":4}\n"));
}

TEST_F(CommandsTest, KeysAreLinesWhateverIsInThem) {
  Run({"load"}, "a\\nb\\x1b[2J\\xff\tv\n");
  EXPECT_THAT(Run({"keys"}), Prints("a\\nb\\x1b[2J\\xff\n"));
  EXPECT_THAT(Run({"keys", "--json"}),
              Prints("{\"key_base64\":\"YQpiG1sySv8=\"}\n"));
  EXPECT_THAT(Run({"scan", "--json"}),
              Prints("{\"key_base64\":\"YQpiG1sySv8=\",\"value\":\"v\"}\n"));
}

TEST_F(CommandsTest, ALimitIsKept) {
  Run({"load"}, "c\t3\na\t1\nb\t2\nd\t4\n");
  EXPECT_THAT(Run({"keys", "--sort", "--limit", "2"}), Prints("a\nb\n"));
  EXPECT_THAT(Run({"scan", "--sort", "--limit=1"}), Prints("a\t1\n"));
  EXPECT_EQ(Run({"keys", "--limit", "3"}).out.size(), 6u);
  EXPECT_EQ(Run({"scan", "--limit", "9"}).out.size(), 16u);
}

TEST_F(CommandsTest, WithTheOrderedKeydirOutputIsInByteOrder) {
  Run({"load", "--keydir", "ordered"}, "c\t3\na2\t2\na1\t1\nb\t4\n");
  EXPECT_THAT(Run({"--keydir", "ordered", "keys"}), Prints("a1\na2\nb\nc\n"));
  EXPECT_THAT(Run({"keys", "a*", "--limit", "1", "--keydir=ordered"}),
              Prints("a1\n"));
  EXPECT_THAT(Run({"scan", "--from", "a2", "--to", "c", "--keydir", "ordered"}),
              Prints("a2\t2\nb\t4\n"));
  EXPECT_THAT(Run({"keys", "--sort", "--keydir", "hash"}),
              Prints("a1\na2\nb\nc\n"));
  EXPECT_THAT(Run({"keys", "--keydir", "other"}), Fails(2, "hash or ordered"));
}

TEST_F(CommandsTest, AScanIsBoundedByAllThatIsGiven) {
  Run({"load"}, "a\t1\nba\t2\nbb\t3\nbc\t4\nc\t5\n");
  EXPECT_THAT(Run({"scan", "--sort"}),
              Prints("a\t1\nba\t2\nbb\t3\nbc\t4\nc\t5\n"));
  EXPECT_THAT(Run({"scan", "--sort", "--prefix", "b"}),
              Prints("ba\t2\nbb\t3\nbc\t4\n"));
  EXPECT_THAT(Run({"scan", "--sort", "--from", "ba", "--to", "bc"}),
              Prints("ba\t2\nbb\t3\n"));
  EXPECT_THAT(Run({"scan", "b*", "--prefix", "bb"}), Prints("bb\t3\n"));
  EXPECT_THAT(Run({"scan", "bb*", "--prefix", "b"}), Prints("bb\t3\n"));
  EXPECT_THAT(Run({"scan", "a*", "--prefix", "b"}), Prints(""));
  EXPECT_THAT(Run({"scan", "*b", "--prefix", "b", "--from", "bb"}),
              Prints("bb\t3\n"));
}

TEST_F(CommandsTest, AKeyWithATimeToLiveExpires) {
  EXPECT_THAT(Run({"put", "short", "v", "--ttl", "50ms"}), Prints(""));
  EXPECT_THAT(Run({"put", "long", "v", "--ttl", "1h30m"}), Prints(""));
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_THAT(Run({"get", "short"}), Fails(1, "no key"));
  EXPECT_THAT(Run({"count"}), Prints("1\n"));
  const auto record = nlohmann::json::parse(Run({"scan", "--json"}).out);
  const absl::Duration left =
      absl::FromUnixMillis(record["expire_at_ms"].get<int64_t>()) - absl::Now();
  EXPECT_GT(left, absl::Minutes(80));
  EXPECT_LE(left, absl::Minutes(90));
  EXPECT_THAT(Run({"put", "long", "v"}), Prints(""));
  EXPECT_THAT(Run({"scan", "--json"}),
              Prints("{\"key\":\"long\",\"value\":\"v\"}\n"));
}

TEST_F(CommandsTest, StatHasTheNamesThatProgramsRelyOn) {
  Run({"load"}, "a\t1\nb\t2\n");
  EXPECT_THAT(Run({"stat"}).out, HasSubstr("keys"));
  const auto stat = nlohmann::json::parse(Run({"stat", "--json"}).out);
  for (const char* name :
       {"keys", "live_bytes", "dead_bytes", "segment_bytes", "hint_bytes",
        "checkpoint_bytes", "dictionary_bytes", "reserve_bytes", "disk_bytes",
        "segments", "keydir_bytes", "space_amplification",
        "compression_ratio"}) {
    EXPECT_TRUE(stat.contains(name)) << name;
  }
  EXPECT_EQ(stat["keys"], 2);
  EXPECT_EQ(stat["segment_list"].size(), 1);
  EXPECT_EQ(stat["segment_list"][0]["live_bytes"], stat["live_bytes"]);
  EXPECT_TRUE(stat["advice"].is_array());
  const absl::StatusOr<PrometheusText> metrics =
      ParsePrometheusText(Run({"stat", "--prometheus"}).out);
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  EXPECT_EQ(metrics->samples.at("stave_keys"), 2);
  EXPECT_THAT(Run({"stat", "--prometheus", "--json"}), Fails(2, "one of"));
}

TEST_F(CommandsTest, StatFitsTheScreen) {
  Run({"load"}, "a\t1\nb\t2\na\t3\n");
  const std::string text = Run({"stat"}).out;
  EXPECT_THAT(text, testing::ContainsRegex("\nsegment 1 .*% live  #+-+\n"));
  EXPECT_THAT(text, Not(testing::ContainsRegex("[^\n]{81}")));
}

TEST_F(CommandsTest, FlagsStandBeforeOrAfterTheCommand) {
  const std::string other = Path("other");
  EXPECT_THAT(Run({"--store", other, "put", "a", "1"}), Prints(""));
  EXPECT_THAT(Run({"get", "a", "--store", other}), Prints("1\n"));
  EXPECT_THAT(Run({"get", "a", "--store=" + other}), Prints("1\n"));
  EXPECT_THAT(Run({"--json", "count", "--store", other}),
              Prints("{\"count\":1}\n"));
  EXPECT_THAT(Run({"get", "a"}), Fails(5, "there is no store"));
}

TEST_F(CommandsTest, ReadOnlyRefusesToWrite) {
  Run({"put", "a", "1"});
  EXPECT_THAT(Run({"--read-only", "put", "a", "2"}), Fails(2, "--read-only"));
  EXPECT_THAT(Run({"delete", "a", "--read-only"}), Fails(2, "--read-only"));
  EXPECT_THAT(Run({"load", "--read-only"}, "a\t2\n"), Fails(2, "--read-only"));
  EXPECT_THAT(Run({"restore", Store(), Path("to"), "--read-only"}),
              Fails(2, "--read-only"));
  EXPECT_THAT(Run({"get", "a", "--read-only"}), Prints("1\n"));
}

TEST_F(CommandsTest, ValuesAreCompressedWhereThatIsAskedFor) {
  const std::string text(1000, 'x');
  EXPECT_THAT(Run({"put", "a", text}), Prints(""));
  EXPECT_THAT(Run({"stat"}).out, Not(HasSubstr("compression")));
  EXPECT_THAT(Run({"put", "b", text, "--compression", "zstd"}), Prints(""));
  EXPECT_THAT(Run({"--compression=lz4", "load"}, "c\t" + text + "\n").exit_code,
              0);
  EXPECT_THAT(Run({"--compression", "none", "shell"}, "SET d " + text + "\n"),
              Prints("OK\n"));
  for (const char* key : {"a", "b", "c", "d"}) {
    EXPECT_THAT(Run({"get", key}), Prints(text + "\n"));
  }
  EXPECT_THAT(Run({"stat"}).out, HasSubstr("as 2 of 4 values are compressed"));
  EXPECT_THAT(Run({"put", "e", text, "--compression", "zstd",
                   "--compression-dictionary", "4KiB"}),
              Prints(""));
  EXPECT_THAT(Run({"put", "a", "1", "--compression", "gzip"}),
              Fails(2, "zstd, lz4 or none, not 'gzip'"));
}

TEST_F(CommandsTest, TheDefaultStoreIsMadeWithItsParents) {
  Unset("STAVE_STORE");
  EXPECT_THAT(Run({"get", "a"}), Fails(5, "there is no store"));
  EXPECT_FALSE(std::filesystem::exists(Path("home")));
  EXPECT_THAT(Run({"put", "a", "1"}), Prints(""));
  struct stat status;
  ASSERT_EQ(stat(Path("home/.local/share/stave").c_str(), &status), 0);
  ASSERT_EQ(stat(Path("home/.local").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  Set("XDG_DATA_HOME", Path("data"));
  EXPECT_THAT(Run({"put", "a", "2"}), Prints(""));
  EXPECT_THAT(Run({"get", "a", "--store", Path("data/stave")}), Prints("2\n"));
}

TEST_F(CommandsTest, RelativePathsStartWhereTheCommandWasTyped) {
  std::filesystem::create_directory(Path("typed"));
  Set("BUILD_WORKING_DIRECTORY", Path("typed"));
  WriteFile("typed/a.tsv", "a\t1\n");
  EXPECT_THAT(Run({"load", "a.tsv", "--store", "s"}), Prints(""));
  EXPECT_THAT(Run({"dump", "b.tsv", "--store", "s"}), Prints(""));
  EXPECT_EQ(BytesOf(Path("typed/b.tsv")), "a\t1\n");
  EXPECT_TRUE(std::filesystem::is_directory(Path("typed/s")));
}

}  // namespace
}  // namespace stave::tool
