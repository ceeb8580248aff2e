#include "engine/core/backup.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"
#include "engine/core/backup_directory.h"
#include "engine/core/dictionary_file.h"
#include "engine/core/log_end.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/format/file_names.h"
#include "engine/format/record.h"
#include "engine/log/file_window.h"
#include "engine/log/merged_segment_writer.h"
#include "engine/log/segment_bytes.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/segment_survey.h"

namespace stave {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;

// A backup's own segments have ids from here on, random ones, where no store
// gets by counting.
constexpr SegmentId kOwnIds = SegmentId{1} << 62;

bool IsChange(const RecordView& record) {
  return record.header.kind == RecordKind::kPut ||
         record.header.kind == RecordKind::kDelete;
}

class Progress {
 public:
  explicit Progress(const BackupOptions& options) : options_(options) {}

  // To be called before the first Add.
  void Expect(uint64_t bytes) { now_.total_bytes += bytes; }
  void Add(uint64_t bytes) {
    now_.bytes += bytes;
    if (options_.progress) options_.progress(now_);
  }

 private:
  const BackupOptions& options_;
  BackupProgress now_;
};

class BackupWriter {
 public:
  BackupWriter(const State& state, Directory* source, StoreInstant instant,
               BackupDirectory* target, const BackupOptions& options,
               const std::atomic<bool>& cancelled)
      : state_(state),
        source_(*source),
        instant_(std::move(instant)),
        target_(*target),
        directory_(*target->directory()),
        progress_(options),
        cancelled_(cancelled) {}

  absl::Status Run() {
    RETURN_IF_ERROR(List());
    RETURN_IF_ERROR(FindDictionaries());
    if (IsThereAlready()) return AddHints();
    std::vector<SegmentId> to_come;
    for (const Item& item : items_) {
      if (!item.is_there) to_come.push_back(item.listed.header.id);
    }
    RETURN_IF_ERROR(target_.Begin(to_come));
    for (const Dictionary* dictionary : dictionaries_) {
      RETURN_IF_ERROR(target_.AddDictionary(*dictionary));
    }
    for (Item& item : items_) {
      if (!item.is_there) RETURN_IF_ERROR(Begin(&item));
    }
    for (Item& item : items_) {
      if (item.is_there) continue;
      RETURN_IF_ERROR(item.is_own ? WriteOwn(&item) : AddSealed(item));
    }
    RETURN_IF_ERROR(AddHints());
    for (const Item& item : items_) now_.segments.push_back(item.listed);
    return target_.Finish(std::move(now_));
  }

 private:
  // A segment of the backup that comes to be.
  struct Item {
    StoreInstant::Part part;
    ListedSegment listed;
    bool is_own = false;     // the records of one that is not sealed
    bool is_there = false;   // in the backup as it is
    bool is_shared = false;  // with the source, by a link
  };

  absl::Status List() {
    now_.base = instant_.manifest.base;
    now_.base.clock_floor_ms =
        std::max(now_.base.clock_floor_ms, instant_.now_ms);
    for (StoreInstant::Part& part : instant_.parts) {
      const ListedSegment* const known =
          instant_.manifest.Find(part.segment->id());
      if (known != nullptr && known->sealed.has_value()) {
        RETURN_IF_ERROR(ListSealed(std::move(part), *known));
      } else {
        RETURN_IF_ERROR(ListOwn(std::move(part)));
      }
    }
    for (const Item& item : items_) {
      now_.base.next_segment_id =
          std::max(now_.base.next_segment_id, item.listed.header.id + 1);
    }
    return absl::OkStatus();
  }

  // More than the instant's manifest lists, which may be a moment older than
  // the last records; and a reader has not met all of them.
  absl::Status FindDictionaries() {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, source_.List());
    for (const uint64_t id : DictionariesAmong(names)) {
      if (id <= kMaxDictionaryId) {
        state_.dictionaries->Find(static_cast<uint32_t>(id));
      }
    }
    dictionaries_ = state_.dictionaries->All();
    return absl::OkStatus();
  }

