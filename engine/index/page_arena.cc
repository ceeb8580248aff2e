#include "engine/index/page_arena.h"

#include "engine/base/status_macros.h"

namespace stave {
namespace {

// From this length on, the next is near enough to take instead.
constexpr uint32_t kMinLengthToExceed = 64;

}  // namespace

absl::StatusOr<PageArena::Block> PageArena::Allocate(uint32_t min_length) {
  SpinLockHolder hold(&lock_);
  const size_t kind = KindToTake(min_length);
  if (open_[kind].numbers.empty()) {
    ASSIGN_OR_RETURN(const uint32_t number, pool_.Take());
    Open(number, kind);
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

void PageArena::Free(uint32_t offset) {
  const uint32_t number = SpanOf(offset);
  {
    SpinLockHolder hold(&lock_);
    PageSpan& span = spans_[number];
    span.Free(offset % kLinesPerSpan);
    if (!span.evacuating()) CountFreed(number);
    if (span.used() != 0) return;
  }
  // Nobody else knows of the span any more.
  pool_.Return(number);
}

// One more block of an open or full span is free.
void PageArena::CountFreed(uint32_t number) {
  const PageSpan& span = spans_[number];
  OpenSpans& open = open_[span.kind()];
  if (span.used() != 0) {
    open.numbers.insert(number);
    ++open.free_blocks;
  } else {
    open.numbers.erase(number);
    open.free_blocks -= span.free() - 1;
  }
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

bool PageArena::IsEvacuated(uint32_t offset) const {
  SpinLockHolder hold(&lock_);
  return spans_[SpanOf(offset)].evacuating();
}

uint64_t PageArena::bytes() const {
  const uint64_t span_bytes = pool_.bytes();
  SpinLockHolder hold(&lock_);
  return span_bytes + spans_.size() * sizeof(PageSpan);
}

}  // namespace stave
