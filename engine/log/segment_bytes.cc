#include "engine/log/segment_bytes.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace stave {

bool SegmentBytes::Load(uint64_t offset, uint64_t least) {
  status_ = absl::OkStatus();  // it may be readable again
  if (offset > size_) return false;
  const uint64_t length =
      std::min(std::max<uint64_t>(least, kReadBytes), size_ - offset);
  auto memory = std::make_shared_for_overwrite<char[]>(length);
  const absl::StatusOr<size_t> read =
      segment_->Read(offset, absl::MakeSpan(memory.get(), length));
  status_ = read.status();
  if (status_.ok() && *read < length) {
    status_ = absl::DataLossError(
        absl::StrCat(segment_->name(), ", offset ", offset + *read,
                     ": the file ends here, not at ", size_));
  }
  if (!status_.ok()) return false;
  memory_ = std::move(memory);
  data_ = memory_.get();
  begin_ = offset;
  length_ = length;
  return true;
}

}  // namespace stave
