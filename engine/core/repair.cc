#include <algorithm>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/clock.h"
#include "engine/base/epoch.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/damage_map.h"
#include "engine/core/recovery.h"
#include "engine/core/salvage.h"
#include "engine/core/store_copy.h"
#include "engine/core/store_survey.h"
#include "engine/core/target_directory.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/format/file_names.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/segment_scanner.h"
#include "stave/verify.h"

namespace stave {
namespace {

absl::Status CheckEmpty(const Directory* directory, std::string_view path,
                        absl::StatusOr<std::vector<std::string>> names) {
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    // Which an attempt that failed has left.
    if (directory != nullptr && name == kLockFileName) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("there is something in ", ToAbsl(path), " already: ", name,
                     "; the repaired store needs an empty directory"));
  }
  return absl::OkStatus();
}

class Repairer {
 public:
  Repairer(std::unique_ptr<State> state, StaleKeys stale_keys)
      : state_(std::move(state)), stale_keys_(stale_keys) {}

  // Writes all that counts into `copy`.
  absl::Status Copy(StoreCopy* copy) {
    JudgeKnownKeys();
    for (const Dictionary* dictionary : state_->dictionaries->All()) {
      RETURN_IF_ERROR(copy->AddDictionary(*dictionary));
    }
    for (const DamageMap::Stretch& stretch : state_->damage->stretches) {
      RETURN_IF_ERROR(CopyStretch(stretch, copy));
    }
    return absl::OkStatus();
  }

  uint64_t LiveBytes() const { return state_->live_bytes; }

  RepairReport Report() && {
    report_.damage = state_->damage->damage;
    for (const size_t index : superseded_) {
      report_.damage[index].superseded = true;
    }
    for (const size_t index : has_older_version_) {
      report_.damage[index].has_older_version = true;
    }
    for (const Damage& damage : report_.damage) report_.lost += damage.records;
    return std::move(report_);
  }

 private:
  // What became of the keys that damaged records name.
  void JudgeKnownKeys() {
    const DamageMap& map = *state_->damage;
    EpochGuard guard;
    for (const HiddenRecords& hidden : map.hidden) {
      const std::string& key = map.damage[hidden.damage].key;
      if (key.empty()) continue;
      const KeydirEntry entry =
          state_->keydir->Find({key, (*state_->hasher)(key)});
      Segment* segment = nullptr;
      RecordView record;
      if (entry.absent() || !state_->ReadKeyAt(entry, &segment, &record).ok()) {
        continue;
      }
      if (record.header.sequence > hidden.last) {
        superseded_.push_back(hidden.damage);
      } else {
        has_older_version_.push_back(hidden.damage);
        stale_.insert(key);
      }
    }
  }

  absl::Status CopyStretch(const DamageMap::Stretch& stretch, StoreCopy* copy) {
    const Segment& segment = *stretch.segment;
    SegmentScanner scanner(segment, stretch.bytes.end, /*check_bodies=*/true,
                           stretch.bytes.begin);
    RecordView record;
    auto step = scanner.Next(&record);
    for (; step == SegmentScanner::Step::kRecord;
         step = scanner.Next(&record)) {
      if (IsLast(segment, record) && HasDictionary(record) && Counts(record)) {
        RETURN_IF_ERROR(copy->Add(record));
        ++report_.recovered;
      }
    }
    if (scanner.offset() == stretch.bytes.end) return absl::OkStatus();
    return state_->Damage(segment, scanner.offset(),
                          "the file has changed while it was read");
  }

  bool IsLast(const Segment& segment, const RecordView& record) const {
    if (record.header.kind != RecordKind::kPut) return false;
    EpochGuard guard;
    const KeydirEntry entry =
        state_->keydir->Find({record.key, (*state_->hasher)(record.key)});
    return !entry.absent() &&
           entry.location() == segment.LocationOf(record.offset);
  }

  // Else its value is lost.
  bool HasDictionary(const RecordView& record) const {
    const uint32_t id = DictionaryOf(record.stored());
    return id == 0 || state_->dictionaries->Find(id) != nullptr;
  }

  bool Counts(const RecordView& record) {
    const bool possible =
        state_->damage->MayHide(record.key.size(), record.header.sequence) !=
        nullptr;
    const bool named = possible && !stale_.empty() &&
                       stale_.count(std::string(record.key)) > 0;
    const bool dropped = (named && stale_keys_ == StaleKeys::kDropNamed) ||
                         (possible && stale_keys_ == StaleKeys::kDropPossible);
    report_.dropped_stale += dropped;
    report_.possibly_stale += possible && !dropped;
    return !dropped;
  }

  const std::unique_ptr<State> state_;
  const StaleKeys stale_keys_;
  std::unordered_set<std::string> stale_;
  // Indexes of damage.
  std::vector<size_t> superseded_;
  std::vector<size_t> has_older_version_;
  RepairReport report_;
};

}  // namespace

absl::StatusOr<RepairReport> Repair(std::string_view from, std::string_view to,
                                    const RepairOptions& options) {
  if (from.empty() || to.empty()) {
    return absl::InvalidArgumentError("a store's directory has no name");
  }
  FileSystem* const file_system =
      options.file_system != nullptr ? options.file_system : PosixFileSystem();
  // Said before hours of reading.
  if (auto there = file_system->OpenDirectory(to); there.ok()) {
    RETURN_IF_ERROR(CheckEmpty(there->get(), to, (*there)->List()));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Directory> source,
                   file_system->OpenDirectory(from));
  SurveyOptions survey_options;
  survey_options.threads = ThreadCount(options.threads);
  survey_options.progress = options.progress;
  ManifestState manifest = NewManifestState();
  ASSIGN_OR_RETURN(
      SalvagedStore salvaged,
      Salvage(source.get(), survey_options, &manifest.base.hash_secret,
              KeydirKind::kHash, ReadMode::kMap, SystemClock()));
  // Else keys that have expired could come back.
  manifest.base.clock_floor_ms = salvaged.clock_floor_ms;

  ASSIGN_OR_RETURN(const std::unique_ptr<Directory> target,
                   OpenTargetDirectory(file_system, to));
  ASSIGN_OR_RETURN(const std::unique_ptr<File> lock,
                   target->Lock(kLockFileName, ThisProcess()));
  RETURN_IF_ERROR(CheckEmpty(target.get(), to, target->List()));
  Repairer repairer(std::move(salvaged.state), options.stale_keys);
  ASSIGN_OR_RETURN(
      const std::unique_ptr<StoreCopy> copy,
      StoreCopy::Begin(target.get(), manifest, repairer.LiveBytes()));
  RETURN_IF_ERROR(repairer.Copy(copy.get()));
  RETURN_IF_ERROR(copy->Finish());
  RepairReport report = std::move(repairer).Report();
  report.records = salvaged.records;
  report.torn_tail_bytes = salvaged.torn_tail_bytes;
  return report;
}

}  // namespace stave
