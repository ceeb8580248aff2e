#include "engine/core/store_copy.h"

#include <algorithm>
#include <utility>

#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"
#include "engine/core/dictionary_file.h"
#include "engine/core/recovery.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "stave/options.h"

namespace stave {

absl::StatusOr<std::unique_ptr<StoreCopy>> StoreCopy::Begin(
    Directory* directory, const ManifestState& manifest, uint64_t live_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<SegmentSet> segments, SegmentSet::Create());
  const uint64_t capacity =
      SegmentCapacity(live_bytes, Options().segment_size_bytes);
  return std::unique_ptr<StoreCopy>(
      new StoreCopy(directory, manifest, std::move(segments), capacity));
}

StoreCopy::~StoreCopy() {
  if (finished_) return;
  writer_ = nullptr;
  // What stays is no store without a manifest.
  for (const std::string& name : names_) {
    directory_.Unlink(name).IgnoreError();
  }
}

absl::Status StoreCopy::AddDictionary(const Dictionary& dictionary) {
  names_.push_back(DictionaryFileName(dictionary.id()));
  manifest_.dictionaries.push_back({dictionary.id(), dictionary.checksum()});
  return WriteDictionary(&directory_, dictionary);
}

absl::Status StoreCopy::Add(const RecordView& record) {
  PendingRecord pending{record.header, record.key, record.value};
  if (writer_ == nullptr || !writer_->HasRoom(pending.size())) {
    RETURN_IF_ERROR(EndSegment());
    RETURN_IF_ERROR(BeginSegment(pending.size()));
  }
  RETURN_IF_ERROR(writer_->Reserve(pending.size()));
  return writer_->Append(pending, ++last_sequence_).status();
}

absl::Status StoreCopy::BeginSegment(uint64_t record_size) {
  SegmentWriter::Settings settings;
  settings.header.id = manifest_.base.next_segment_id++;
  settings.header.salt = RandomBits();
  settings.capacity = std::max(capacity_, kSegmentHeaderBytes + record_size);
  settings.mapped = directory_.SupportsMappedAppends();
  ASSIGN_OR_RETURN(settings.range, segments_->ReserveRange(settings.capacity));
  names_.push_back(SegmentFileName(settings.header.id));
  ASSIGN_OR_RETURN(writer_, SegmentWriter::Create(&directory_, settings));
  return absl::OkStatus();
}

absl::Status StoreCopy::EndSegment() {
  if (writer_ == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(writer_->Trim());
  RETURN_IF_ERROR(writer_->segment()->file()->SyncData());
  ListedSegment listed;
  listed.header = writer_->segment()->header();
  listed.sealed = writer_->summary();
  manifest_.segments.push_back(listed);
  manifest_.base.sealed_through = last_sequence_;
  writer_ = nullptr;
  return absl::OkStatus();
}

absl::Status StoreCopy::Finish() {
  RETURN_IF_ERROR(EndSegment());
  RETURN_IF_ERROR(directory_.Sync());
  manifest_.clean_close = CleanCloseChange();
  RETURN_IF_ERROR(Manifest::Create(&directory_, manifest_).status());
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace stave
