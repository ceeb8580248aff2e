#include "tests/simulation/crash_explorer.h"

#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"
#include "stave/store.h"
#include "tests/simulation/recovery_check.h"
#include "xxhash.h"

namespace stave {
namespace {

constexpr int kRandomStates = 20;
constexpr int kRandomStatesInRecovery = 2;
constexpr uint64_t kOneCrashInRecoveryIn = 100;
// Tells states with lost pages from others.
constexpr uint64_t kLostPages = 0x105e;

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

uint64_t HashOf(const SimulatedDisk::Image& image, uint64_t salt) {
  uint64_t hash = salt;
  for (const auto& [name, bytes] : image) {
    if (name == kLockFileName) continue;  // nobody reads it
    hash = XXH3_64bits_withSeed(name.data(), name.size(), hash);
    hash = XXH3_64bits_withSeed(bytes.data(), bytes.size(), hash);
  }
  return hash;
}

// Whether a MANIFEST-1 is all that there is, and can't be left from making a
// store (FORMAT.md, "Which manifest counts").
bool HasGarbageAlone(const SimulatedDisk::Image& image) {
  constexpr std::string_view kMagic = "STAVEMAN";
  bool has_garbage = false;
  for (const auto& [name, bytes] : image) {
    if (name == kLockFileName) continue;
    if (name != ManifestFileName(1)) return false;
    has_garbage = !kMagic.starts_with(bytes.substr(0, kMagic.size())) &&
                  bytes.find_first_not_of('\0') != bytes.npos;
  }
  return has_garbage;
}

}  // namespace

absl::Status CrashExplorer::Explore(uint64_t operations, uint64_t states) {
  run_.disk().Observe([this, states] {
    if (failure_.ok() && counts_.states < states && random_() % one_in_ == 0) {
      Crash();
    }
  });
  const absl::Status status = Run(operations, states);
  run_.disk().Observe(nullptr);
  if (!failure_.ok()) return failure_;
  if (status.ok()) return status;
  return absl::InternalError(
      absl::StrCat("without a crash, ", run_.Doing(), ": ", status.ToString()));
}

absl::Status CrashExplorer::Run(uint64_t operations, uint64_t states) {
  RETURN_IF_ERROR(run_.Open());
  for (uint64_t i = 0;
       i < operations && failure_.ok() && counts_.states < states; ++i) {
    RETURN_IF_ERROR(run_.DoNext());
  }
  return run_.Close();
}

void CrashExplorer::Crash() {
  ++counts_.crash_points;
  ForEachCrashState(run_.disk(), kRandomStates, &random_,
                    [this](CrashState state) {
                      if (!failure_.ok()) return;
                      if (random_() % kOneCrashInRecoveryIn == 0) {
                        CrashInRecovery(state);
                      }
                      Check(std::move(state));
                    });
  if (failure_.ok()) KillAndLosePages();
}

void CrashExplorer::KillAndLosePages() {
  const std::unique_ptr<SimulatedDisk> disk = run_.disk().Copy();
  const SimulatedDisk::Image image = disk->AfterKill();
  disk->LoseDirtyPages();
  // Told apart by what is in the cache and by what is on the device.
  const uint64_t device =
      HashOf(disk->AfterPowerLoss(Writeback::OfNothing()), kLostPages);
  if (IsDuplicate(image, Mix(device, run_.history().FirstAllowed(
                                         History::End::kKill)))) {
    ++counts_.duplicates;
    return;
  }
  ++counts_.states;
  const absl::Status status = CheckRecovery(
      disk.get(), run_.options(), run_.history(), History::End::kKill, Any());
  if (!status.ok()) Fail(status, "a kill, and all dirty pages lost");
}

void CrashExplorer::CrashInRecovery(const CrashState& state) {
  SimulatedDisk disk(state.image, run_.disk().abilities());
  disk.Observe([&] {
    ForEachCrashState(disk, kRandomStatesInRecovery, &random_,
                      [&](CrashState again) {
                        if (!failure_.ok()) return;
                        const uint64_t before = counts_.states;
                        again.end = state.end;
                        again.has_garbage |= state.has_garbage;
                        again.name += ", while recovering from ";
                        again.name += state.name;
                        Check(std::move(again));
                        counts_.in_recovery += counts_.states - before;
                      });
  });
  Options options = run_.options();
  options.file_system = &disk;
  auto store = Store::Open(SimulatedDisk::kPath, options);
  disk.Observe(nullptr);
  disk.Kill();
}

void CrashExplorer::Check(CrashState state) {
  if (IsDuplicate(state.image, run_.history().FirstAllowed(state.end))) {
    ++counts_.duplicates;
    return;
  }
  ++counts_.states;
  SimulatedDisk disk(state.image, run_.disk().abilities());
  const bool never_was =
      !run_.was_opened() && state.has_garbage && HasGarbageAlone(state.image);
  const absl::Status status =
      never_was ? CheckRefusal(&disk, run_.options())
                : CheckRecovery(&disk, run_.options(), run_.history(),
                                state.end, Any());
  if (!status.ok()) Fail(status, state.name);
}

bool CrashExplorer::IsDuplicate(const SimulatedDisk::Image& image,
                                uint64_t salt) {
  return !seen_.insert(HashOf(image, salt)).second;
}

Afterwards CrashExplorer::Any() const {
  return {.set_clock_back = counts_.states % 8 == 0,
          .close_first = counts_.states % 2 == 0};
}

void CrashExplorer::Fail(const absl::Status& status, const std::string& where) {
  failure_ = absl::InternalError(absl::StrCat(
      "after a crash at change ", run_.disk().last_change().time, " (",
      run_.Doing(), "), with ", where, ": ", status.message()));
}

}  // namespace stave
