#ifndef STAVE_TOOLS_STAVE_TOP_VIEW_H_
#define STAVE_TOOLS_STAVE_TOP_VIEW_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "stave/statistics.h"

namespace stave::tool {

// A look at a store, and the one before it, or twice the same.
struct TopView {
  struct Look {
    Statistics statistics;
    absl::Time at;           // to be shown
    absl::Duration elapsed;  // by a clock that nobody sets
  };

  const Look& before;
  const Look& now;

  // For a terminal of so many rows: what there is, how fast it changes, and
  // segments, in as many lines as are left, one at least.
  std::string Screen(const std::string& directory, size_t rows) const;
  // For a file or a pipe, columns as the heading has them.
  static std::string Heading();
  std::string Line() const;
  // One object, without a newline.
  std::string Json() const;

 private:
  double PerSecond(double change) const;
  // Change of a number.
  double PerSecond(uint64_t Statistics::*number) const;
  // What was added to segments, by writers and by merges.
  uint64_t WrittenBytes() const;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_TOP_VIEW_H_
