#ifndef STAVE_TOOLS_STAVE_STATUS_MACROS_H_
#define STAVE_TOOLS_STAVE_STATUS_MACROS_H_

#include "absl/status/status.h"

// Returns from the function with the expression's status unless it is OK.
#define RETURN_IF_ERROR(expression)                                     \
  do {                                                                  \
    if (absl::Status status_of_it = (expression); !status_of_it.ok()) { \
      return status_of_it;                                              \
    }                                                                   \
  } while (false)

#endif  // STAVE_TOOLS_STAVE_STATUS_MACROS_H_
