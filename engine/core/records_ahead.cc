#include "engine/core/records_ahead.h"

#include <algorithm>
#include <cstdint>

#include "engine/log/segment.h"

namespace stave {

void RecordsAhead::LoadOrAskDevice(KeydirEntry entry, RecordView* record) {
  record->memory = nullptr;
  if (entry.absent()) return;
  const Segment* const segment = state_.segments->Find(entry.location());
  const uint64_t offset = segment->OffsetOf(entry.location());
  const uint64_t size = entry.exact_size();
  if (size != 0 && LoadCachedRecord(*segment, offset, size, record)) return;
  // As much of a large one as its header's page, which will tell.
  segment->WillNeed(offset, std::max<uint64_t>(size, 1));
}

}  // namespace stave
