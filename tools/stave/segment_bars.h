#ifndef STAVE_TOOLS_STAVE_SEGMENT_BARS_H_
#define STAVE_TOOLS_STAVE_SEGMENT_BARS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "stave/statistics.h"

namespace stave::tool {

// A line for each segment, with a bar of its live and dead bytes as long as
// it is large; of more than `most_lines` segments, neighbours share a line.
// Empty where there are none.
//
//   segment 7               4.0 MiB  62% live  ##############--------
//   4 from 8 on             1.0 MiB  90% live  #####-
std::string SegmentBars(const std::vector<SegmentStatistics>& segments,
                        size_t most_lines);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SEGMENT_BARS_H_
