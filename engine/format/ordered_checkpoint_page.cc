#include "engine/format/ordered_checkpoint_page.h"

#include <algorithm>

#include "engine/base/coding.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

constexpr size_t kSharedAt = 6;
constexpr size_t kRestSizeAt = 8;
static_assert(kRestSizeAt + sizeof(uint16_t) == kOrderedCheckpointRowBytes);
constexpr uint64_t kEntryMask = (uint64_t{1} << 8 * kSharedAt) - 1;

absl::Status WrongPage() {
  return absl::DataLossError("a page has not the bytes of its keys");
}

}  // namespace

void OrderedCheckpointPageBuilder::Add(std::string_view key, uint64_t entry) {
  const auto differ =
      std::mismatch(last_.begin(), last_.end(), key.begin(), key.end());
  const auto shared = static_cast<size_t>(differ.first - last_.begin());
  const std::string_view rest = key.substr(shared);
  // The two bytes behind an entry are written over.
  char row[kOrderedCheckpointRowBytes];
  EncodeFixed(entry, row);
  EncodeFixed(static_cast<uint16_t>(shared), row + kSharedAt);
  EncodeFixed(static_cast<uint16_t>(rest.size()), row + kRestSizeAt);
  rows_.append(row, sizeof(row));
  rests_.append(rest);
  last_.resize(shared);
  last_.append(rest);
  ++keys_;
}

uint64_t OrderedCheckpointPageBuilder::AppendTo(std::string* to) {
  const uint64_t size = rows_.size() + rests_.size();
  to->append(rows_).append(rests_);
  keys_ = 0;
  rows_.clear();
  rests_.clear();
  last_.clear();
  return size;
}

absl::Status VisitOrderedCheckpointPage(
    std::string_view page, uint32_t keys,
    absl::FunctionRef<absl::Status(const OrderedCheckpointKey&)> visit) {
  if (keys > page.size() / kOrderedCheckpointRowBytes) return WrongPage();
  std::string_view rests = page.substr(keys * kOrderedCheckpointRowBytes);
  for (uint32_t i = 0; i < keys; ++i) {
    const char* const row = &page[i * kOrderedCheckpointRowBytes];
    const size_t size = DecodeFixed<uint16_t>(row + kRestSizeAt);
    if (size > rests.size()) return WrongPage();
    RETURN_IF_ERROR(
        visit({DecodeFixed<uint64_t>(row) & kEntryMask,
               DecodeFixed<uint16_t>(row + kSharedAt), rests.substr(0, size)}));
    rests.remove_prefix(size);
  }
  return rests.empty() ? absl::OkStatus() : WrongPage();
}

}  // namespace stave
