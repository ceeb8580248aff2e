#ifndef STAVE_ENGINE_CORE_CHECKPOINT_PAGES_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_PAGES_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/core/checkpoint_segments.h"
#include "engine/format/checkpoint.h"
#include "engine/fs/file_system.h"
#include "engine/index/keydir.h"

namespace stave {

// DataLoss if the file ends before that.
absl::Status ReadExactly(const File& file, uint64_t offset,
                         absl::Span<char> to);

// A checkpoint whose header and tables are right.
struct CheckpointSource {
  // DataLoss, if these are not the bytes that the page at `offset` had.
  absl::Status CheckPage(uint64_t offset, std::string_view bytes,
                         uint32_t checksum) const;

  const File& file;
  const CheckpointHeader& header;
  std::string_view pages;  // their table
  const CheckpointSegments& segments;
};

// Fill a keydir without keys from a checkpoint's pages, with a thread for each
// of `counts`, to which it adds. What lies in segments that are gone is left
// out. DataLoss where bytes are wrong; after an error there is no more use for
// the keydir.
absl::Status ReadHashedPages(const CheckpointSource& source,
                             KeydirCopier* keydir,
                             absl::Span<CheckpointSegments::Counts> counts);
absl::Status ReadOrderedPages(const CheckpointSource& source, KeyOrder* keydir,
                              absl::Span<CheckpointSegments::Counts> counts);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_PAGES_H_
