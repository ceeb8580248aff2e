#include "tools/stave/manual_page.h"

#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tools/stave/version.h"

namespace stave::tool {
namespace {

// So that troff prints what stands there, and people can copy it.
std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\(rs"},
                                    {"-", "\\-"},
                                    {"'", "\\(aq"},
                                    {"`", "\\(ga"},
                                    {"^", "\\(ha"},
                                    {"~", "\\(ti"}});
}

// A line that begins with a dot would be taken for a macro.
std::string Line(absl::string_view text) {
  return absl::StrCat(absl::StartsWith(text, ".") ? "\\&" : "", Escaped(text),
                      "\n");
}

// Paragraphs are filled to the terminal's width, but for those with an
// indented line: they are examples or tables.
void AppendParagraphs(std::string_view text, std::string* page) {
  const absl::string_view view(text.data(), text.size());
  for (const absl::string_view paragraph :
       absl::StrSplit(view, "\n\n", absl::SkipWhitespace())) {
    const bool is_table =
        absl::StartsWith(paragraph, " ") || absl::StrContains(paragraph, "\n ");
    absl::StrAppend(page, ".PP\n", is_table ? ".nf\n" : "");
    for (const absl::string_view line :
         absl::StrSplit(paragraph, '\n', absl::SkipEmpty())) {
      *page += Line(line);
    }
    if (is_table) *page += ".fi\n";
  }
}

void AppendParameters(const std::vector<ParameterHelp>& parameters,
                      std::string* page) {
  for (const ParameterHelp& parameter : parameters) {
    absl::StrAppend(page, ".TP\n\\fB", Escaped(parameter.name), "\\fR\n",
                    Line(parameter.help));
  }
}

void AppendCommand(const CommandHelp& command, std::string* page) {
  absl::StrAppend(page, ".SS ", command.name, "\n\\fBstave ", command.name,
                  "\\fR");
  for (const ParameterHelp& parameter : command.parameters) {
    absl::StrAppend(page, " ", Escaped(parameter.usage));
  }
  absl::StrAppend(page, "\n.PP\n", Escaped(command.summary), ".\n");
  AppendParameters(command.parameters, page);
  AppendParagraphs(command.details, page);
}

}  // namespace

std::string ManualPage(const ProgramHelp& program) {
  std::string page = absl::StrCat(
      ".\\\" Written by `stave help --man`.\n"
      ".TH STAVE 1 \"\" \"stave ",
      kVersion,
      "\" \"User Commands\"\n"
      // Left-aligned, and no word taken apart: much of this is to be typed.
      ".ad l\n.nh\n"
      ".SH NAME\nstave \\- a key\\-value store in a directory\n"
      ".SH SYNOPSIS\n\\fBstave\\fR");
  for (const ParameterHelp& flag : program.flags) {
    absl::StrAppend(&page, " ", Escaped(flag.usage));
  }
  page +=
      " COMMAND ...\n.SH DESCRIPTION\n"
      "stave keeps values under keys, any bytes both, in a directory.\n";
  AppendParagraphs(AboutAllCommands(), &page);
  page += ".SH FLAGS\nThey may stand before or after the command.\n";
  AppendParameters(program.flags, &page);
  page += ".SH COMMANDS\n";
  for (const CommandHelp& command : program.commands) {
    AppendCommand(command, &page);
  }
  return page;
}

}  // namespace stave::tool
