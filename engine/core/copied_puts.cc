#include "engine/core/copied_puts.h"

#include <string_view>

#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "stave/limits.h"

namespace stave {

static_assert(kMaxSegmentSizeBytes / kRecordAlignment <= UINT32_MAX);
static_assert(kMaxKeyBytes <= UINT16_MAX);

void CopiedPuts::Add(const CopiedPut& put) {
  const KeyHash& hash = put.key.hash;
  puts_.push_back({{hash.prefix, uint64_t{hash.tag} << KeydirSlot::kTagShift |
                                     put.from.bits()},
                   static_cast<uint32_t>(put.offset / kRecordAlignment),
                   static_cast<uint32_t>(put.size / kRecordAlignment)});
  if (!keeps_keys_) return;
  keys_.append(put.key.bytes);
  key_sizes_.push_back(static_cast<uint16_t>(put.key.bytes.size()));
}

void CopiedPuts::Visit(
    size_t together,
    absl::FunctionRef<void(absl::Span<const CopiedPut>)> visit) const {
  std::vector<CopiedPut> group;
  std::string_view keys = keys_;
  for (size_t i = 0; i < puts_.size(); ++i) {
    const Packed& put = puts_[i];
    const size_t key_size = keeps_keys_ ? key_sizes_[i] : 0;
    const auto tag =
        static_cast<uint16_t>(put.from.tagged_entry >> KeydirSlot::kTagShift);
    group.push_back({{keys.substr(0, key_size), {put.from.prefix, tag}},
                     put.from.entry(),
                     put.offset_units * kRecordAlignment,
                     put.size_units * kRecordAlignment});
    keys.remove_prefix(key_size);
    if (group.size() < together && i + 1 < puts_.size()) continue;
    visit(group);
    group.clear();
  }
}

}  // namespace stave
