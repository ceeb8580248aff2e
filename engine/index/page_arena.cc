#include "engine/index/page_arena.h"

namespace stave {
namespace {

// From this length on, the next is near enough to take instead.
constexpr uint32_t kMinLengthToExceed = 64;

}  // namespace

absl::StatusOr<PageArena::Block> PageArena::Allocate(uint32_t min_length) {
  SpinLockHolder hold(&lock_);
  const size_t kind = KindToTake(min_length);
  if (open_[kind].numbers.empty()) {
    absl::StatusOr<uint32_t> number = pool_.Take();
    if (!number.ok()) return number.status();
    Open(*number, kind);
  }
  return TakeBlock(kind);
}

size_t PageArena::KindToTake(uint32_t min_length) const {
  const size_t kind = BlockKindFor(min_length);
  const bool next_is_free = kind + 1 < kBlockKinds &&
                            BlockLength(kind) >= kMinLengthToExceed &&
                            !open_[kind + 1].numbers.empty();
  return open_[kind].numbers.empty() && next_is_free ? kind + 1 : kind;
}

void PageArena::Open(uint32_t number, size_t kind) {
  if (number >= spans_.size()) spans_.resize(number + 1);
  spans_[number] = PageSpan(kind);
  open_[kind].numbers.insert(number);
  open_[kind].free_blocks += spans_[number].free();
}

PageArena::Block PageArena::TakeBlock(size_t kind) {
  OpenSpans& open = open_[kind];
  // The lowest number, so that spans with high ones become free.
  const uint32_t number = *open.numbers.begin();
  PageSpan& span = spans_[number];
  const uint32_t line = span.Take();
  --open.free_blocks;
  if (span.free() == 0) open.numbers.erase(open.numbers.begin());
  return Block{number * kLinesPerSpan + line, BlockLength(kind)};
}

void PageArena::Free(absl::Span<const uint32_t> offsets) {
  std::vector<uint32_t> emptied;
  {
    SpinLockHolder hold(&lock_);
    for (const uint32_t offset : offsets) {
      if (FreeBlock(offset)) emptied.push_back(SpanOf(offset));
    }
  }
  for (const uint32_t number : emptied) pool_.Return(number);
}

// Returns whether the block's span is free with it.
bool PageArena::FreeBlock(uint32_t offset) {
  const uint32_t number = SpanOf(offset);
  PageSpan& span = spans_[number];
  OpenSpans& open = open_[span.kind()];
  span.Free(offset % kLinesPerSpan);
  if (span.used() == 0) {
    if (!span.evacuating()) {
      open.free_blocks -= span.free() - 1;
      open.numbers.erase(number);
    }
    return true;
  }
  if (!span.evacuating()) {
    ++open.free_blocks;
    if (span.free() == 1) open.numbers.insert(number);
  }
  return false;
}

std::vector<uint32_t> PageArena::BeginEvacuation() {
  std::vector<uint32_t> victims;
  SpinLockHolder hold(&lock_);
  for (size_t kind = 0; kind < kBlockKinds; ++kind) {
    OpenSpans& open = open_[kind];
    const uint32_t blocks = kBlocksPerSpan[kind];
    while (open.free_blocks > blocks + blocks / 2) {
      const uint32_t number = *open.numbers.rbegin();
      open.numbers.erase(number);
      open.free_blocks -= spans_[number].free();
      spans_[number].Evacuate();
      victims.push_back(number);
    }
  }
  return victims;
}

uint64_t PageArena::bytes() const {
  const uint64_t span_bytes = pool_.bytes();
  SpinLockHolder hold(&lock_);
  return span_bytes + spans_.size() * sizeof(PageSpan);
}

}  // namespace stave
