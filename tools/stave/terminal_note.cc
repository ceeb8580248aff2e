#include "tools/stave/terminal_note.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_format.h"

namespace stave::tool {

void NoteIfTerminal(std::string_view what) {
  if (isatty(STDIN_FILENO) != 1) return;
  absl::FPrintF(stderr, "Reading %s from the terminal; Ctrl-D ends it.\n",
                what);
}

}  // namespace stave::tool
