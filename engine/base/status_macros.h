#ifndef STAVE_ENGINE_BASE_STATUS_MACROS_H_
#define STAVE_ENGINE_BASE_STATUS_MACROS_H_

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stave {

// absl::string_view is a class of its own in some builds of Abseil.
inline absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

}  // namespace stave

// Returns from the function with the expression's status unless it is OK.
#define RETURN_IF_ERROR(expression)                                     \
  do {                                                                  \
    if (absl::Status status_of_it = (expression); !status_of_it.ok()) { \
      return status_of_it;                                              \
    }                                                                   \
  } while (false)

// Moves the StatusOr's value into `variable` (which may be declared there), or
// returns from the function with its status.
#define ASSIGN_OR_RETURN(variable, expression) \
  STAVE_ASSIGN_OR_RETURN(STAVE_JOIN(status_or_, __LINE__), variable, expression)

#define STAVE_ASSIGN_OR_RETURN(result, variable, expression) \
  auto result = (expression);                                \
  if (!result.ok()) return std::move(result).status();       \
  variable = std::move(result).value()

#define STAVE_JOIN(a, b) STAVE_JOIN_EXPANDED(a, b)
#define STAVE_JOIN_EXPANDED(a, b) a##b

#endif  // STAVE_ENGINE_BASE_STATUS_MACROS_H_
