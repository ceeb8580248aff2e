#include "tools/stave/help_text.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/stave/completion_script.h"
#include "tools/stave/manual_page.h"

namespace stave::tool {
namespace {

using testing::HasSubstr;

// A program of one command, whose texts have what shells and troff take for
// something else.
ProgramHelp Program() {
  const ParameterHelp action = {"WHAT", "WHAT", "a or b", {"a", "b"}};
  const ParameterHelp file = {"[FILE]", "FILE", "A file", {}};
  const ParameterHelp flag = {
      "[--from DIR]", "--from DIR", "It's [this]: \\ -", {}};
  return {{{"go",
            "Go there",
            ".hidden, and 'this'.\n\n  indented\n",
            {action, file, flag}}},
          {{"[--json]", "--json", "JSON", {}}}};
}

TEST(HelpTextTest, UsageIsBrokenBetweenWords) {
  ProgramHelp program = Program();
  for (int i = 0; i < 5; ++i) program.flags.push_back(program.flags.front());
  program.flags.push_back({std::string(30, 'x'), "x", "x", {}});
  EXPECT_THAT(HelpOfProgram(program),
              testing::StartsWith("Usage: stave [--json] [--json] [--json] "
                                  "[--json] [--json] [--json]\n       "
                                  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx COMMAND"));
}

TEST(HelpTextTest, BashGetsOneOfferForEachPlaceAndValue) {
  const std::string script = BashCompletion(Program());
  EXPECT_THAT(script, HasSubstr("\n      --from)\n"));
  EXPECT_THAT(script, HasSubstr("\n    'go --from') offer=directories ;;\n"));
  EXPECT_THAT(script, HasSubstr("\n          0) offer='a b' ;;\n"
                                "          1) offer=files ;;\n"
                                "          *) offer=nothing ;;\n"));
  EXPECT_THAT(script, HasSubstr("flags+=' --from'"));
  EXPECT_THAT(script, HasSubstr("'') offer='go' ;;"));
}

TEST(HelpTextTest, ZshGetsDescriptionsInItsQuotes) {
  const std::string script = ZshCompletion(Program());
  EXPECT_THAT(script, testing::StartsWith("#compdef stave\n"));
  EXPECT_THAT(
      script,
      HasSubstr("    go)\n"
                "      _arguments $flags \\\n"
                "        '--from[It'\\''s \\[this\\]\\: \\\\ -]:DIR:_files -/'"
                " \\\n"
                "        '1:WHAT:(a b)' \\\n"
                "        '2:FILE:_files' ;;\n"));
}

TEST(HelpTextTest, FishGetsALineForEach) {
  const std::string seen = "__fish_seen_subcommand_from go";
  EXPECT_THAT(
      FishCompletion(Program()),
      testing::EndsWith(
          "\ncomplete -c stave -n __fish_use_subcommand -a go -d 'Go there'\n"
          "complete -c stave -n '" +
          seen +
          "' -l from -x -a "
          "'(__fish_complete_directories)' -d 'It\\'s [this]: \\\\ -'\n"
          "complete -c stave -n '" +
          seen +
          "; and not __fish_seen_subcommand_from a b' -x -a 'a b'\n"
          "complete -c stave -n '" +
          seen + "; and __fish_seen_subcommand_from a b' -r -F\n"));
}

TEST(HelpTextTest, TheManualPageSaysAllOfIt) {
  EXPECT_THAT(ManualPage(Program()),
              testing::EndsWith(".SS go\n"
                                "\\fBstave go\\fR WHAT [FILE] "
                                "[\\-\\-from DIR]\n"
                                ".PP\nGo there.\n"
                                ".TP\n\\fBWHAT\\fR\na or b\n"
                                ".TP\n\\fBFILE\\fR\nA file\n"
                                ".TP\n\\fB\\-\\-from DIR\\fR\n"
                                "It\\(aqs [this]: \\(rs \\-\n"
                                ".PP\n\\&.hidden, and \\(aqthis\\(aq.\n"
                                ".PP\n.nf\n  indented\n.fi\n"));
}

}  // namespace
}  // namespace stave::tool
