#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class BenchTest : public ProgramTest {
 protected:
  // What stands where the store does, the store left out.
  std::set<std::string> FilesBesideTheStore() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(
             std::filesystem::path(Store()).parent_path())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("store")) names.insert(name);
    }
    names.erase("store");
    return names;
  }

  static std::vector<json> Lines(const std::string& text) {
    std::vector<json> lines;
    size_t begin = 0;
    for (size_t end; (end = text.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      lines.push_back(json::parse(text.substr(begin, end - begin)));
    }
    return lines;
  }

  static std::vector<std::string> Workloads(const std::string& text) {
    std::vector<std::string> names;
    for (const json& line : Lines(text)) names.push_back(line["workload"]);
    return names;
  }
};

TEST_F(BenchTest, EveryWorkloadIsMeasured) {
  const Ran ran = Run({"bench", "--keys", "500", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_EQ(ran.error, "");
  EXPECT_THAT(
      Workloads(ran.out),
      ElementsAre("fill", "fillrandom", "read", "readzipf", "readabsent",
                  "multiget", "overwrite", "ycsb-a", "ycsb-b", "ycsb-c",
                  "ycsb-d", "ycsb-f", "scan", "durable", "soak", "delete"));
  for (const json& line : Lines(ran.out)) {
    EXPECT_GT(line["ops_per_second"], 0) << line;
    EXPECT_LE(line["p50_ns"], line["p99_ns"]) << line;
    EXPECT_LE(line["p99_ns"], line["p999_ns"]) << line;
    EXPECT_LE(line["p999_ns"], line["max_ns"]) << line;
    EXPECT_GE(line["operations"], 500) << line;
  }
}

TEST_F(BenchTest, ThoseThatAreNamedRunInThatOrder) {
  const Ran ran = Run({"bench", "--keys=300", "--value-size=5000", "--threads",
                       "3", "--workload", "scan,delete,read", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(Workloads(ran.out), ElementsAre("scan", "delete", "read"));
  EXPECT_EQ(Lines(ran.out).back()["operations"], 300);
}

TEST_F(BenchTest, PeopleGetATable) {
  const Ran ran = Run({"bench", "--keys", "1000", "--workload", "read"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("1,000 keys, values of 100 B, 1 thread"),
                             HasSubstr("p99.9"), HasSubstr("\nread ")));
}

TEST_F(BenchTest, TheUsersStoreStaysAsItIs) {
  Run({"put", "mine", "1"});
  const std::string before = Run({"stat", "--json"}).out;
  const Ran ran = Run({"bench", "--keys", "100", "--workload", "fill,delete"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_EQ(Run({"stat", "--json"}).out, before);
  EXPECT_EQ(FilesBesideTheStore(), std::set<std::string>());
}

TEST_F(BenchTest, WithoutAStoreNoneIsMade) {
  const Ran ran = Run({"bench", "--keys", "10", "--workload", "read"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_FALSE(std::filesystem::exists(Store()));
  EXPECT_EQ(FilesBesideTheStore(), std::set<std::string>());
}

TEST_F(BenchTest, AnUnknownWorkloadIsAnErrorThatListsThem) {
  EXPECT_THAT(Run({"bench", "--workload", "read,wirte"}),
              Fails(2, "no workload 'wirte'; there are fill, fillrandom, "));
  EXPECT_THAT(Run({"bench", "--workload", ""}), Fails(2, "no workload ''"));
  EXPECT_EQ(Run({"bench", "--workload", "read,"}).out, "");
}

TEST_F(BenchTest, NumbersAreChecked) {
  for (const char* flag : {"--keys", "--value-size", "--threads"}) {
    for (const char* number : {"0", "-1", "x", "99999999999"}) {
      EXPECT_THAT(Run({"bench", flag, number}), Fails(2, flag)) << number;
    }
  }
  EXPECT_THAT(Run({"bench", "--read-only"}), Fails(2, "--read-only"));
}

// Much more than is waited for.
std::string ManySoaks() {
  std::string list = "soak";
  for (int i = 0; i < 100; ++i) list += ",soak";
  return list;
}

// As by Ctrl-C, when the work has begun.
TEST_F(BenchTest, NothingIsLeftBehindByOneThatIsInterrupted) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Running running = Start({"bench", "--keys", "100000", "--json",
                             "--workload", "fill," + ManySoaks()});
    EXPECT_THAT(running.pipes->ReadUntil("\n"), HasSubstr("fill"));
    EXPECT_NE(FilesBesideTheStore(), std::set<std::string>());
    running.process->Signal(signal);
    EXPECT_EQ(running.process->Wait(), 128 + signal);
    EXPECT_EQ(FilesBesideTheStore(), std::set<std::string>());
  }
}

TEST_F(BenchTest, ATerminalShowsHowFarItIs) {
  Running running =
      StartOnTerminal({"bench", "--keys", "100000", "--workload", ManySoaks()});
  EXPECT_THAT(running.pipes->ReadUntil("%"), HasSubstr("soak"));
  running.process->Signal(SIGINT);
  EXPECT_EQ(running.process->Wait(), 128 + SIGINT);
}

}  // namespace
}  // namespace stave::tool
