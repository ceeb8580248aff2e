#include "engine/log/hint_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"
#include "engine/format/hint_builder.h"
#include "engine/format/record.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

constexpr size_t kEntriesPerBlock = kHintBlockBytes / sizeof(HintEntry);

// `count` * prefix / 2^64: about where an entry of random hash stands.
size_t ExpectedPlace(size_t count, uint64_t prefix) {
  return (count * (prefix >> 32)) >> 32;
}

absl::Status WriteFile(Directory* directory, const std::string& name,
                       const HintImage& image) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->CreateFile(name));
  absl::Status status = file->Write(0, image.Parts());
  if (status.ok()) status = DURABILITY_SITE(kHintSync, file->SyncData());
  // What a failed sync leaves looks right to reads and may be lost all the
  // same; and half a file is only in the way.
  if (!status.ok()) directory->Unlink(name).IgnoreError();
  return status;
}

}  // namespace

uint32_t HintSecretCheck(const KeyHasher& hasher) {
  return static_cast<uint32_t>(hasher({}).prefix);
}

absl::StatusOr<std::unique_ptr<HintFile>> HintFile::Open(
    Directory* directory, const SegmentHeader& segment,
    const SegmentSummary& summary, const KeyHasher& hasher,
    ReadMode read_mode) {
  const std::string name = HintFileName(segment.id);
  const std::string path = absl::StrCat(directory->path(), "/", name);
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->OpenFile(name, /*writable=*/false));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  char bytes[kHintHeaderBytes] = {};
  ASSIGN_OR_RETURN(const size_t read, file->Read(0, absl::MakeSpan(bytes)));
  const absl::StatusOr<HintHeader> header =
      DecodeHintHeader(std::string_view(bytes, read));
  if (!header.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, ", offset 0: ", header.status().message()));
  }
  const bool is_of_another = header->segment.id != segment.id ||
                             header->segment.salt != segment.salt ||
                             header->summary != summary ||
                             header->secret_check != HintSecretCheck(hasher);
  if (DURABILITY_SITE(kHintIdentityCheck, is_of_another)) {
    return absl::DataLossError(absl::StrCat(
        path, ", offset 0: it does not tell of the segment that is there"));
  }
  if (DURABILITY_SITE(kHintLengthCheck, size != header->file_bytes())) {
    return absl::DataLossError(absl::StrCat(path, ", offset ", size,
                                            ": the file ends here, not at ",
                                            header->file_bytes()));
  }
  ASSIGN_OR_RETURN(Bytes all, ReadAll(file.get(), size, read_mode));
  return std::unique_ptr<HintFile>(new HintFile(*header, std::move(all), path));
}

absl::StatusOr<HintFile::Bytes> HintFile::ReadAll(File* file, uint64_t size,
                                                  ReadMode read_mode) {
  Bytes bytes;
  if (read_mode == ReadMode::kMap) {
    ASSIGN_OR_RETURN(bytes.mapping, file->Map(size, /*writable=*/false));
    return bytes;
  }
  bytes.copy = std::make_unique<char[]>(size);
  // What a file that became shorter lacks are zeros, which no checksum fits.
  RETURN_IF_ERROR(
      file->Read(0, absl::MakeSpan(bytes.copy.get(), size)).status());
  return bytes;
}

HintFile::HintFile(const HintHeader& header, Bytes bytes, std::string path)
    : header_(header),
      bytes_(std::move(bytes)),
      data_(bytes_.copy != nullptr ? bytes_.copy.get()
                                   : bytes_.mapping->data()),
      path_(std::move(path)),
      seed_(SegmentSeed(header.segment.salt, header.segment.id)),
      right_blocks_(new std::atomic<uint64_t>[header.blocks() / 64 + 1]()) {}

absl::Span<const HintEntry> HintFile::all() const {
  return absl::MakeConstSpan(reinterpret_cast<const HintEntry*>(body()),
                             header_.entries);
}

absl::Span<const HintedSize> HintFile::all_sizes() const {
  return absl::MakeConstSpan(reinterpret_cast<const HintedSize*>(
                                 body() + header_.entries * sizeof(HintEntry)),
                             header_.sizes);
}