  absl::Status ListSealed(StoreInstant::Part part, const ListedSegment& known) {
    const auto& before = target_.before().segments;
    for (const ListedSegment& listed : before) {
      if (listed.header.id != known.header.id) continue;
      if (listed.header.salt == known.header.salt &&
          listed.sealed == known.sealed) {
        break;
      }
      return absl::FailedPreconditionError(absl::StrCat(
          "the store has gone another way since than the one that ",
          directory_.path(), " is a backup of: segment ",
          SegmentFileName(known.header.id), " is another one there"));
    }
    Item item;
    item.part = std::move(part);
    item.listed = known;
    item.is_there = WasThere(known.header);
    if (item.is_there) RETURN_IF_ERROR(CheckFile(known));
    items_.push_back(std::move(item));
    return absl::OkStatus();
  }

  absl::Status ListOwn(StoreInstant::Part part) {
    bool has_changes = false;
    const auto summary = ForEachRecord(part, [&](const RecordView& record) {
      has_changes |= IsChange(record);
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(summary.status());
    now_.base.sealed_through =
        std::max(now_.base.sealed_through, summary->greatest_sequence);
    if (!has_changes) return absl::OkStatus();
    Item item;
    item.part = std::move(part);
    item.is_own = true;
    RETURN_IF_ERROR(FindOwn(&item));
    items_.push_back(std::move(item));
    return absl::OkStatus();
  }

  // Looks for the segment in which an earlier backup has put the very same
  // records; else there will be a new one.
  absl::Status FindOwn(Item* item) {
    SegmentHeader& header = item->listed.header;
    header.kind = SegmentKind::kMerged;
    header.id = kOwnIds | RandomBits() >> 2;
    header.salt = RandomBits();
    ASSIGN_OR_RETURN(const SegmentSummary as_new,
                     SummaryOf(item->part, header));
    for (const ListedSegment& listed : target_.before().segments) {
      // All but the chain is the same under any header.
      if (listed.header.kind != header.kind ||
          listed.sealed->length != as_new.length ||
          listed.sealed->greatest_sequence != as_new.greatest_sequence) {
        continue;
      }
      ASSIGN_OR_RETURN(const SegmentSummary summary,
                       SummaryOf(item->part, listed.header));
      if (listed.sealed != summary) continue;
      item->listed = listed;
      item->is_there = true;
      return CheckFile(listed);
    }
    return absl::OkStatus();
  }

  // What an earlier backup has checked is still there.
  absl::Status CheckFile(const ListedSegment& listed) {
    const std::string name = SegmentFileName(listed.header.id);
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    const auto file = directory_.OpenFile(name, /*writable=*/false);
    if (absl::IsNotFound(file.status())) {
      return absl::DataLossError(
          absl::StrCat(path, ": the backup's segment is missing"));
    }
    RETURN_IF_ERROR(file.status());
    RETURN_IF_ERROR(CheckHeader(directory_, **file, listed.header));
    ASSIGN_OR_RETURN(const uint64_t size, (*file)->Size());
    if (size >= listed.sealed->length) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(path, ", offset ", size,
                                            ": the backup's segment ends here, "
                                            "its records at ",
                                            listed.sealed->length));
  }

  static absl::Status CheckHeader(const Directory& directory, const File& file,
                                  const SegmentHeader& expected) {
    char bytes[kSegmentHeaderBytes] = {};
    ASSIGN_OR_RETURN(const size_t read, file.Read(0, absl::MakeSpan(bytes)));
    return CheckSegmentHeader(directory, std::string_view(bytes, read),
                              expected);
  }

  // What the changes in `part` are as a segment with this header.
  absl::StatusOr<SegmentSummary> SummaryOf(const StoreInstant::Part& part,
                                           const SegmentHeader& header) const {
    SegmentSummary summary;
    summary.length = kSegmentHeaderBytes;
    const uint32_t seed = SegmentSeed(header.salt, header.id);
    const auto status = ForEachRecord(part, [&](const RecordView& record) {
      if (!IsChange(record)) return absl::OkStatus();
      char bytes[kMaxRecordHeaderBytes];
      EncodeRecordHeader(record.header, RecordSeed(seed, summary.length),
                         bytes);
      summary.Account(record.header.sequence,
                      std::string_view(bytes, sizeof(uint32_t)));
      summary.length += record.header.record_size();
      return absl::OkStatus();
    });
    if (!status.ok()) return status.status();
    return summary;
  }

  // All records, each of them checked.
  template <typename Visit>
  absl::StatusOr<SegmentSummary> ForEachRecord(const StoreInstant::Part& part,
                                               const Visit& visit) const {
    const Segment& segment = *part.segment;
    SegmentScanner scanner(segment, part.end, /*check_bodies=*/true);
    RecordView record;
    while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
      RETURN_IF_ERROR(visit(record));
    }
    if (scanner.offset() == part.end) return scanner.summary();
    return state_.Damage(segment, scanner.offset(), scanner.problem());
  }

