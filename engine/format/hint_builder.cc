#include "engine/format/hint_builder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/types.h"

namespace stave {
namespace {

constexpr int kDigitBits = 8;
constexpr size_t kDigits = size_t{1} << kDigitBits;
constexpr size_t kFewEntries = 64;

size_t DigitOf(const HintEntry& entry, int shift) {
  return entry.prefix() >> shift & (kDigits - 1);
}

// Sorts entries whose prefixes agree above the digit at `shift`: deals them
// out in place, each to where those of its digit belong.
void SortFromDigit(HintEntry* entries, size_t size, int shift) {
  if (size <= kFewEntries || shift < 0) {
    std::sort(entries, entries + size);
    return;
  }
  std::array<size_t, kDigits> ends{};
  for (size_t i = 0; i < size; ++i) ++ends[DigitOf(entries[i], shift)];
  std::array<size_t, kDigits> next;
  size_t begin = 0;
  for (size_t digit = 0; digit < kDigits; ++digit) {
    next[digit] = begin;
    begin += ends[digit];
    ends[digit] = begin;
  }
  // Rounds over all places that may still hold what belongs elsewhere: unlike
  // a walk from each entry to the one in its place, no step waits for the one
  // before it to come from memory.
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t digit = 0; digit < kDigits; ++digit) {
      for (size_t i = next[digit]; i < ends[digit]; ++i) {
        std::swap(entries[i], entries[next[DigitOf(entries[i], shift)]++]);
        moved = true;
      }
    }
  }
  begin = 0;
  for (const size_t end : ends) {
    SortFromDigit(entries + begin, end - begin, shift - kDigitBits);
    begin = end;
  }
}

template <typename Item>
std::string_view BytesOf(const std::vector<Item>& items) {
  return std::string_view(reinterpret_cast<const char*>(items.data()),
                          items.size() * sizeof(Item));
}

// Keeps the last one of each key's entries, which are neighbours.
void KeepLast(std::vector<HintEntry>* entries) {
  size_t kept = 0;
  for (const HintEntry& entry : *entries) {
    if (kept > 0 && (*entries)[kept - 1].IsOfSameKeyAs(entry)) --kept;
    (*entries)[kept++] = entry;
  }
  entries->resize(kept);
}

// The body's blocks lie in two arrays; one of them may lie in both.
std::vector<uint32_t> Checksums(std::string_view entries,
                                std::string_view sizes, uint32_t seed) {
  std::vector<uint32_t> checksums;
  const size_t whole = entries.size() / kHintBlockBytes * kHintBlockBytes;
  for (size_t at = 0; at < whole; at += kHintBlockBytes) {
    checksums.push_back(HintBlockChecksum(seed, checksums.size(),
                                          entries.substr(at, kHintBlockBytes)));
  }
  std::string rest(entries.substr(whole));
  rest += sizes;
  for (size_t at = 0; at < rest.size(); at += kHintBlockBytes) {
    checksums.push_back(
        HintBlockChecksum(seed, checksums.size(),
                          std::string_view(rest).substr(at, kHintBlockBytes)));
  }
  return checksums;
}

}  // namespace

void SortHintEntries(HintEntry* entries, size_t size) {
  SortFromDigit(entries, size, 64 - kDigitBits);
}

std::vector<std::string_view> HintImage::Parts() const {
  return {header, BytesOf(entries), BytesOf(sizes), BytesOf(checksums)};
}

void HintBuilder::Add(const KeyHash& hash, uint64_t offset,
                      const RecordHeader& header) {
  const bool is_put = header.kind == RecordKind::kPut;
  if (!is_put && header.kind != RecordKind::kDelete) return;
  entries_.emplace_back(hash, offset, header);
  if (!is_put || header.record_size() <= HintEntry::kMaxExactSize) return;
  sizes_.push_back(
      {static_cast<uint32_t>(offset / kRecordAlignment),
       static_cast<uint32_t>(header.record_size() / kRecordAlignment)});
}

HintImage HintBuilder::Build(const SegmentHeader& segment,
                             const SegmentSummary& summary,
                             uint32_t secret_check) && {
  SortHintEntries(entries_.data(), entries_.size());
  KeepLast(&entries_);
  HintHeader header;
  header.segment = segment;
  header.summary = summary;
  header.secret_check = secret_check;
  header.entries = static_cast<uint32_t>(entries_.size());
  header.sizes = static_cast<uint32_t>(sizes_.size());
  HintImage image;
  image.header = EncodeHintHeader(header);
  image.entries = std::move(entries_);
  image.sizes = std::move(sizes_);
  image.checksums = Checksums(BytesOf(image.entries), BytesOf(image.sizes),
                              SegmentSeed(segment.salt, segment.id));
  return image;
}

}  // namespace stave
