#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class ShellTest : public ProgramTest {
 protected:
  ShellTest() { Set("TERM", "vt100"); }
  Ran Shell(std::string_view lines) const { return Run({"shell"}, lines); }
};

TEST_F(ShellTest, ASessionReadsAsPromised) {
  EXPECT_THAT(Shell("SET user:1 Alice\n"
                    "GET user:1\n"
                    "SET user:2 Bob\n"
                    "KEYS user:*\n"
                    "DELETE user:1\n"
                    "EXISTS user:1\n"
                    "EXISTS user:2\n"
                    "GET user:1\n"
                    "EXIT\n"),
              Prints("OK\nAlice\nOK\nuser:1\nuser:2\nOK\n0\n1\n(nil)\n"
                     "Goodbye!\n"));
  EXPECT_THAT(Run({"get", "user:2"}), Prints("Bob\n"));
}

TEST_F(ShellTest, CommandsMayBeOfAnyCaseAndHaveOtherNames) {
  EXPECT_THAT(Shell("set a 1\nGet a\nput b 2\ndEL a\nquit\n"),
              Prints("OK\n1\nOK\nOK\nGoodbye!\n"));
}

TEST_F(ShellTest, TheEndOfTheInputEndsIt) {
  EXPECT_THAT(Shell(""), Prints(""));
  EXPECT_THAT(Shell("SET a 1"), Prints("OK\n"));
  EXPECT_THAT(Shell("EXIT\nSET a 2\n"), Prints("Goodbye!\n"));
  EXPECT_THAT(Run({"get", "a"}), Prints("1\n"));
}

TEST_F(ShellTest, ValuesMayHaveSpacesAndAnyBytes) {
  EXPECT_THAT(Shell("SET a Alice B. Smith\n"
                    "GET a\n"
                    "SET \"a key\" \" x\\n\\x00\\xff\"\n"
                    "GET 'a key'\n"
                    "SCAN\n"),
              Prints("OK\nAlice B. Smith\nOK\n x\\n\\x00\\xff\n"
                     "a\tAlice B. Smith\na key\t x\\n\\x00\\xff\n"));
  EXPECT_THAT(Run({"get", "a key", "--raw"}),
              Prints(std::string(" x\n\0\xff", 5)));
}

TEST_F(ShellTest, SeveralKeysHaveAnAnswerEach) {
  EXPECT_THAT(Shell("SET a 1\nEXISTS a b\nDELETE b a\nCOUNT\nCOUNT x*\n"),
              Prints("OK\n1\n0\n(nil)\nOK\n0\n0\n"));
}

TEST_F(ShellTest, AnExpiryMayBeSet) {
  EXPECT_THAT(Shell("SET a \"v\" PX 3600000\nSET b \"v\" EX 3600\nCOUNT\n"),
              Prints("OK\nOK\n2\n"));
  EXPECT_THAT(Run({"scan", "--json", "a"}).out, HasSubstr("expire_at_ms"));
  EXPECT_THAT(Run({"scan", "--json", "b"}).out, HasSubstr("expire_at_ms"));
}

TEST_F(ShellTest, ABadLineIsNamedAndTheNextOneIsRun) {
  const Ran ran = Shell(
      "SET a 1\n"
      "FROB\n"
      "GET\n"
      "GET a b\n"
      "GET \"a\n"
      "SET \"\" v\n"
      "GET a\n");
  EXPECT_THAT(ran, Fails(2, "stave: 5 of 7 lines failed"));
  EXPECT_EQ(ran.out, "OK\n1\n");
  EXPECT_THAT(ran, Fails(2, "line 2: there is no command 'FROB'"));
  EXPECT_THAT(ran, Fails(2, "line 3: an argument is missing"));
  EXPECT_THAT(ran, Fails(2, "line 4: 'b' is one argument too many"));
  EXPECT_THAT(ran, Fails(2, "line 5: a quote is not closed"));
  EXPECT_THAT(ran, Fails(2, "line 6: the key is empty"));
}

TEST_F(ShellTest, ReadOnlyRefusesToWrite) {
  Run({"put", "a", "1"});
  const Ran ran = Run({"shell", "--read-only"}, "SET a 2\nGET a\n");
  EXPECT_THAT(ran, Fails(5, "line 1: "));
  EXPECT_EQ(ran.out, "1\n");
}

