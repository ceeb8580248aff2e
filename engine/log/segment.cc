#include "engine/log/segment.h"

#include <utility>

#include "absl/status/status.h"
#include "engine/base/epoch.h"

namespace stave {

std::shared_ptr<Segment> Segment::Adopt(Parts parts) {
  return std::shared_ptr<Segment>(new Segment(std::move(parts)),
                                  [](Segment* segment) { segment->Retire(); });
}

Segment::Segment(Parts parts)
    : data_(parts.mapping != nullptr ? parts.mapping->data() : nullptr),
      capacity_(parts.mapping != nullptr ? parts.mapping->size()
                                         : parts.capacity),
      first_(parts.first),
      seed_(SegmentSeed(parts.header.salt, parts.header.id)),
      header_(parts.header),
      replaces_another_(parts.replaces_another),
      name_(std::move(parts.name)),
      mapping_(std::move(parts.mapping)),
      file_(std::move(parts.file)) {
  counters_.has_file = file_ != nullptr;
}

// live_bytes() may be too high where a header could not be read. Of a segment
// that is mapped such a header is wrong, and who walks the records will see it.
bool Segment::IsAllLive(uint64_t end) const {
  return is_mapped() && !counters_.may_have_less &&
         counters_.live_bytes + counters_.keyless_bytes ==
             end - kSegmentHeaderBytes;
}

void Segment::EndAppends() {
  if (!is_mapped()) return;  // it is read through its file
  // A stray store into a sealed segment is a bug; it only loses a safeguard if
  // this fails.
  mapping_->MakeReadOnly().IgnoreError();
  counters_.has_file = false;
  file_ = nullptr;
}

absl::StatusOr<size_t> Segment::Read(uint64_t offset,
                                     absl::Span<char> to) const {
  absl::StatusOr<size_t> read = file_->Read(offset, to);
  if (!absl::IsInternal(read.status())) return read;
  return absl::DataLossError(read.status().message());
}

Segment::Stripe& Segment::MyStripe() {
  static std::atomic<size_t> next_thread{0};
  thread_local const size_t stripe =
      next_thread.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return stripes_[stripe];
}

void Segment::Pin() { MyStripe().pins.fetch_add(1, std::memory_order_relaxed); }

// Either this Unpin sees retired_, or Retire sees its decrement: both orders
// are sequentially consistent. The guard keeps the segment while another
// thread finds that this pin was the last one. A pin may be released on
// another thread than it was taken, so only the stripes' sum has a meaning.
void Segment::Unpin() {
  {
    EpochGuard guard;
    MyStripe().pins.fetch_sub(1, std::memory_order_seq_cst);
    if (!retired_.load(std::memory_order_seq_cst)) return;
    if (!LastPinIsGone()) return;
  }
  Destroy();
}

void Segment::Retire() {
  {
    EpochGuard guard;  // as in Unpin, which may find the last pin first
    retired_.store(true, std::memory_order_seq_cst);
    if (!LastPinIsGone()) return;
  }
  Destroy();
}

void Segment::Destroy() {
  WaitForReaders();
  delete this;
}

bool Segment::IsPinned() const {
  int64_t pins = 0;
  for (const Stripe& stripe : stripes_) {
    pins += stripe.pins.load(std::memory_order_seq_cst);
  }
  return pins != 0;
}

bool Segment::LastPinIsGone() {
  MutexLock lock(&retire_mutex_);
  if (IsPinned() || destroyed_) return false;
  destroyed_ = true;
  return true;
}

}  // namespace stave
