#include "engine/log/segment_writer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/checksum.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"

namespace stave {
namespace {

constexpr uint64_t kPopulatedAtOnceBytes = uint64_t{256} << 10;
// On a disk that is nearly full.
constexpr uint64_t kLastStepBytes = uint64_t{64} << 10;

absl::Status NoRoom() {
  return absl::UnavailableError("there is no room under the space bound");
}

// Reserves the first step and writes the header; null if the segment is not to
// be mapped. Sets `*mapped` to false where the file system turns out not to
// reserve space.
absl::StatusOr<std::unique_ptr<FileMapping>> PrepareFile(
    File* file, const SegmentWriter::Settings& settings, uint64_t* step,
    bool* mapped) {
  if (*mapped) {
    // I14: in a sparse file, a store on a full disk would be a SIGBUS.
    absl::Status status =
        DURABILITY_SITE(kAllocateAhead, file->Allocate(0, *step));
    if (absl::IsResourceExhausted(status) && *step > kLastStepBytes) {
      *step = kLastStepBytes;
      RETURN_IF_ERROR(file->Truncate(0));  // what a part of it has taken
      status = file->Allocate(0, *step);
    }
    *mapped = !absl::IsUnimplemented(status);
    if (*mapped) RETURN_IF_ERROR(status);
  }
  RETURN_IF_ERROR(file->Write(0, EncodeSegmentHeader(settings.header)));
  RETURN_IF_ERROR(DURABILITY_SITE(kSegmentHeaderSync, file->SyncData()));
  if (settings.read_mode == ReadMode::kPread) {
    return std::unique_ptr<FileMapping>();
  }
  return file->Map(settings.capacity, *mapped);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(
    Directory* directory, const Settings& settings) {
  const std::string name = SegmentFileName(settings.header.id);
  uint64_t step = std::min(settings.first_step, settings.capacity);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, directory->CreateFile(name));
  bool mapped = settings.mapped && settings.read_mode == ReadMode::kMap;
  auto mapping = PrepareFile(file.get(), settings, &step, &mapped);
  if (!mapping.ok()) {
    // The manifest never named it, so Open removes it if this fails.
    directory->Unlink(name).IgnoreError();
    return mapping.status();
  }
  Segment::Parts parts;
  parts.header = settings.header;
  parts.name = name;
  parts.file = std::move(file);
  parts.mapping = *std::move(mapping);
  parts.capacity = settings.capacity;
  parts.first = settings.range;
  std::shared_ptr<Segment> segment = Segment::Adopt(std::move(parts));
  const uint64_t allocated = mapped ? step : kSegmentHeaderBytes;
  segment->file_bytes().store(allocated, std::memory_order_relaxed);
  SegmentSummary empty;
  empty.length = kSegmentHeaderBytes;
  return std::unique_ptr<SegmentWriter>(
      new SegmentWriter(std::move(segment), empty, mapped, allocated));
}

std::unique_ptr<SegmentWriter> SegmentWriter::Resume(
    std::shared_ptr<Segment> segment, const SegmentSummary& summary,
    bool mapped) {
  return std::unique_ptr<SegmentWriter>(
      new SegmentWriter(std::move(segment), summary, mapped, summary.length));
}

SegmentWriter::SegmentWriter(std::shared_ptr<Segment> segment,
                             const SegmentSummary& summary, bool mapped,
                             uint64_t allocated)
    : segment_(std::move(segment)),
      mapped_(mapped),
      summary_(summary),
      allocated_(allocated),
      populated_(summary.length) {
  segment_->end().store(summary.length, std::memory_order_relaxed);
  segment_->growing().store(true, std::memory_order_relaxed);
}

absl::Status SegmentWriter::Reserve(uint64_t size, SpaceGate* gate,
                                    SpaceGate::Claim claim) {
  const uint64_t end = summary_.length + size;
  if (!mapped_) return ReserveUnmapped(end, gate, claim);
  if (end <= allocated_.load(std::memory_order_acquire)) {
    return absl::OkStatus();
  }
  const absl::Status status = AllocateThrough(end, gate, claim);
  if (!absl::IsUnimplemented(status)) return status;
  mapped_ = false;  // as when Create finds this out
  return ReserveUnmapped(end, gate, claim);
}

// Counts what will be written.
absl::Status SegmentWriter::ReserveUnmapped(uint64_t end, SpaceGate* gate,
                                            SpaceGate::Claim claim) {
  std::atomic<uint64_t>& file_bytes = segment_->file_bytes();
  const uint64_t counted = file_bytes.load(std::memory_order_relaxed);
  if (gate == nullptr || end <= counted) return absl::OkStatus();
  const uint64_t needed = end - counted;
  if (gate->Take(needed, needed, claim) == 0) return NoRoom();
  file_bytes.store(end, std::memory_order_relaxed);
  gate->Settle(needed);
  return absl::OkStatus();
}

absl::Status SegmentWriter::AllocateThrough(uint64_t end, SpaceGate* gate,
                                            SpaceGate::Claim claim) {
  MutexLock lock(&allocate_mutex_);
  const uint64_t allocated = allocated_.load(std::memory_order_relaxed);
  if (trimmed_ || end <= allocated) return absl::OkStatus();
  const uint64_t step =
      std::clamp(allocated, kLeastStepBytes, kGreatestStepBytes);
  const uint64_t most =
      std::min(std::max(end, allocated + step), segment_->capacity());
  if (gate == nullptr) return Allocate(end, most);
  const uint64_t taken = gate->Take(end - allocated, most - allocated, claim);
  if (taken == 0) return NoRoom();
  // A step that is cut short ends where huge pages do, if it can.
  const uint64_t limit = allocated + taken;
  const uint64_t whole = limit - limit % File::kHugePageBytes;
  const absl::Status status =
      Allocate(end, limit < most && whole >= end ? whole : limit);
  gate->Settle(taken);
  return status;
}

absl::Status SegmentWriter::Allocate(uint64_t end, uint64_t most) {
  const uint64_t allocated = allocated_.load(std::memory_order_relaxed);
  uint64_t target = 0;
  absl::Status status;
  // A disk that is nearly full may still have less.
  for (const uint64_t wanted :
       {most - allocated, kLastStepBytes, uint64_t{0}}) {
    const uint64_t smaller = std::min(std::max(end, allocated + wanted), most);
    if (smaller == target) continue;
    target = smaller;
    status = DURABILITY_SITE(
        kAllocateAhead,
        segment_->file()->Allocate(allocated, target - allocated));
    if (!absl::IsResourceExhausted(status)) break;
    // What a part of it has taken is wanted elsewhere. If this fails, some
    // zeros more stand behind the records.
    segment_->file()->Truncate(allocated).IgnoreError();
  }
  RETURN_IF_ERROR(status);
  segment_->file_bytes().store(target, std::memory_order_relaxed);
  allocated_.store(target, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status SegmentWriter::ExtendAhead(SpaceGate* gate) {
  if (!mapped_) return absl::OkStatus();
  const uint64_t allocated = allocated_.load(std::memory_order_acquire);
  const uint64_t step =
      std::clamp(allocated, kLeastStepBytes, kGreatestStepBytes);
  const uint64_t wanted = std::min(length() + step / 2, segment_->capacity());
  if (wanted <= allocated) return absl::OkStatus();
  return AllocateThrough(wanted, gate, SpaceGate::Claim::kIfThereIsRoom);
}

void SegmentWriter::PopulateAhead(uint64_t window, Pages pages) {
  MutexLock lock(&ahead_mutex_);
  if (!mapped_ || has_ended_) return;
  constexpr uint64_t kPage = 4096;
  const uint64_t tail = length() & ~(kPage - 1);
  const uint64_t from =
      std::max(populated_.load(std::memory_order_relaxed) & ~(kPage - 1), tail);
  const uint64_t allocated =
      allocated_.load(std::memory_order_acquire) & ~(kPage - 1);
  const uint64_t to = std::min(tail + window, allocated);
  // In pieces, since other threads' page faults may have to wait for one.
  uint64_t at = from;
  while (at < to) {
    constexpr uint64_t kHuge = File::kHugePageBytes;
    uint64_t size =
        std::min({to - at, kPopulatedAtOnceBytes, kHuge - at % kHuge});
    if (pages == Pages::kHuge && at % kHuge == 0 && at + kHuge <= allocated) {
      size = kHuge;
      segment_->file()->CacheInHugePages(at, size);
      huge_end_ = at + size;
    }
    segment_->mapping()->Populate(at, size);
    at += size;
  }
  if (from < at) populated_.store(at, std::memory_order_relaxed);
}

void SegmentWriter::StartSync() {
  MutexLock lock(&ahead_mutex_);
  const uint64_t full = length() & ~(File::kHugePageBytes - 1);
  if (!mapped_ || has_ended_ || full <= sync_started_) return;
  segment_->file()->StartSync(sync_started_, full - sync_started_);
  sync_started_ = full;
}

absl::StatusOr<uint64_t> SegmentWriter::Append(const PendingRecord& record,
                                               Sequence sequence) {
  RecordHeader header = record.header;
  header.sequence = sequence;
  return Put(header, record.key, record.value, record.size());
}

absl::StatusOr<uint64_t> SegmentWriter::AppendFrame(uint64_t body_bytes,
                                                    uint32_t records,
                                                    Sequence sequence) {
  RecordHeader header;
  header.kind = RecordKind::kBatch;
  header.value_size = static_cast<uint32_t>(body_bytes);
  header.body = records;
  header.sequence = sequence;
  return Put(header, {}, {}, header.header_size());
}

absl::StatusOr<uint64_t> SegmentWriter::Put(RecordHeader header,
                                            std::string_view key,
                                            std::string_view value,
                                            uint64_t size) {
  static constexpr char kZeros[kRecordAlignment] = {};
  const uint64_t offset = summary_.length;
  char bytes[kMaxRecordHeaderBytes];
  EncodeRecordHeader(header, segment_->SeedAt(offset), bytes);
  const size_t header_size = header.header_size();
  const size_t padding = size - header_size - key.size() - value.size();
  const std::string_view parts[] = {std::string_view(bytes, header_size), key,
                                    value, std::string_view(kZeros, padding)};
  if (mapped_) {
    segment_->mapping()->Store(offset, parts);
  } else {
    if (absl::Status status = segment_->file()->Write(offset, parts);
        !status.ok()) {
      // A part of a record behind the end would look like the log's end.
      RETURN_IF_ERROR(
          DURABILITY_SITE(kCutFailedWrite, segment_->file()->Truncate(offset)));
      segment_->file_bytes().store(offset, std::memory_order_relaxed);
      return status;
    }
    // More if Reserve has counted the rest of a batch.
    if (segment_->file_bytes().load(std::memory_order_relaxed) <
        offset + size) {
      segment_->file_bytes().store(offset + size, std::memory_order_relaxed);
    }
  }
  summary_.Account(header.sequence, std::string_view(bytes, 4));
  if (key.empty()) {
    segment_->keyless_bytes().fetch_add(size, std::memory_order_relaxed);
  }
  summary_.length = offset + size;
  segment_->end().store(summary_.length, std::memory_order_release);
  return offset;
}

absl::Status SegmentWriter::RewindTo(const SegmentSummary& summary) {
  summary_ = summary;
  segment_->keyless_bytes() = 0;  // less than there are, maybe
  segment_->end().store(summary.length, std::memory_order_release);
  // Records that stood here must not be found behind shorter ones. In a
  // mapped segment nothing fails after the first byte of a batch.
  if (mapped_) return absl::OkStatus();
  segment_->file_bytes().store(summary.length, std::memory_order_relaxed);
  return DURABILITY_SITE(kCutFailedWrite,
                         segment_->file()->Truncate(summary.length));
}

absl::Status SegmentWriter::Trim() {
  {
    MutexLock lock(&ahead_mutex_);
    has_ended_ = true;
  }
  MutexLock lock(&allocate_mutex_);
  trimmed_ = true;
  const uint64_t length = summary_.length;
  if (!mapped_ || allocated_.load(std::memory_order_relaxed) > length) {
    RETURN_IF_ERROR(segment_->file()->Truncate(length));
    allocated_.store(length, std::memory_order_release);
  }
  segment_->file_bytes().store(length, std::memory_order_relaxed);
  segment_->growing().store(false, std::memory_order_relaxed);
  return absl::OkStatus();
}

}  // namespace stave
