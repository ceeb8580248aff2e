#include "tests/model/model_run.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/base/status_macros.h"
#include "engine/core/dictionary_file.h"
#include "engine/format/file_names.h"
#include "engine/log/manifest.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

// Each open reads all of a store, which grows for a while between merges.
constexpr size_t kMostSegments = 24;

WorkloadConfiguration WithCopies(WorkloadConfiguration configuration) {
  configuration.shares[Operation::kBackup] = 1;
  configuration.shares[Operation::kFollow] = 2;
  configuration.shares[Operation::kReadFeed] = 2;
  configuration.shares[Operation::kSaveSnapshot] = 2;
  return configuration;
}

absl::Status RemoveFiles(FileSystem* disk, const std::string& path) {
  const auto directory = disk->OpenDirectory(path);
  if (absl::IsNotFound(directory.status())) return absl::OkStatus();
  RETURN_IF_ERROR(directory.status());
  ASSIGN_OR_RETURN(const std::vector<std::string> names, (*directory)->List());
  for (const std::string& name : names) {
    RETURN_IF_ERROR((*directory)->Unlink(name));
  }
  return absl::OkStatus();
}

}  // namespace

ModelRunCounts& ModelRunCounts::operator+=(const ModelRunCounts& other) {
  for (size_t kind = 0; kind < operations.size(); ++kind) {
    operations[kind] += other.operations[kind];
  }
  opens += other.opens;
  deaths += other.deaths;
  deaths_in_open += other.deaths_in_open;
  deaths_in_close += other.deaths_in_close;
  stores += other.stores;
  merges += other.merges;
  dictionaries += other.dictionaries;
  return *this;
}

std::ostream& operator<<(std::ostream& stream, const ModelRunCounts& counts) {
  const auto& kinds = counts.operations;
  return stream << std::accumulate(kinds.begin(), kinds.end(), uint64_t{0})
                << " operations, of which " << kinds[Operation::kDelete]
                << " deletes, " << kinds[Operation::kWrite] << " batches; "
                << counts.opens << " opens of " << counts.stores << " stores; "
                << counts.merges << " merges; " << counts.dictionaries
                << " dictionaries; " << counts.deaths << " deaths, of which "
                << counts.deaths_in_open << " in open, "
                << counts.deaths_in_close << " in close";
}

ModelRun::ModelRun(uint64_t seed, FileSystem* disk, std::string path)
    : random_(seed),
      workload_(seed, WithCopies(AnyConfiguration(seed))),
      options_(AnyOptions(seed)),
      disk_(disk),
      path_(std::move(path)),
      files_(disk),
      written_(&files_),
      model_(absl::ToUnixMillis(clock_.WallNow())) {
  options_.clock = &clock_;
  options_.file_system = &files_;
  options_.compression_threshold_bytes = 1 + Below(64);
  // With threads nobody knows from when there is one.
  options_.compression_dictionary_bytes =
      options_.background_threads || Below(4) == 0 ? 0 : 512 << Below(4);
  if (Below(4) == 0) options_.file_system = &written_;
  performer_.SetBackupPlace(BackupPath(), options_);
  performer_.SetSnapshotPlace(path_ + "-snapshots", disk_);
  // Another process: a death is not its own.
  Options follower = options_;
  follower.file_system = disk_;
  performer_.SetStorePlace(path_, follower);
}

ModelRunCounts ModelRun::Run(uint64_t operations) {
  counts_.stores = 1;
  Open(nullptr);
  for (uint64_t i = 0; i < operations && !failed_; ++i) {
    Do(workload_.Next());
    if (segments_ > kMostSegments) StartOver();
  }
  CountMerges();
  return counts_;
}

void ModelRun::Do(const Operation& operation) {
  operation_ = &operation;
  ++counts_.operations[operation.kind];
  switch (operation.kind) {
    case Operation::kReopen:
      return Reopen(operation);
    case Operation::kKill:
      return Kill(operation);
    case Operation::kPassTime:
      model_.Apply(operation);
      return clock_.Advance(absl::Milliseconds(operation.time_ms));
    default:
      return DoCall(operation);
  }
}

