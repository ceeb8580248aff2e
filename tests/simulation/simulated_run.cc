#include "tests/simulation/simulated_run.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

// Small, since each crash state is read whole several times.
WorkloadConfiguration SmallConfiguration(uint64_t seed) {
  std::mt19937_64 random(seed ^ 0x51a11);
  WorkloadConfiguration configuration;
  configuration.keys = 3 + random() % 10;
  configuration.key_bytes_max = 12;
  configuration.value_bytes_max = uint64_t{8} << random() % 7;
  configuration.batch_changes_max = 4;
  configuration.one_sync_in = uint64_t{2} << random() % 5;
  auto& shares = configuration.shares;
  shares[Operation::kWrite] = 70;
  shares[Operation::kTransact] = 30;
  shares[Operation::kSync] = 30;
  shares[Operation::kGet] = shares[Operation::kGetPinned] =
      shares[Operation::kExists] = 10;
  shares[Operation::kTtl] = shares[Operation::kMultiGet] = 5;
  // Where it can't be written, the read is none the worse, and nobody is told.
  shares[Operation::kGetAndExpire] = 0;
  shares[Operation::kReopen] = shares[Operation::kKill] = 20;
  shares[Operation::kBackup] = 4;
  return configuration;
}

Options SmallOptions(uint64_t seed) {
  std::mt19937_64 random(seed ^ 0x51a12);
  Options options = AnyOptions(seed);
  options.background_threads = false;
  options.recovery_threads = 1;
  options.sync_interval =
      random() % 8 == 0 ? absl::ZeroDuration() : absl::InfiniteDuration();
  options.segment_size_bytes =
      random() % 16 == 0 ? options.segment_size_bytes
                         : (uint64_t{256} << random() % 4) + random() % 256;
  return options;
}

}  // namespace

SimulatedRun::SimulatedRun(uint64_t seed)
    : random_(seed),
      history_(absl::ToUnixMillis(clock_.WallNow())),
      disk_({}, {.mapped_appends = seed % 4 != 0,
                 .allocates = seed % 8 != 0,
                 .links = seed % 3 != 0}),
      options_(SmallOptions(seed)),
      workload_(seed, SmallConfiguration(seed)) {
  options_.clock = &clock_;
  Options backup_options = options_;
  backup_options.file_system = &disk_;
  performer_.SetBackupPlace("/backup", backup_options);
}

absl::Status SimulatedRun::Open() {
  Options options = options_;
  options.file_system = &disk_;
  absl::StatusOr<std::unique_ptr<Store>> opened =
      Store::Open(SimulatedDisk::kPath, options);
  RETURN_IF_ERROR(opened.status());
  store_ = *std::move(opened);
  was_opened_ = true;
  history_.MarkDurable();
  ASSIGN_OR_RETURN(const Answer found, Whole(store_.get()));
  if (Equal(history_.present(), found)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("opened with ", Describe(found), "\ninstead of ",
                   Describe(history_.present().Whole())));
}

absl::Status SimulatedRun::DoNext() {
  operation_ = workload_.Next();
  ++operations_;
  switch (operation_.kind) {
    case Operation::kReopen:
      return Reopen(operation_);
    case Operation::kKill:
      return KillAndOpen(operation_);
    case Operation::kPassTime:
      history_.PassTime(operation_);
      clock_.Advance(absl::Milliseconds(operation_.time_ms));
      return absl::OkStatus();
    default:
      return Call(operation_);
  }
}

absl::Status SimulatedRun::Close() {
  const absl::Status status = store_->Close();
  if (status.ok()) history_.MarkDurable();
  store_ = nullptr;
  return status;
}

absl::Status SimulatedRun::Settle(const absl::Status& error) {
  if (store_ == nullptr) return absl::OkStatus();
  disk_.LookAway(true);
  const absl::StatusOr<Answer> whole = Whole(store_.get());
  disk_.LookAway(false);
  ASSIGN_OR_RETURN(const Answer found, whole);
  if (!IsChange(operation_.kind)) {
    return Equal(history_.present(), found)
               ? absl::OkStatus()
               : absl::InternalError("a call that changes nothing did");
  }
  const bool is_done = Equal(history_.present(), found);
  if (is_done && !absl::IsResourceExhausted(error)) return absl::OkStatus();
  history_.Retract();
  if (Equal(history_.present(), found)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      "failed with ", error.ToString(), "\nand left ", Describe(found),
      "\nafter ", Describe(history_.present().Whole())));
}

void SimulatedRun::Kill() {
  disk_.Kill();
  Abandon();
}

std::string SimulatedRun::Doing() const {
  return absl::StrCat("operation ", operations_, ", ", Describe(operation_));
}

absl::Status SimulatedRun::Call(const Operation& operation) {
  const int64_t now_ms = history_.present().now_ms();
  const Answer expected = history_.Begin(operation);
  ASSIGN_OR_RETURN(const Answer answer,
                   performer_.Perform(operation, now_ms, store_.get()));
  if (!Fits(answer, expected)) {
    return absl::InternalError(absl::StrCat(
        "answered ", Describe(answer), "\ninstead of ", Describe(expected)));
  }
  const bool always_sync = options_.sync_interval == absl::ZeroDuration();
  // A transaction without a change is no write, and may have read anything.
  const bool writes = IsChange(operation.kind) && !operation.changes.empty();
  const bool asked = operation.kind == Operation::kSync || operation.sync ||
                     (always_sync && writes);
  const bool synced = asked && answer.is_covered_by_sync;
  synced ? history_.MarkDurable() : history_.Acknowledge();
  return absl::OkStatus();
}

absl::Status SimulatedRun::Reopen(const Operation& operation) {
  RETURN_IF_ERROR(Close());
  history_.PassTime(operation);
  SetDate();
  return Open();
}

absl::Status SimulatedRun::KillAndOpen(const Operation& operation) {
  Kill();
  // An error of writing back that nobody was told of.
  if (random_() % 2 == 0) disk_.LoseDirtyPages();
  history_.PassTime(operation);
  SetDate();
  return Open();
}

void SimulatedRun::SetDate() {
  clock_.SetWall(absl::FromUnixMillis(history_.wall_ms()));
}

}  // namespace stave
