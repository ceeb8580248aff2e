#ifndef STAVE_TOOLS_STAVE_STATISTICS_TEXT_H_
#define STAVE_TOOLS_STAVE_STATISTICS_TEXT_H_

#include <string>

#include "stave/statistics.h"

namespace stave::tool {

// A store's state for people, in lines. What is counted since the store was
// opened is left out: one command opens it, looks, and closes it.
std::string StatisticsText(const Statistics& statistics,
                           const ValueSample& values);

// The same as one JSON object in a line, without its newline.
std::string StatisticsJson(const Statistics& statistics,
                           const ValueSample& values);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_STATISTICS_TEXT_H_
