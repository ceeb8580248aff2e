#include "engine/log/segment_scanner.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

// Of a record whose size nobody knows: it has more than a kilobyte.
constexpr uint64_t kFirstReadBytes = 4096;

// Key and value lie behind the header in `from`, which may end before them.
void SetBody(std::string_view from, RecordView* record) {
  const RecordHeader& header = record->header;
  record->key = from.substr(header.header_size(), header.key_size);
  record->value =
      from.substr(header.header_size() + header.key_size, header.value_size);
}

}  // namespace

bool ReadRecord(std::string_view from, uint64_t offset, uint32_t segment_seed,
                RecordView* record) {
  if (!DecodeRecordHeader(from, RecordSeed(segment_seed, offset),
                          &record->header)) {
    return false;
  }
  record->offset = offset;
  SetBody(from, record);
  return true;
}

absl::StatusOr<bool> LoadRecord(const Segment& segment, uint64_t offset,
                                uint64_t size, RecordPart part,
                                RecordView* record) {
  const uint64_t most = segment.capacity() - offset;
  uint64_t length = std::min(size != 0 ? size : kFirstReadBytes, most);
  auto memory = std::make_shared_for_overwrite<char[]>(length);
  const auto end_of_key = [record] {
    return record->header.header_size() + record->header.key_size;
  };
  ASSIGN_OR_RETURN(uint64_t read,
                   segment.Read(offset, absl::MakeSpan(memory.get(), length)));
  RecordHeader& header = record->header;
  if (!DecodeRecordHeader(std::string_view(memory.get(), read), most,
                          segment.SeedAt(offset), &header)) {
    return false;
  }
  const uint64_t wanted = part == RecordPart::kKey
                              ? end_of_key()
                              : header.header_size() + header.body_size();
  if (wanted > length) {
    auto whole = std::make_shared_for_overwrite<char[]>(wanted);
    std::copy_n(memory.get(), read, whole.get());
    ASSIGN_OR_RETURN(
        const uint64_t rest,
        segment.Read(offset + read,
                     absl::MakeSpan(whole.get() + read, wanted - read)));
    read += rest;
    memory = std::move(whole);
  }
  if (read < wanted) return false;  // the file has become shorter
  record->offset = offset;
  SetBody(std::string_view(memory.get(), wanted), record);
  record->memory = std::move(memory);
  return true;
}

bool LoadCachedRecord(const Segment& segment, uint64_t offset, uint64_t size,
                      RecordView* record) {
  auto memory = std::make_shared_for_overwrite<char[]>(size);
  if (segment.ReadCached(offset, absl::MakeSpan(memory.get(), size)) != size ||
      !ReadRecord(std::string_view(memory.get(), size), offset, segment.seed(),
                  record)) {
    return false;
  }
  record->memory = std::move(memory);
  return true;
}

SegmentScanner::SegmentScanner(SegmentBytes bytes, uint32_t segment_seed,
                               bool check_bodies, SegmentKind kind,
                               uint64_t offset)
    : bytes_(std::move(bytes)),
      seed_(segment_seed),
      check_bodies_(check_bodies),
      kind_(kind),
      offset_(std::min(offset, bytes_.size())) {
  summary_.length = offset_;
}

SegmentScanner::SegmentScanner(std::string_view bytes, uint32_t segment_seed,
                               bool check_bodies, SegmentKind kind,
                               uint64_t offset)
    : SegmentScanner(SegmentBytes(bytes), segment_seed, check_bodies, kind,
                     offset) {}

SegmentScanner::SegmentScanner(const Segment& segment, uint64_t end,
                               bool check_bodies, uint64_t offset)
    : SegmentScanner(SegmentBytes(segment, end), segment.seed(), check_bodies,
                     segment.header().kind, offset) {}

bool SegmentScanner::Read(uint64_t offset, uint64_t end, RecordView* record) {
  std::string_view from = bytes_.From(
      offset, std::min<uint64_t>(kMaxRecordHeaderBytes, end - offset));
  if (!DecodeRecordHeader(from.substr(0, end - offset), end - offset,
                          RecordSeed(seed_, offset), &record->header)) {
    return false;
  }
  // The records in a frame are read by themselves.
  const RecordHeader& header = record->header;
  const uint64_t wanted = header.kind == RecordKind::kBatch
                              ? header.header_size()
                              : header.record_size();
  if (from.size() < wanted) {
    from = bytes_.From(offset, wanted);
    if (from.size() < wanted) return false;
  }
  record->offset = offset;
  record->memory = bytes_.memory();
  SetBody(from, record);
  return true;
}

