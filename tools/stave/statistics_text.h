#ifndef STAVE_TOOLS_STAVE_STATISTICS_TEXT_H_
#define STAVE_TOOLS_STAVE_STATISTICS_TEXT_H_

#include <string>
#include <vector>

#include "stave/statistics.h"

namespace stave::tool {

// A store's state for people, in lines that fit 80 columns but for advice;
// single segments in a few lines with bars. How long calls took is there where
// some were timed: a command that opens the store, looks and closes it has
// none to tell of.
std::string StatisticsText(const Statistics& statistics,
                           const ValueSample& values,
                           const std::vector<std::string>& advice);

// The same as one JSON object in a line, without its newline, and with each
// segment for itself.
std::string StatisticsJson(const Statistics& statistics,
                           const ValueSample& values,
                           const std::vector<std::string>& advice);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_STATISTICS_TEXT_H_
