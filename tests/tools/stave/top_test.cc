#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/stave/program_fixture.h"
#include "tools/stave/top_view.h"

namespace stave::tool {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TopView::Look LookWith(uint64_t keys, uint64_t records,
                       absl::Duration elapsed) {
  TopView::Look look;
  look.elapsed = elapsed;
  look.statistics.keys = keys;
  look.statistics.last_sequence = records;
  look.statistics.segment_list.push_back(
      {.id = 1, .file_bytes = 8192, .live_bytes = 1024, .dead_bytes = 1024});
  return look;
}

TEST(TopViewTest, RatesAreThoseBetweenTwoLooks) {
  TopView::Look before = LookWith(1000, 5000, absl::Seconds(7));
  TopView::Look now = LookWith(900, 25'000, absl::Seconds(9));
  // Meanwhile somebody has set the date back.
  before.at = now.at + absl::Hours(1);
  now.statistics.segment_list[0].dead_bytes += 6144;
  // As a merge leaves it: a new segment.
  now.statistics.segment_list.push_back({.id = 7, .live_bytes = 2048});
  const std::string screen = TopView{before, now}.Screen("/there", 24);
  EXPECT_THAT(screen, ContainsRegex("keys +900  -50/s\n"));
  EXPECT_THAT(screen, ContainsRegex("records written +[+]10,000/s\n"));
  EXPECT_THAT(screen, ContainsRegex("bytes written +[+]4[.]0 KiB/s\n"));
  EXPECT_THAT(screen, AllOf(HasSubstr("/there"), HasSubstr("segment 7 ")));
  EXPECT_THAT(TopView({before, now}).Line(),
              AllOf(HasSubstr(" 10,000 "), HasSubstr(" 4.0 KiB\n")));
}

TEST(TopViewTest, TheFirstLookHasNoRates) {
  const TopView::Look look = LookWith(10, 20, absl::ZeroDuration());
  EXPECT_THAT(TopView({look, look}).Screen("/there", 24), Not(HasSubstr("/s")));
}

TEST(TopViewTest, SegmentsHaveTheRowsThatAreLeft) {
  TopView::Look look = LookWith(10, 20, absl::ZeroDuration());
  look.statistics.segment_list.resize(100, {.id = 2, .live_bytes = 10});
  for (const size_t rows : {1, 13, 20, 50}) {
    const std::string screen = TopView({look, look}).Screen("/there", rows);
    const auto lines = std::count(screen.begin(), screen.end(), '\n');
    EXPECT_LT(lines, std::max<size_t>(rows, 13)) << rows;
  }
}

class TopTest : public ProgramTest {};

TEST_F(TopTest, InAPipeThereIsALineEachTime) {
  Run({"load"}, "a\t1\nb\t2\n");
  const Ran ran = Run({"top", "--interval", "1ms", "--count", "3"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 4);
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("records/s"), Not(ContainsRegex("[^\n]{81}"))));
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
}

TEST_F(TopTest, ItSeesWhatAnotherProcessWrites) {
  Running shell = Start({"shell"});
  shell.pipes->Send("SET a 1\n");
  shell.pipes->ReadUntil("OK\n");
  Running top = Start({"top", "--json", "--interval", "10ms"});
  const auto keys = [&top] {
    return nlohmann::json::parse(top.pipes->ReadUntil("\n"))["keys"].get<int>();
  };
  EXPECT_EQ(keys(), 1);
  shell.pipes->Send("SET b 2\n");
  shell.pipes->ReadUntil("OK\n");
  while (keys() != 2) {
  }
  top.process->Signal(SIGTERM);
  EXPECT_EQ(top.process->Wait(), 128 + SIGTERM);
}

TEST_F(TopTest, OnATerminalAKeyEndsIt) {
  Run({"put", "a", "1"});
  for (const char* key : {"q", "\x03"}) {
    Running top = StartOnTerminal({"top", "--interval", "1h"});
    EXPECT_THAT(top.pipes->ReadUntil("space amplification"),
                AllOf(HasSubstr("\x1b[?1049h"), HasSubstr("keys ")));
    top.pipes->AwaitReadingByKey();
    top.pipes->Send("x");
    top.pipes->Send(key);
    EXPECT_THAT(top.pipes->ReadAll(), HasSubstr("\x1b[?1049l"));
    EXPECT_EQ(top.process->Wait(), 0);
  }
}

TEST_F(TopTest, ASignalLeavesTheTerminalTidy) {
  Run({"put", "a", "1"});
  Running top = StartOnTerminal({"top", "--interval", "1h"});
  top.pipes->ReadUntil("space amplification");
  top.process->Signal(SIGTERM);
  EXPECT_THAT(top.pipes->ReadAll(), HasSubstr("\x1b[?1049l"));
  EXPECT_EQ(top.process->Wait(), 128 + SIGTERM);
}

TEST_F(TopTest, WrongUsageIsTold) {
  EXPECT_THAT(Run({"top"}), Fails(5, "there is no store"));
  EXPECT_THAT(Run({"top", "--interval", "now"}), Fails(2, "now"));
  EXPECT_THAT(Run({"top", "--count", "0"}), Fails(2, "--count"));
}

}  // namespace
}  // namespace stave::tool
