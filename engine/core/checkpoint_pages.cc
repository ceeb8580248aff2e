#include "engine/core/checkpoint_pages.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"

namespace stave {

absl::Status ReadExactly(const File& file, uint64_t offset,
                         absl::Span<char> to) {
  ASSIGN_OR_RETURN(const size_t read, file.Read(offset, to));
  return read == to.size() ? absl::OkStatus()
                           : absl::DataLossError("the file became shorter");
}

absl::Status CheckpointSource::CheckPage(uint64_t offset,
                                         std::string_view bytes,
                                         uint32_t checksum) const {
  const bool damaged =
      CheckpointPageChecksum(header, offset, bytes) != checksum;
  if (!DURABILITY_SITE(kCheckpointPageCheck, damaged)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("offset ", offset, ": wrong checksum of a page"));
}

}  // namespace stave