void ModelRun::DoCall(const Operation& operation) {
  const absl::StatusOr<Answer> answer =
      performer_.Perform(operation, model_.now_ms(), store_.get());
  if (files_.dead()) return RiseAgain(&operation);
  CheckOk(answer.status());
  const Answer expected = model_.Apply(operation);
  LookForDictionary();
  if (failed_ || Fits(*answer, expected)) return;
  Fail(absl::StrCat("the answer was ", Describe(*answer), "\ninstead of ",
                    Describe(expected)));
}

void ModelRun::CountMerges() {
  if (store_ != nullptr) counts_.merges += store_->GetStatistics().merges;
}

void ModelRun::LookForDictionary() {
  if (has_dictionary_ || options_.compression != Compression::kZstd ||
      options_.compression_dictionary_bytes == 0) {
    return;
  }
  const auto directory = disk_->OpenDirectory(path_);
  CheckOk(directory.status());
  if (failed_ || DictionariesAmong((*directory)->List().value()).empty()) {
    return;
  }
  const auto manifest = Manifest::Load(directory->get());
  CheckOk(manifest.status());
  if (failed_ || manifest->state.dictionaries.empty()) return;
  const auto dictionary = ReadListedDictionary(
      directory->get(), manifest->state.dictionaries.back());
  CheckOk(dictionary.status());
  if (failed_) return;
  has_dictionary_ = true;
  ++counts_.dictionaries;
  model_.SetCompression(options_, dictionary->get());
}

void ModelRun::Reopen(const Operation& operation) {
  const absl::Status closed = store_->Close();
  if (files_.dead()) {
    ++counts_.deaths_in_close;
    // What time it was may be remembered, or not.
    time_ms_at_death_ = 0;
    return RiseAgain(nullptr);
  }
  CheckOk(closed);
  CountMerges();
  store_ = nullptr;
  model_.Apply(operation);
  clock_.SetWall(absl::FromUnixMillis(model_.wall_ms()));
  Open(nullptr);
}

void ModelRun::Kill(const Operation& operation) {
  time_ms_at_death_ = operation.time_ms;
  if (Below(4) > 0) return files_.DieAt(AnyMoment());
  files_.Die();
  RiseAgain(nullptr);
}

MomentOfDeath ModelRun::AnyMoment() {
  MomentOfDeath moment;
  moment.nth = 1 + Below(uint64_t{4} << Below(8));
  moment.part = static_cast<MomentOfDeath::Part>(Below(3));
  return moment;
}

void ModelRun::RiseAgain(const Operation* operation) {
  ++counts_.deaths;
  CountMerges();
  store_ = nullptr;
  files_.Revive();
  if (operation != nullptr && !IsChange(operation->kind)) {
    // It may hold something that the model doesn't.
    performer_.ForgetHeld();
    model_.ForgetHeld();
    operation = nullptr;
  }
  Model after = model_;
  if (operation != nullptr) after.Apply(*operation);
  Operation death;
  death.kind = Operation::kKill;
  death.time_ms = std::exchange(time_ms_at_death_, 0);
  model_.Apply(death);
  after.Apply(death);
  clock_.SetWall(absl::FromUnixMillis(model_.wall_ms()));
  if (Below(4) == 0) files_.DieAt(AnyMoment());
  Open(&after);
}

void ModelRun::Open(const Model* after) {
  if (Below(8) == 0) {
    options_.keydir = options_.keydir == KeydirKind::kHash
                          ? KeydirKind::kOrdered
                          : KeydirKind::kHash;
  }
  const std::optional<Answer> before =
      Below(8) == 0 ? ReadOnlyWhole() : std::nullopt;
  // It would be ahead of a clock that was set back, by what it has seen.
  performer_.StopFollowing();
  store_ = OpenUntilAlive();
  if (failed_) return;
  const absl::StatusOr<Answer> whole = Whole(store_.get());
  CheckOk(whole.status());
  if (failed_) return;
  const Answer without = model_.Whole();
  const Answer with = after == nullptr ? without : after->Whole();
  if (!Fits(*whole, without) && !Fits(*whole, with)) {
    return Fail(absl::StrCat("opened again, the store shows ", Describe(*whole),
                             "\ninstead of ", Describe(without), "\nor ",
                             Describe(with)));
  }
  // Where nobody can tell, since it was about expired keys alone, the one that
  // leaves more open.
  if (!Fits(*whole, without) ||
      (Fits(*whole, with) && with.expired_bytes > without.expired_bytes)) {
    if (after != nullptr) model_ = *after;
  }
  has_dictionary_ = false;
  model_.SetCompression(options_, nullptr);
  LookForDictionary();
  if (before.has_value() && !Fits(*before, model_.Whole())) {
    return Fail(absl::StrCat("opened read-only, the store showed ",
                             Describe(*before), "\ninstead of ",
                             Describe(model_.Whole())));
  }
  CheckFiles();
}