TEST_F(ShellTest, HelpAndStatAreForPeople) {
  EXPECT_THAT(Shell("HELP\n").out, HasSubstr("SET    key value"));
  EXPECT_THAT(Shell("STAT\n").out, HasSubstr("keys"));
  EXPECT_THAT(Run({"shell", "--json"}), Fails(2, "--json"));
}

TEST_F(ShellTest, AnswersComeBeforeTheNextCommandIsAwaited) {
  Running shell = Start({"shell"});
  shell.pipes->Send("SET a 1\n");
  EXPECT_EQ(shell.pipes->ReadUntil("\n"), "OK\n");
  shell.pipes->Send("GET a\nGET b\n");
  EXPECT_EQ(shell.pipes->ReadUntil("(nil)\n"), "1\n(nil)\n");
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(ShellTest, ATerminalHasAPrompt) {
  Running shell = StartOnTerminal({"shell"});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("SET user:1 Alice\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\nOK\r\n"));
  shell.pipes->Send("FROB\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "),
              HasSubstr("error: there is no command 'FROB'"));
  shell.pipes->Send("EXIT\r");
  EXPECT_THAT(shell.pipes->ReadAll(), EndsWith("Goodbye!\r\n"));
  EXPECT_EQ(shell.process->Wait(), 0);
  EXPECT_THAT(Run({"get", "user:1"}), Prints("Alice\n"));
}

// Also without a locale that knows them.
TEST_F(ShellTest, ATerminalTakesAllCharacters) {
  for (const char* locale : {"", "C", "C.UTF-8"}) {
    Set("LC_ALL", locale);
    Running shell = StartOnTerminal({"shell"});
    shell.pipes->ReadUntil("stave> ");
    shell.pipes->Send("SET k\xd0\xb9 x\xe2\x82\xacy\r");
    EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\nOK\r\n"));
    EXPECT_THAT(Run({"get", "k\xd0\xb9"}), Prints("x\xe2\x82\xacy\n"))
        << locale;
    shell.pipes->Send("DELETE k\xd0\xb9\r");
    EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\nOK\r\n"));
  }
}

TEST_F(ShellTest, ALineWithBytesThatAreNoCharactersIsRefused) {
  Run({"put", "k", "v"});
  Running shell = StartOnTerminal({"shell"});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("DELETE \xffk\xe9\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\\xHH"));
  shell.pipes->Send("SET k \"\\xff\"\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\nOK\r\n"));
  EXPECT_THAT(Run({"get", "k", "--raw"}), Prints("\xff"));
}

TEST_F(ShellTest, CtrlCGivesUpTheLineAndNotTheShell) {
  Running shell = StartOnTerminal({"shell"});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("SET a 1");
  shell.pipes->ReadUntil("SET a 1");
  shell.process->Signal(SIGINT);  // which is what the key does
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("GET a\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("(nil)"));
}

TEST_F(ShellTest, ATerminatedShellClosesItsStore) {
  Running shell = StartOnTerminal({"shell"});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("SET a 1\r");
  shell.pipes->ReadUntil("stave> ");
  shell.process->Signal(SIGTERM);
  EXPECT_THAT(shell.pipes->ReadAll(), EndsWith("Goodbye!\r\n"));
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(ShellTest, TheTabulatorCompletesCommandsAndKeys) {
  Run({"load"}, "user:alice\tA\nother\tB\n");
  Running shell = StartOnTerminal({"shell"});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->Send("GE\tus\t\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\nA\r\n"));
  shell.pipes->Send("ge\tot\t\r");
  EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("\nB\r\n"));
}

TEST_F(ShellTest, TheEndOfATerminalEndsItLikeExit) {
  Running shell = StartOnTerminal({"shell"});
  shell.pipes->ReadUntil("stave> ");
  shell.pipes->AwaitReadingByKey();
  shell.pipes->Send("\x04");
  EXPECT_THAT(shell.pipes->ReadAll(), EndsWith("Goodbye!\r\n"));
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(ShellTest, TheHistoryOutlivesTheShell) {
  Set("XDG_STATE_HOME", Path("state"));
  for (const char* line : {"SET a 1\r", "\x1b[A\r"}) {
    Running shell = StartOnTerminal({"shell"});
    shell.pipes->ReadUntil("stave> ");
    shell.pipes->Send(line);
    EXPECT_THAT(shell.pipes->ReadUntil("stave> "), HasSubstr("OK\r\n")) << line;
    // As when the terminal is closed.
    shell.process->Kill();
  }
  struct stat status;
  ASSERT_EQ(stat(Path("state/stave/history").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace stave::tool