SegmentScanner::Step SegmentScanner::Next(RecordView* record) {
  if (!Read(offset_, bytes_.size(), record)) {
    return EndOrBad();
  }
  if (offset_ >= batch_end_) {  // else checked with its batch
    const bool any_follows =
        kind_ == SegmentKind::kMerged || summary_.records == 0;
    const Sequence expected =
        any_follows ? record->header.sequence : summary_.greatest_sequence + 1;
    if (kind_ == SegmentKind::kMerged &&
        record->header.kind != RecordKind::kPut &&
        record->header.kind != RecordKind::kDelete) {
      return Bad("a record that has no place in a merge's output");
    }
    if (!CheckRecord(*record, expected)) return Step::kBadRecord;
    // I13: a batch is there whole or not at all.
    if (record->header.kind == RecordKind::kBatch &&
        DURABILITY_SITE(kBatchFrameCheck, !CheckBatch(*record))) {
      return Step::kBadRecord;
    }
  }
  Account(*record);
  return Step::kRecord;
}

SegmentScanner::Step SegmentScanner::EndOrBad() {
  // To read once more might work, and the error be forgotten.
  if (!bytes_.status().ok()) return Bad({});
  // I2: zeros are a clean end only if nothing else follows.
  bool clean = true;
  for (uint64_t at = offset_; clean && at < bytes_.size();) {
    const std::string_view rest = bytes_.From(at, 1);
    clean = !rest.empty() && AllZero(rest);
    at += rest.size();
  }
  if (!DURABILITY_SITE(kCleanEndCheck, !clean)) return Step::kCleanEnd;
  return Bad("wrong checksum of a record's header");
}

SegmentScanner::Step SegmentScanner::Bad(std::string_view problem) {
  problem_ = std::string(problem);
  // Nobody knows what is there.
  if (!bytes_.status().ok()) problem_ = std::string(bytes_.status().message());
  return Step::kBadRecord;
}

bool SegmentScanner::CheckRecord(const RecordView& record, Sequence expected) {
  // I1: the log's order is that of sequences, without a gap.
  if (record.header.sequence == 0 ||
      DURABILITY_SITE(kSequenceCheck, record.header.sequence != expected)) {
    Bad("a record out of sequence");
    return false;
  }
  if (!check_bodies_ || record.header.kind == RecordKind::kBatch) return true;
  if (DURABILITY_SITE(kScanBodyCheck,
                      !BodyMatches(record.header, record.key, record.value))) {
    Bad("wrong checksum of a record's body");
    return false;
  }
  const RecordHeader& header = record.header;
  const uint64_t used = header.header_size() + header.body_size();
  if (!AllZero(std::string_view(record.value.data() + record.value.size(),
                                header.record_size() - used))) {
    Bad("wrong padding of a record");
    return false;
  }
  return true;
}

bool SegmentScanner::CheckBatch(const RecordView& frame) {
  const uint64_t begin = frame.offset + frame.header.header_size();
  const uint64_t end = begin + frame.header.value_size;
  Sequence sequence = frame.header.sequence;
  uint32_t records = 0;
  uint64_t at = begin;
  RecordView record;
  for (; at < end; at += record.header.record_size(), ++records) {
    if (!Read(at, end, &record)) {
      Bad("wrong checksum of a record's header within a batch");
      return false;
    }
    if (record.header.kind != RecordKind::kPut &&
        record.header.kind != RecordKind::kDelete) {
      Bad("a record within a batch that is neither put nor delete");
      return false;
    }
    if (!CheckRecord(record, ++sequence)) return false;
  }
  if (records != frame.header.body) {
    Bad("a batch with a wrong number of records");
    return false;
  }
  batch_end_ = end;
  return true;
}

void SegmentScanner::Account(const RecordView& record) {
  const char* const header = record.key.data() - record.header.header_size();
  const bool frame = record.header.kind == RecordKind::kBatch;
  offset_ += frame ? record.header.header_size() : record.header.record_size();
  summary_.length = offset_;
  summary_.Account(record.header.sequence,
                   std::string_view(header, sizeof(uint32_t)));
}

bool HoldsRecord(std::string_view bytes, uint32_t segment_seed) {
  RecordView record;
  for (uint64_t at = kSegmentHeaderBytes; at < bytes.size();
       at += kRecordAlignment) {
    if (ReadRecord(bytes.substr(at), at, segment_seed, &record)) return true;
  }
  return false;
}

uint64_t FindSyncedLength(std::string_view bytes, uint64_t offset,
                          uint32_t segment_seed, SegmentId segment) {
  constexpr uint64_t kMarkRecordBytes = kRecordHeaderBytes + kSyncMarkBytes;
  constexpr char kKind = static_cast<char>(RecordKind::kSyncMark);
  uint64_t synced = 0;
  RecordView record;
  for (uint64_t at = AlignRecord(offset);
       at <= bytes.size() && bytes.size() - at >= kMarkRecordBytes;
       at += kRecordAlignment) {
    if (bytes[at + 4] != kKind) continue;  // the header's kind, FORMAT.md
    SyncMark mark;
    if (!ReadRecord(bytes.substr(at), at, segment_seed, &record) ||
        record.header.kind != RecordKind::kSyncMark ||
        !BodyMatches(record.header, record.key, record.value) ||
        !DecodeSyncMark(record.value, &mark)) {
      continue;
    }
    if (mark.segment == segment) synced = std::max(synced, mark.length);
  }
  return synced;
}

}  // namespace stave