std::unique_ptr<Store> ModelRun::OpenUntilAlive() {
  options_.compression = static_cast<Compression>(Below(3));
  while (true) {
    ++counts_.opens;
    absl::StatusOr<std::unique_ptr<Store>> opened =
        Store::Open(path_, options_);
    if (!files_.dead()) {
      CheckOk(opened.status());
      return opened.ok() ? *std::move(opened) : nullptr;
    }
    ++counts_.deaths;
    ++counts_.deaths_in_open;
    opened = absl::UnknownError("");
    files_.Revive();
  }
}

// What a reader sees who comes before the store is recovered; nothing if there
// is no store yet.
std::optional<Answer> ModelRun::ReadOnlyWhole() {
  Options options = options_;
  options.read_only = true;
  const auto opened = Store::Open(path_, options);
  if (absl::IsNotFound(opened.status())) return std::nullopt;
  CheckOk(opened.status());
  if (failed_) return std::nullopt;
  const absl::StatusOr<Answer> whole = Whole(opened->get());
  CheckOk(whole.status());
  return failed_ ? std::nullopt : std::optional<Answer>(*whole);
}

// Nothing may be left that nobody will ever remove. A file that is just being
// made is there before the store knows it.
void ModelRun::CheckFiles() {
  const absl::Time patience = absl::Now() + absl::Seconds(10);
  absl::Status status = FilesAreKnown();
  while (!status.ok() && options_.background_threads &&
         absl::Now() < patience) {
    if (files_.dead()) return;  // in a thread, after the open
    absl::SleepFor(absl::Milliseconds(1));
    status = FilesAreKnown();
  }
  CheckOk(status);
}

absl::Status ModelRun::FilesAreKnown() {
  ASSIGN_OR_RETURN(const auto directory, disk_->OpenDirectory(path_));
  ASSIGN_OR_RETURN(const auto names, directory->List());
  const auto count = [&](auto parse) {
    return static_cast<size_t>(std::count_if(
        names.begin(), names.end(),
        [&](const std::string& name) { return parse(name).has_value(); }));
  };
  segments_ = count(ParseSegmentFileName);
  const size_t known = store_->GetStatistics().segments;
  ASSIGN_OR_RETURN(const LoadedManifest manifest,
                   Manifest::Load(directory.get()));
  const size_t dictionaries = manifest.state.dictionaries.size();
  if (segments_ == known && count(ParseManifestFileName) == 1 &&
      count(ParseDictionaryFileName) == dictionaries) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat(
      "the store knows ", known, " segments and ", dictionaries,
      " dictionaries, but there is\n", absl::StrJoin(names, "\n")));
}

void ModelRun::StartOver() {
  const absl::Status closed = store_->Close();
  store_ = nullptr;
  if (!files_.dead()) CheckOk(closed);
  files_.Revive();
  CheckOk(RemoveFiles(disk_, path_));
  CheckOk(RemoveFiles(disk_, BackupPath()));
  ++counts_.stores;
  performer_.ForgetHeld();
  model_ = Model(model_.wall_ms());
  Open(nullptr);
}

void ModelRun::CheckOk(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

void ModelRun::Fail(const std::string& what) {
  failed_ = true;
  uint64_t number = 0;
  for (const uint64_t count : counts_.operations) number += count;
  ADD_FAILURE() << "operation " << number << ", "
                << (operation_ == nullptr ? "open" : Describe(*operation_))
                << ": " << what;
}

}  // namespace stave
