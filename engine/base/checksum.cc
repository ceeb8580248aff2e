#include "engine/base/checksum.h"

#include "engine/base/checksum_internal.h"

namespace stave {

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
  // Two direct calls behind a flag cost less than one through a pointer.
  static const bool has_instructions = internal::HasCrc32cInstructions();
  return has_instructions ? internal::ExtendCrc32cByInstructions(crc, bytes)
                          : internal::ExtendCrc32cByTables(crc, bytes);
}

}  // namespace stave
