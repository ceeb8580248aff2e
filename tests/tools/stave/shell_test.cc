#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
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

TEST_F(ShellTest, ExpiriesAreGivenToldAndTakenAway) {
  EXPECT_THAT(Shell("SET a 1\n"
                    "TTL a\n"
                    "EXPIRE a 100\n"
                    "TTL a\n"
                    "EXPIRE a 2h\n"
                    "TTL a\n"
                    "PERSIST a\n"
                    "TTL a\n"
                    "EXPIRE b 1\n"
                    "PERSIST b\n"
                    "TTL b\n"
                    "GET a\n"),
              Prints("OK\n-1\nOK\n100\nOK\n7200\nOK\n-1\n"
                     "(nil)\n(nil)\n(nil)\n1\n"));
  for (const char* wrong :
       {"EXPIRE a", "EXPIRE a 0", "EXPIRE a -1", "EXPIRE a soon", "TTL",
        "TTL a b", "PERSIST \"\""}) {
    EXPECT_EQ(Shell(wrong).exit_code, 2) << wrong;
  }
}

TEST_F(ShellTest, NumbersAreCounted) {
  EXPECT_THAT(Shell("INCR n\nINCR n 5\nincrby n 10\nDECR n\nDECRBY n 20\n"
                    "GET n\nSET m Alice\n"),
              Prints("1\n6\n16\n15\n-5\n-5\nOK\n"));
  EXPECT_THAT(Shell("INCR m\n"), Fails(2, "no whole decimal number"));
  EXPECT_THAT(Shell("INCR n x\n"), Fails(2, "no whole number"));
  EXPECT_THAT(Shell("INCR n 9223372036854775807\nINCR n 9\n"),
              Fails(5, "no number of 64 bits"));
  EXPECT_NE(Shell("DECR n -9223372036854775808\n").exit_code, 0);
}

TEST_F(ShellTest, SeveralKeysAreSetAndReadTogether) {
  EXPECT_THAT(Shell("MSET a 1 \"b c\" \"2 x\" a 3\nMGET 'b c' none a\n"),
              Prints("OK\n2 x\n(nil)\n3\n"));
  EXPECT_THAT(Shell("MSET d 1 e\n"), Fails(2, "the last key has no value"));
  EXPECT_THAT(Shell("MSET d 1 \"\" 2\n"), Fails(2, "the key is empty"));
  EXPECT_THAT(Shell("MGET d\nCOUNT\n"), Prints("(nil)\n2\n"));
}

TEST_F(ShellTest, ExecWritesWhatWaitedSinceMulti) {
  EXPECT_THAT(Shell("SET gone 1\n"
                    "MULTI\n"
                    "SET a 1\n"
                    "MSET b 2 c 3\n"
                    "DELETE gone c\n"
                    "EXEC\n"
                    "MGET a b c gone\n"),
              Prints("OK\nOK\nQUEUED\nQUEUED\nQUEUED\nOK\n"
                     "1\n2\n(nil)\n(nil)\n"));
  EXPECT_THAT(Shell("MULTI\nSET x \"v\" EX 100\nEXEC\nTTL x\n"),
              Prints("OK\nQUEUED\nOK\n100\n"));
  EXPECT_THAT(Shell("MULTI\nEXEC\n"), Prints("OK\nOK\n"));
}

TEST_F(ShellTest, DiscardForgetsWhatWaited) {
  EXPECT_THAT(Shell("MULTI\nSET a 1\nDISCARD\nEXISTS a\nSET a 2\nGET a\n"),
              Prints("OK\nQUEUED\nOK\n0\nOK\n2\n"));
  EXPECT_THAT(Shell("DISCARD\n"), Fails(2, "no MULTI before this DISCARD"));
  EXPECT_THAT(Shell("EXEC\n"), Fails(2, "no MULTI before this EXEC"));
}

TEST_F(ShellTest, ALineThatFailsSpoilsItsMulti) {
  for (const char* wrong :
       {"GET a", "INCR a", "EXPIRE a 1", "MULTI", "FROB", "SET a", "MSET a"}) {
    const Ran ran =
        Shell(std::string("MULTI\nSET a 1\n") + wrong + "\nEXEC\nEXISTS a\n");
    EXPECT_THAT(ran, Fails(2, "line 3: ")) << wrong;
    EXPECT_THAT(ran, Fails(2, "line 4: nothing is written")) << wrong;
    EXPECT_THAT(ran.out, EndsWith("\n0\n")) << wrong;
  }
  // What failed before or after it is another matter.
  EXPECT_EQ(Shell("FROB\nMULTI\nSET b 1\nEXEC\n").out, "OK\nQUEUED\nOK\n");
}

TEST_F(ShellTest, AMultiWithoutExecWritesNothingAndSaysSo) {
  EXPECT_THAT(Shell("MULTI\nSET a 1\n"), Fails(2, "there was no EXEC"));
  EXPECT_THAT(Shell("MULTI\nSET a 1\nEXIT\n"), Fails(2, "there was no EXEC"));
  EXPECT_THAT(Shell("EXISTS a\n"), Prints("0\n"));
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
  EXPECT_THAT(Shell("HELP\n").out, HasSubstr("SET      key value"));
  EXPECT_THAT(Shell("STAT\n").out, HasSubstr("keys"));
  EXPECT_THAT(Run({"shell", "--json"}), Fails(2, "--json"));
}

TEST_F(ShellTest, SnapshotsAreSavedBySelfAsOftenAsTold) {
  const std::string file = Path("data.json");
  Running shell = Start({"shell", "--file", file, "--snapshot-every", "20ms"});
  for (const char* value : {"1", "2"}) {
    shell.pipes->Send(std::string("SET a ") + value + "\n");
    shell.pipes->ReadUntil("OK\n");
    const std::string pair = std::string("\"a\":\"") + value + "\"";
    while (BytesOf(file).find(pair) == std::string::npos) {
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

TEST_F(ShellTest, TheLastSnapshotIsThatOfTheEnd) {
  const std::string file = Path("data.json");
  EXPECT_THAT(Run({"shell", "--file", file, "--snapshot-every", "1h"},
                  "SET a 1\nSET b 2\nEXIT\n"),
              Prints("OK\nOK\nGoodbye!\n"));
  EXPECT_THAT(BytesOf(file), HasSubstr("\"b\":\"2\""));
  std::filesystem::remove(file);
  // Nothing is written, so nothing is saved.
  Run({"shell", "--file", file, "--snapshot-every", "1h"}, "GET a\n");
  EXPECT_EQ(BytesOf(file), "");
}

TEST_F(ShellTest, WhereNoSnapshotCanBeSavedIsTold) {
  const std::string file = Path("no/such/place/data.json");
  const Ran ran = Run({"shell", "--file", file, "--snapshot-every", "1h"},
                      "SET a 1\nEXIT\n");
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_THAT(ran.error, HasSubstr("no/such/place"));
  EXPECT_THAT(Run({"get", "a"}), Prints("1\n"));
  EXPECT_THAT(Run({"shell", "--snapshot-every", "soon"}), Fails(2, "soon"));
  EXPECT_THAT(Run({"shell", "--snapshot-every", "1h", "--read-only"}),
              Fails(2, "--read-only forbids"));
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
