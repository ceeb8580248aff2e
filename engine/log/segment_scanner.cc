#include "engine/log/segment_scanner.h"

#include <algorithm>

#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"

namespace stave {
bool ReadRecord(std::string_view from, uint64_t offset, uint32_t segment_seed,
                RecordView* record) {
  if (!DecodeRecordHeader(from, RecordSeed(segment_seed, offset),
                          &record->header)) {
    return false;
  }
  const RecordHeader& header = record->header;
  record->offset = offset;
  record->key = from.substr(header.header_size(), header.key_size);
  record->value =
      from.substr(header.header_size() + header.key_size, header.value_size);
  return true;
}

SegmentScanner::SegmentScanner(std::string_view bytes, uint32_t segment_seed,
                               bool check_bodies, SegmentKind kind,
                               uint64_t offset)
    : bytes_(bytes),
      seed_(segment_seed),
      check_bodies_(check_bodies),
      kind_(kind),
      offset_(std::min<uint64_t>(offset, bytes.size())) {
  summary_.length = offset_;
}

SegmentScanner::Step SegmentScanner::Next(RecordView* record) {
  if (!ReadRecord(bytes_.substr(offset_), offset_, seed_, record)) {
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
  // I2: zeros are a clean end only if nothing else follows.
  const bool clean = AllZero(bytes_.substr(offset_));
  if (!DURABILITY_SITE(kCleanEndCheck, !clean)) return Step::kCleanEnd;
  return Bad("wrong checksum of a record's header");
}

SegmentScanner::Step SegmentScanner::Bad(std::string_view problem) {
  problem_ = std::string(problem);
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
  if (!AllZero(
          bytes_.substr(record.offset + used, header.record_size() - used))) {
    Bad("wrong padding of a record");
    return false;
  }
  return true;
}

bool SegmentScanner::CheckBatch(const RecordView& frame) {
  const uint64_t begin = frame.offset + frame.header.header_size();
  const uint64_t end = begin + frame.header.value_size;
  const std::string_view within = bytes_.substr(0, end);
  Sequence sequence = frame.header.sequence;
  uint32_t records = 0;
  uint64_t at = begin;
  RecordView record;
  for (; at < end; at += record.header.record_size(), ++records) {
    if (!ReadRecord(within.substr(at), at, seed_, &record)) {
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
  const bool frame = record.header.kind == RecordKind::kBatch;
  offset_ += frame ? record.header.header_size() : record.header.record_size();
  summary_.length = offset_;
  summary_.Account(record.header.sequence,
                   bytes_.substr(record.offset, sizeof(uint32_t)));
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
