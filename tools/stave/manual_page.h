#ifndef STAVE_TOOLS_STAVE_MANUAL_PAGE_H_
#define STAVE_TOOLS_STAVE_MANUAL_PAGE_H_

#include <string>

#include "tools/stave/help_text.h"

namespace stave::tool {

// The manual page stave(1), in the macros of man(7): what all the help texts
// say, in one piece.
std::string ManualPage(const ProgramHelp& program);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_MANUAL_PAGE_H_