size_t HintFile::PlaceOf(const HintEntry& entry) const {
  const absl::Span<const HintEntry> entries = all();
  // Widens a window around the place to be expected until it holds the real
  // one, which is seldom farther away than the root of the number.
  size_t begin = ExpectedPlace(entries.size(), entry.prefix());
  size_t end = begin;
  for (size_t step = 16; begin > 0 && entries[begin - 1] >= entry; step *= 2) {
    end = begin - 1;
    begin -= std::min(begin, step);
  }
  if (end == begin) {
    for (size_t step = 16; end < entries.size() && entries[end] < entry;
         step *= 2) {
      begin = end + 1;
      end += std::min(entries.size() - end, step);
    }
  }
  return static_cast<size_t>(
      std::lower_bound(entries.begin() + begin, entries.begin() + end, entry) -
      entries.begin());
}

absl::Status HintFile::VerifyBlocks(uint64_t begin_byte,
                                    uint64_t end_byte) const {
  for (uint64_t block = begin_byte / kHintBlockBytes;
       block * kHintBlockBytes < end_byte; ++block) {
    std::atomic<uint64_t>& known = right_blocks_[block / 64];
    const uint64_t bit = uint64_t{1} << block % 64;
    if ((known.load(std::memory_order_relaxed) & bit) != 0) continue;
    if (DURABILITY_SITE(kHintBlockCheck, !BlockIsRight(block))) {
      return Damage(kHintHeaderBytes + block * kHintBlockBytes,
                    "wrong checksum of a block");
    }
    known.fetch_or(bit, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

bool HintFile::BlockIsRight(uint64_t block) const {
  const std::string_view all(body(), header_.body_bytes());
  const char* const checksums = body() + header_.body_bytes();
  return HintBlockChecksum(
             seed_, block,
             all.substr(block * kHintBlockBytes, kHintBlockBytes)) ==
         DecodeFixed<uint32_t>(checksums + block * sizeof(uint32_t));
}

// Entries of [begin, end), and their neighbours, if there are any: so it is
// known that what lies between is all that there is between them.
absl::Status HintFile::VerifyEntries(size_t begin, size_t end) const {
  const absl::Span<const HintEntry> entries = all();
  if (begin > 0) --begin;
  if (end < entries.size()) ++end;
  RETURN_IF_ERROR(
      VerifyBlocks(begin * sizeof(HintEntry), end * sizeof(HintEntry)));
  for (size_t i = begin; i < end; ++i) {
    const bool in_order =
        i == begin || (entries[i - 1] < entries[i] &&
                       !entries[i - 1].IsOfSameKeyAs(entries[i]));
    if (!in_order || !entries[i].FitsIn(header_.summary.length)) {
      return Damage(kHintHeaderBytes + i * sizeof(HintEntry),
                    "an entry that can't be there");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<HintEntry>> HintFile::Find(
    const KeyHash& hash) const {
  const absl::Span<const HintEntry> entries = all();
  const HintEntry least = HintEntry::LeastOf(hash);
  const size_t place = PlaceOf(least);
  const size_t end = std::min(place + 1, entries.size());
  RETURN_IF_ERROR(VerifyEntries(place, end));
  if ((place > 0 && entries[place - 1] >= least) ||
      (place < end && entries[place] < least)) {
    return Damage(kHintHeaderBytes + place * sizeof(HintEntry),
                  "entries out of order");
  }
  if (place == end || !entries[place].IsOfSameKeyAs(least)) {
    return std::optional<HintEntry>();
  }
  return std::optional<HintEntry>(entries[place]);
}

bool HintFile::MayContain(const KeyHash& hash) const {
  const absl::StatusOr<std::optional<HintEntry>> found = Find(hash);
  return !found.ok() || found->has_value();
}

absl::Status HintFile::Visit(
    uint64_t least, uint64_t greatest,
    absl::FunctionRef<absl::Status(absl::Span<const HintEntry>)> visit) const {
  const absl::Span<const HintEntry> entries = all();
  const size_t begin = PlaceOf(HintEntry::LeastOf({least, 0}));
  const size_t end = greatest == UINT64_MAX
                         ? entries.size()
                         : PlaceOf(HintEntry::LeastOf({greatest + 1, 0}));
  const auto is_outside = [&](size_t i) {
    return entries[i].prefix() < least || entries[i].prefix() > greatest;
  };
  if (begin > end) {
    return Damage(kHintHeaderBytes + end * sizeof(HintEntry),
                  "entries out of order");
  }
  // A few blocks at a time, so that they are visited while they are near.
  for (size_t at = begin; at < end || at == begin;) {
    const size_t stop =
        std::min(end, (at / kEntriesPerBlock + 4) * kEntriesPerBlock);
    RETURN_IF_ERROR(VerifyEntries(at, stop));
    if ((at == begin && begin > 0 && !is_outside(begin - 1)) ||
        (stop == end && end < entries.size() && !is_outside(end)) ||
        (at < stop && (is_outside(at) || is_outside(stop - 1)))) {
      return Damage(kHintHeaderBytes + at * sizeof(HintEntry),
                    "entries out of order");
    }
    if (at >= stop) break;
    RETURN_IF_ERROR(visit(entries.subspan(at, stop - at)));
    at = stop;
  }
  return absl::OkStatus();
}

uint64_t HintFile::LargeSizeAt(uint64_t offset) const {
  const absl::Span<const HintedSize> sizes = all_sizes();
  const auto found =
      std::lower_bound(sizes.begin(), sizes.end(), offset / kRecordAlignment,
                       [](HintedSize size, uint64_t units) {
                         return size.offset_units < units;
                       });
  if (found == sizes.end() ||
      found->offset_units != offset / kRecordAlignment) {
    return 0;
  }
  return found->size_units * kRecordAlignment;
}

absl::Status HintFile::Verify() const {
  RETURN_IF_ERROR(VerifyEntries(0, header_.entries));
  return VerifySizes();
}

absl::Status HintFile::VerifySizes() const {
  const uint64_t begin = header_.entries * sizeof(HintEntry);
  RETURN_IF_ERROR(VerifyBlocks(begin, header_.body_bytes()));
  uint64_t end = kSegmentHeaderBytes;
  for (const HintedSize& size : all_sizes()) {
    const uint64_t offset = size.offset_units * kRecordAlignment;
    const uint64_t bytes = size.size_units * kRecordAlignment;
    if (offset < end || bytes <= HintEntry::kMaxExactSize ||
        offset > header_.summary.length ||
        bytes > header_.summary.length - offset) {
      return Damage(kHintHeaderBytes + begin, "a record's size that can't be");
    }
    end = offset + bytes;
  }
  return absl::OkStatus();
}

absl::Status HintFile::Damage(uint64_t offset, std::string_view what) const {
  return absl::DataLossError(
      absl::StrCat(path_, ", offset ", offset, ": ", ToAbsl(what)));
}

absl::Status WriteHint(Directory* directory, Segment* segment,
                       const SegmentSummary& summary, const KeyHasher& hasher) {
  RemoveHint(directory, segment->id());
  segment->hint_bytes() = 0;
  SegmentScanner scanner(*segment, summary.length,
                         DURABILITY_SITE(kHintBodyCheck, true));
  HintBuilder builder(summary.records);
  RecordView record;
  auto step = scanner.Next(&record);
  for (; step == SegmentScanner::Step::kRecord; step = scanner.Next(&record)) {
    if (record.key.empty()) continue;
    builder.Add(hasher(record.key), record.offset, record.header);
  }
  const bool whole =
      step == SegmentScanner::Step::kCleanEnd && scanner.summary() == summary;
  if (DURABILITY_SITE(kHintSummaryCheck, !whole)) {
    return absl::DataLossError(absl::StrCat(
        directory->path(), "/", segment->name(), ", offset ", scanner.offset(),
        ": the segment's records are not those that were there when it was "
        "sealed"));
  }
  const HintImage image = std::move(builder).Build(segment->header(), summary,
                                                   HintSecretCheck(hasher));
  RETURN_IF_ERROR(WriteFile(directory, HintFileName(segment->id()), image));
  for (const std::string_view part : image.Parts()) {
    segment->hint_bytes() += part.size();
  }
  return absl::OkStatus();
}

void RemoveHint(Directory* directory, SegmentId id) {
  // There may be none; one that can't be removed is checked when it is read.
  directory->Unlink(HintFileName(id)).IgnoreError();
}

}  // namespace stave
