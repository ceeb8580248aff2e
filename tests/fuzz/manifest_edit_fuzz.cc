#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/manifest_edit.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"

// A byte that tells whether the checksum is made right, and an edit, which is
// the first one of manifest 3.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  constexpr uint64_t kNumber = 3;
  if (size == 0) return 0;
  std::string bytes = EncodeManifestHeader(kNumber);
  bytes += FuzzInput(data + 1, size - 1);
  if (data[0] % 2 == 1) RepairManifest(kNumber, &bytes);
  FUZZ_CHECK(DecodeManifestHeader(bytes, kNumber).ok());
  FUZZ_CHECK(absl::IsDataLoss(DecodeManifestHeader(bytes, kNumber + 1)));
  const auto edit_bytes = std::string_view(bytes).substr(kManifestHeaderBytes);
  size_t edit_size = 0;
  const absl::StatusOr<ManifestEdit> edit =
      DecodeManifestEdit(edit_bytes, kNumber, kManifestHeaderBytes, &edit_size);
  if (!edit.ok()) return 0;
  FUZZ_CHECK(edit_size <= edit_bytes.size());
  FUZZ_CHECK(EncodeManifestEdit(*edit, kNumber, kManifestHeaderBytes) ==
             edit_bytes.substr(0, edit_size));
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  const SegmentHeader header{SegmentKind::kLog, 5, 0x5a17};
  const SegmentSummary summary{4096, 1, 9, 9, 0xabcdef};
  std::vector<std::string> seeds;
  for (const ManifestEdit& edit : std::vector<ManifestEdit>{
           {BaseChange{}},
           {BaseChange{}, AddSegmentChange{header, 4096}},
           {AddSegmentChange{header, 0}, SealSegmentChange{5, summary}},
           {RemoveSegmentChange{5}, ForgetSegmentChange{5}},
           {SyncedChange{5, 512}},
           {IncarnationChange{7, 300}, MergedThroughChange{200}},
           {DictionaryChange{7, 0xabcdef}},
           {ClockFloorChange{1'700'000'000'000}, CleanCloseChange{5, summary}},
       }) {
    const std::string bytes = EncodeManifestEdit(edit, 3, kManifestHeaderBytes);
    seeds.push_back('\0' + bytes);
    seeds.push_back('\1' + bytes);
  }
  return seeds;
}
