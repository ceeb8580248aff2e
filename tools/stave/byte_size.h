#ifndef STAVE_TOOLS_STAVE_BYTE_SIZE_H_
#define STAVE_TOOLS_STAVE_BYTE_SIZE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace stave::tool {

// Reads a size as people write it: 4096, 16KiB, 1MiB, 2GiB. InvalidArgument for
// anything else, and from 2^63 on.
absl::StatusOr<uint64_t> ParseByteSize(std::string_view text);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_BYTE_SIZE_H_
