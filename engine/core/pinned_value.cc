#include "stave/pinned_value.h"

#include "engine/log/segment.h"

namespace stave {

PinnedValue::~PinnedValue() {
  if (segment_ != nullptr) segment_->Unpin();
}

}  // namespace stave
