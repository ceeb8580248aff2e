#ifndef STAVE_TOOLS_STAVE_TERMINAL_NOTE_H_
#define STAVE_TOOLS_STAVE_TERMINAL_NOTE_H_

#include <string_view>

namespace stave::tool {

// Says on standard error that `what` is read from standard input, if that is a
// terminal: a person would wonder why nothing happens.
void NoteIfTerminal(std::string_view what);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_TERMINAL_NOTE_H_
