#ifndef STAVE_TOOLS_STAVE_SELECTION_H_
#define STAVE_TOOLS_STAVE_SELECTION_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "stave/glob.h"
#include "stave/store.h"
#include "tools/stave/record.h"

namespace stave::tool {

// Which keys of a store are wanted: those that fit all that is said here.
struct Selection {
  std::optional<Glob> glob;
  std::string prefix;
  std::string from;  // included
  std::string to;    // not included; empty: no bound
  uint64_t limit = std::numeric_limits<uint64_t>::max();
  // In byte order, the least `limit` of them. Takes memory for these keys.
  bool sort = false;
};

// Calls `visit` for each record selected, all as of one instant, until it
// returns an error. The record's bytes live until it returns.
absl::Status VisitRecords(Store& store, const Selection& selection,
                          RecordVisitor visit);

// The same, and the records come without their values.
absl::Status VisitKeys(Store& store, const Selection& selection,
                       RecordVisitor visit);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SELECTION_H_
