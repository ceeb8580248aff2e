#include "engine/log/merged_segment_writer.h"

#include <utility>

#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"

namespace stave {
namespace {

// Written at once where that can be: so the kernel has it in huge pages.
constexpr size_t kBufferBytes = File::kHugePageBytes;

}  // namespace

absl::StatusOr<std::unique_ptr<MergedSegmentWriter>>
MergedSegmentWriter::Create(Directory* directory, const SegmentHeader& header,
                            Location first, uint64_t capacity) {
  const std::string name = SegmentFileName(header.id);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, directory->CreateFile(name));
  absl::Status status = file->Write(0, EncodeSegmentHeader(header));
  // Unlisted records are a merge's only by what the header says.
  if (status.ok()) {
    status = DURABILITY_SITE(kOutputHeaderSync, file->SyncData());
  }
  if (!status.ok()) {
    // The manifest never named it, so Open removes it if this fails.
    directory->Unlink(name).IgnoreError();
    return status;
  }
  return std::unique_ptr<MergedSegmentWriter>(
      new MergedSegmentWriter(header, first, capacity, std::move(file)));
}

MergedSegmentWriter::MergedSegmentWriter(const SegmentHeader& header,
                                         Location first, uint64_t capacity,
                                         std::unique_ptr<File> file)
    : header_(header),
      seed_(SegmentSeed(header.salt, header.id)),
      first_(first),
      capacity_(capacity),
      name_(SegmentFileName(header.id)),
      file_(std::move(file)) {
  summary_.length = kSegmentHeaderBytes;
}

absl::StatusOr<uint64_t> MergedSegmentWriter::Copy(const RecordView& record) {
  return Add(record.header, record.key, record.value);
}

absl::StatusOr<uint64_t> MergedSegmentWriter::AddTombstone(std::string_view key,
                                                           Sequence sequence) {
  RecordHeader header;
  header.kind = RecordKind::kDelete;
  header.key_size = static_cast<uint16_t>(key.size());
  header.body = BodyChecksum(key, {});
  header.sequence = sequence;
  return Add(header, key, {});
}

absl::StatusOr<uint64_t> MergedSegmentWriter::Add(RecordHeader header,
                                                  std::string_view key,
                                                  std::string_view value) {
  const uint64_t offset = summary_.length;
  char bytes[kMaxRecordHeaderBytes];
  EncodeRecordHeader(header, RecordSeed(seed_, offset), bytes);
  summary_.Account(header.sequence, std::string_view(bytes, sizeof(uint32_t)));
  summary_.length += header.record_size();
  const size_t padding =
      header.record_size() - header.header_size() - header.body_size();
  buffer_.append(bytes, header.header_size());
  buffer_.append(key);
  if (value.size() < kBufferBytes) {
    buffer_.append(value);
    buffer_.append(padding, '\0');
    if (buffer_.size() >= kBufferBytes) RETURN_IF_ERROR(FlushWholePages());
    return offset;
  }
  // A large value goes to the file from where it is.
  const uint64_t value_at = summary_.length - padding - value.size();
  RETURN_IF_ERROR(file_->Write(value_at - buffer_.size(), buffer_));
  buffer_.clear();
  RETURN_IF_ERROR(file_->Write(value_at, value));
  buffer_.append(padding, '\0');
  return offset;
}

absl::Status MergedSegmentWriter::FlushWholePages() {
  const size_t behind = summary_.length % kBufferBytes;
  const uint64_t begin = summary_.length - buffer_.size();
  const std::string_view bytes(buffer_);
  RETURN_IF_ERROR(file_->Write(begin, bytes.substr(0, bytes.size() - behind)));
  file_->StartSync(begin, bytes.size() - behind);
  buffer_.erase(0, buffer_.size() - behind);
  return absl::OkStatus();
}

absl::Status MergedSegmentWriter::Flush() {
  RETURN_IF_ERROR(file_->Write(summary_.length - buffer_.size(), buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Segment>> MergedSegmentWriter::Finish(
    ReadMode read_mode) {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(DURABILITY_SITE(kOutputSync, file_->SyncData()));
  Segment::Parts parts;
  parts.header = header_;
  parts.name = name_;
  if (read_mode == ReadMode::kMap) {
    ASSIGN_OR_RETURN(parts.mapping,
                     file_->Map(summary_.length, /*writable=*/false));
    file_ = nullptr;
  }
  parts.file = std::move(file_);
  parts.capacity = summary_.length;
  parts.first = first_;
  std::shared_ptr<Segment> segment = Segment::Adopt(std::move(parts));
  segment->end().store(summary_.length, std::memory_order_relaxed);
  segment->file_bytes().store(summary_.length, std::memory_order_relaxed);
  return segment;
}

}  // namespace stave
