#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/manifest_edit.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "tests/damage/image_file_system.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"

// A byte that tells whether checksums are made right, and MANIFEST-3.

namespace stave {
namespace {

constexpr uint64_t kNumber = 3;

absl::StatusOr<LoadedManifest> Load(const std::string& bytes) {
  ImageFileSystem disk({{"MANIFEST-3", bytes}});
  absl::StatusOr<LoadedManifest> loaded =
      Manifest::Load(disk.OpenDirectory("/store")->get());
  FUZZ_CHECK(disk.changes() == 0);
  return loaded;
}

std::string Whole(const ManifestEdit& edit) {
  std::string bytes = EncodeManifestHeader(kNumber);
  return bytes + EncodeManifestEdit(edit, kNumber, bytes.size());
}

}  // namespace
}  // namespace stave

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  if (size == 0) return 0;
  std::string bytes(FuzzInput(data + 1, size - 1));
  if (data[0] % 2 == 1) RepairManifest(kNumber, &bytes);
  const absl::StatusOr<LoadedManifest> loaded = Load(bytes);
  if (!loaded.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(loaded.status()) ||
               absl::IsInvalidArgument(loaded.status()));
    return 0;
  }
  FUZZ_CHECK(loaded->length <= bytes.size());
  FUZZ_CHECK(bytes.substr(0, loaded->length).ends_with(loaded->last_edit));
  // The one edit that says all this says all of it.
  const std::string whole = Whole(loaded->state.WholeEdit());
  const absl::StatusOr<LoadedManifest> again = Load(whole);
  FUZZ_CHECK(again.ok());
  FUZZ_CHECK(again->whole_file && again->length == whole.size());
  FUZZ_CHECK(Whole(again->state.WholeEdit()) == whole);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  BaseChange base;
  base.store_id = 17;
  const SegmentHeader first{SegmentKind::kLog, 1, 0x5a17};
  const SegmentHeader second{SegmentKind::kLog, 2, 0x1357};
  const SegmentSummary summary{4096, 1, 9, 9, 0xabcdef};
  std::vector<std::string> seeds;
  std::string bytes = Whole({base});
  const auto add = [&](const ManifestEdit& edit) {
    bytes += EncodeManifestEdit(edit, kNumber, bytes.size());
    seeds.push_back('\0' + bytes);
    seeds.push_back('\1' + bytes);
  };
  add({AddSegmentChange{first, 0}});
  add({AddSegmentChange{second, 0}});
  add({SealSegmentChange{1, summary}, ClockFloorChange{1'700'000'000'000}});
  add({SyncedChange{2, 512}});
  add({IncarnationChange{7, 300}, MergedThroughChange{200}});
  add({DictionaryChange{7, 0xabcdef}});
  add({CleanCloseChange{2, summary}});
  add({RemoveSegmentChange{1}});
  add({ForgetSegmentChange{1}});
  bytes.append(100, '\0');
  seeds.push_back('\1' + bytes);
  return seeds;
}