  bool WasThere(const SegmentHeader& header) const {
    const auto& before = target_.before().segments;
    return std::any_of(before.begin(), before.end(),
                       [&header](const ListedSegment& listed) {
                         return listed.header.id == header.id &&
                                listed.header.salt == header.salt;
                       });
  }

  bool IsThereAlready() const {
    const ManifestState& before = target_.before();
    return before.backup->finished && before.removed.empty() &&
           before.dictionaries.size() == dictionaries_.size() &&
           std::equal(items_.begin(), items_.end(), before.segments.begin(),
                      before.segments.end(),
                      [](const Item& item, const ListedSegment& listed) {
                        return item.is_there &&
                               item.listed.header.id == listed.header.id;
                      });
  }

  // Shares what can be shared, so that it is known how much there is to do.
  absl::Status Begin(Item* item) {
    progress_.Expect(item->part.end);
    if (item->is_own) return absl::OkStatus();
    const absl::Status linked =
        directory_.Link(&source_, item->part.segment->name());
    item->is_shared = linked.ok();
    if (!absl::IsUnimplemented(linked) && !absl::IsNotFound(linked)) {
      return linked;
    }
    progress_.Expect(item->part.end);
    return absl::OkStatus();
  }

  absl::Status WriteOwn(Item* item) {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<MergedSegmentWriter> writer,
        MergedSegmentWriter::Create(&directory_, item->listed.header,
                                    Location(), item->part.end));
    const auto copied =
        ForEachRecord(item->part, [&](const RecordView& record) {
          if (cancelled_) return Cancelled();
          return IsChange(record) ? writer->Copy(record).status()
                                  : absl::OkStatus();
        });
    RETURN_IF_ERROR(copied.status());
    RETURN_IF_ERROR(writer->Finish(state_.read_mode).status());
    item->listed.sealed = writer->summary();
    item->part.segment = nullptr;
    progress_.Add(item->part.end);
    return absl::OkStatus();
  }

  absl::Status AddSealed(const Item& item) {
    const Segment& segment = *item.part.segment;
    if (!item.is_shared) RETURN_IF_ERROR(Copy(segment, item.part.end));
    return Check(segment, *item.listed.sealed);
  }

  // A merge of another process may have unlinked the file, which the segment
  // still has.
  absl::Status Copy(const Segment& segment, uint64_t length) {
    const auto from = source_.OpenFile(segment.name(), /*writable=*/false);
    if (absl::IsNotFound(from.status())) {
      ASSIGN_OR_RETURN(const std::unique_ptr<File> to,
                       directory_.CreateFile(segment.name()));
      SegmentBytes bytes(segment, length);
      for (uint64_t at = 0; at < length;) {
        const std::string_view some = bytes.From(at, 1);
        RETURN_IF_ERROR(bytes.status());
        RETURN_IF_ERROR(to->Write(at, some));
        at += some.size();
        progress_.Add(some.size());
      }
      return DURABILITY_SITE(kBackupCopySync, to->SyncData());
    }
    RETURN_IF_ERROR(from.status());
    return CopyFile(segment.name(), **from, length,
                    [this](uint64_t bytes) { progress_.Add(bytes); });
  }

  absl::Status CopyFile(const std::string& name, const File& from,
                        uint64_t length,
                        absl::FunctionRef<void(uint64_t)> copied) {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> to,
                     directory_.CreateFile(name));
    std::string bytes(std::min<uint64_t>(kCopyBytes, length), '\0');
    for (uint64_t at = 0; at < length;) {
      if (cancelled_) return Cancelled();
      const uint64_t wanted = std::min<uint64_t>(bytes.size(), length - at);
      ASSIGN_OR_RETURN(const size_t read,
                       from.Read(at, absl::MakeSpan(bytes.data(), wanted)));
      if (read == 0) break;  // Check sees what is missing.
      RETURN_IF_ERROR(to->Write(at, std::string_view(bytes.data(), read)));
      at += read;
      copied(read);
    }
    return DURABILITY_SITE(kBackupCopySync, to->SyncData());
  }

  // Reads the file as it is in the backup. What is wrong in a copy is so in
  // what was copied.
  absl::Status Check(const Segment& segment, const SegmentSummary& sealed) {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                     directory_.OpenFile(segment.name(), /*writable=*/false));
    RETURN_IF_ERROR(CheckHeader(source_, *file, segment.header()));
    FileWindow window(file.get(), sealed.length,
                      [this](uint64_t bytes) { progress_.Add(bytes); });
    SegmentToSurvey what;
    what.seed = segment.seed();
    what.kind = segment.header().kind;
    what.length = sealed.length;
    what.first = sealed.least_sequence;
    what.greatest = sealed.greatest_sequence;
    what.dictionaries = state_.dictionaries.get();
    const SegmentSurvey found = SurveySegment(&window, what);
    if (cancelled_) return Cancelled();
    if (!found.unreadable.empty()) {
      return state_.Damage(segment, found.unreadable.front().begin,
                           found.read_error);
    }
    if (!found.bad.empty()) {
      return state_.Damage(segment, found.bad.front().bytes.begin,
                           found.bad.front().what);
    }
    if (!found.lacking.empty()) {
      return state_.Damage(segment, found.lacking.begin()->second.first_offset,
                           LacksDictionary(found.lacking.begin()->first));
    }
    if (DURABILITY_SITE(kBackupSummaryCheck, found.summary != sealed)) {
      return state_.Damage(segment, found.summary.length,
                           "the segment's records are not those that were "
                           "there when it was sealed");
    }
    return absl::OkStatus();
  }

  // Hints make opening quicker, and nothing depends on them: what can't be had
  // is left out.
  absl::Status AddHints() {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_.List());
    for (const Item& item : items_) {
      if (cancelled_) return Cancelled();
      if (item.is_own || item.part.segment->hint_bytes() == 0) continue;
      const std::string name = HintFileName(item.listed.header.id);
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      if (!absl::IsUnimplemented(directory_.Link(&source_, name))) continue;
      const auto from = source_.OpenFile(name, /*writable=*/false);
      if (!from.ok()) continue;
      const absl::Status copied =
          CopyFile(name, **from, (*from)->Size().value_or(0), [](uint64_t) {});
      if (!copied.ok()) directory_.Unlink(name).IgnoreError();
    }
    return absl::OkStatus();
  }

  static absl::Status Cancelled() {
    return absl::CancelledError("the backup was stopped");
  }

  const State& state_;
  Directory& source_;
  StoreInstant instant_;
  BackupDirectory& target_;
  Directory& directory_;
  Progress progress_;
  const std::atomic<bool>& cancelled_;
  ManifestState now_;
  std::vector<Item> items_;
  std::vector<const Dictionary*> dictionaries_;
};

}  // namespace

absl::Status WriteBackup(const State& state, Directory* source,
                         StoreInstant instant, FileSystem* file_system,
                         std::string_view path, const BackupOptions& options,
                         const std::atomic<bool>& cancelled) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<BackupDirectory> target,
      BackupDirectory::Open(file_system, path, instant.manifest.base));
  return BackupWriter(state, source, std::move(instant), target.get(), options,
                      cancelled)
      .Run();
}

}  // namespace stave
