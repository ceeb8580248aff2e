#include "tests/simulation/fault_explorer.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "tests/simulation/recovery_check.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {

absl::Status FaultExplorer::Explore(uint64_t runs) {
  FaultRun without(seed_, operations_, {});
  RETURN_IF_ERROR(without.Run());
  const std::vector<Call> calls = without.disk().calls();
  for (uint64_t call = 0; call < calls.size(); ++call) {
    for (int i = 1; i < static_cast<int>(Fault::kFaults); ++i) {
      const Fault fault = static_cast<Fault>(i);
      if (!Applies(fault, calls[call])) continue;
      for (const bool sticky : {false, true}) {
        if (runs_ == runs) return absl::OkStatus();
        FaultRun run(seed_, operations_, {fault, call, sticky});
        const absl::Status status = run.Run();
        if (run.disk().fault_was_met()) ++runs_;
        if (status.ok()) continue;
        return absl::InternalError(absl::StrCat(
            NameOf(fault), " at call ", call, ", ", NameOf(calls[call]),
            sticky ? ", and later" : "", ": ", status.message()));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status FaultRun::Run() {
  run_.disk().Break(planned_.fault, planned_.call, planned_.sticky);
  RETURN_IF_ERROR(Operate());
  if (OnlyWantsSpace()) RETURN_IF_ERROR(FreeTheDisk());
  const CrashState left = End();
  if (run_.disk().open_handles() != 0) {
    return absl::InternalError("something stays open");
  }
  const bool is_sync = planned_.fault == Fault::kSyncKeepsPages ||
                       planned_.fault == Fault::kSyncLosesPages;
  if (is_sync && run_.disk().fault_was_met() &&
      !run_.disk().only_hints_met_it() && !reported_) {
    return absl::InternalError("nobody was told that a sync failed");
  }
  SimulatedDisk disk(left.image, run_.disk().abilities());
  const absl::Status status =
      CheckRecovery(&disk, run_.options(), run_.history(), left.end,
                    {.close_first = Mixed() % 2 == 0});
  if (status.ok()) return status;
  return absl::InternalError(absl::StrCat(left.name, ": ", status.message()));
}

absl::Status FaultRun::Operate() {
  const absl::Status opened = run_.Open();
  reported_ = !opened.ok();
  for (uint64_t i = 0; i < operations_ && run_.is_open(); ++i) {
    const absl::Status status = run_.DoNext();
    // What failed in a merge, the next write would be told.
    const bool is_latched = run_.is_open() && run_.is_latched();
    reported_ |= is_latched;
    // Then what the store shows is not what it was told any more.
    const bool reverted = planned_.fault == Fault::kSyncRevertsPages;
    if (is_latched && reverted) return absl::OkStatus();
    if (status.ok()) continue;
    const std::string doing = run_.Doing();
    if (!run_.disk().fault_was_met()) {
      return absl::InternalError(
          absl::StrCat("without a fault, ", doing, ": ", status.ToString()));
    }
    reported_ = true;
    if (reverted) return absl::OkStatus();
    const absl::Status settled = run_.Settle(status);
    if (!settled.ok()) {
      return absl::InternalError(absl::StrCat(doing, ": ", settled.message()));
    }
  }
  return absl::OkStatus();
}

bool FaultRun::OnlyWantsSpace() const {
  return planned_.fault == Fault::kDiskFull ||
         planned_.fault == Fault::kQuotaExceeded ||
         planned_.fault == Fault::kFullDiskMidWrite;
}

absl::Status FaultRun::FreeTheDisk() {
  run_.disk().Heal();
  if (!run_.is_open()) return absl::OkStatus();
  if (run_.is_latched()) {
    return absl::InternalError("a full disk made the store read-only");
  }
  constexpr int kOperations = 5;
  for (int i = 0; i < kOperations; ++i) {
    const absl::Status status = run_.DoNext();
    if (status.ok()) continue;
    return absl::InternalError(absl::StrCat("with space again, ", run_.Doing(),
                                            ": ", status.ToString()));
  }
  return absl::OkStatus();
}

CrashState FaultRun::End() {
  SimulatedDisk& disk = run_.disk();
  // What was reverted is gone; else the page cache has all.
  const bool reverts = planned_.fault == Fault::kSyncRevertsPages;
  const auto end = reverts ? History::End::kPowerLoss : History::End::kKill;
  const bool is_met_at_the_end = !disk.fault_was_met();
  switch (is_met_at_the_end ? 0 : Mixed() % 3) {
    case 0:
      if (run_.is_open()) reported_ |= !run_.Close().ok();
      run_.Abandon();
      return {disk.AfterKill(), end, "after a close"};
    case 1:
      // What a sync that lied has told to be durable is not.
      if (planned_.fault == Fault::kSyncReportedLate) break;
      run_.Kill();
      return {disk.AfterPowerLoss(Writeback::OfNothing()),
              History::End::kPowerLoss, "after a loss of power"};
    default:
      break;
  }
  run_.Kill();
  return {disk.AfterKill(), end, "after a kill"};
}

uint64_t FaultRun::Mixed() const {
  return planned_.call + 5 * static_cast<uint64_t>(planned_.fault) +
         (planned_.sticky ? 1 : 0);
}

}  // namespace stave
