#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using testing::StartsWith;

// Ctrl-C, and what a service manager sends. Commands that make files beside
// the store have their tests where they are: bench_test, files_test.
class InterruptionTest : public ProgramTest,
                         public testing::WithParamInterface<int> {
 protected:
  void End(Running& running) {
    running.process->Signal(GetParam());
    EXPECT_EQ(running.process->Wait(), 128 + GetParam());
    EXPECT_EQ(BytesOf(Path("standard error")), "");
    const Ran fsck = Run({"fsck"});
    EXPECT_EQ(fsck.exit_code, 0) << fsck;
    EXPECT_THAT(fsck.out, StartsWith("Clean: "));
  }
};

TEST_P(InterruptionTest, ALoadLeavesAllThatItHasAcknowledged) {
  Running load = Start({"load", "--ack", "--batch", "2"});
  load.pipes->Send("a\t1\nb\t2\nc\t3\nd\t4\ne\t5\n");
  load.pipes->ReadUntil("4\n");
  End(load);
  EXPECT_THAT(Run({"scan", "--sort", "--limit", "4"}),
              Prints("a\t1\nb\t2\nc\t3\nd\t4\n"));
  EXPECT_THAT(Run({"put", "e", "5"}), Prints(""));
}

TEST_P(InterruptionTest, AShellBehindAPipeLeavesAllThatItHasAnswered) {
  Running shell = Start({"shell"});
  shell.pipes->Send("SET a 1\nINCR a\n");
  shell.pipes->ReadUntil("OK\n2\n");
  End(shell);
  EXPECT_THAT(Run({"get", "a"}), Prints("2\n"));
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptionTest,
                         testing::Values(SIGINT, SIGTERM, SIGHUP));

}  // namespace
}  // namespace stave::tool
