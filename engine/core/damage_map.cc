#include "engine/core/damage_map.h"

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace stave {

const Damage* DamageMap::MayHide(size_t key_size, Sequence sequence) const {
  for (const HiddenRecords& records : hidden) {
    if (records.last > sequence && records.least_key <= key_size &&
        key_size <= records.greatest_key) {
      return &damage[records.damage];
    }
  }
  return nullptr;
}

absl::Status DamageMap::Check(size_t key_size, Sequence sequence,
                              std::string_view directory) const {
  const Damage* const found = MayHide(key_size, sequence);
  if (found == nullptr) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      ToAbsl(directory), "/", found->file, ", offset ", found->offset, ": ",
      found->what, "; the key's last record may have been there"));
}

absl::Status DamageMap::CheckComplete(std::string_view directory) const {
  if (hidden.empty()) return absl::OkStatus();
  const Damage& first = damage[hidden.front().damage];
  return absl::DataLossError(absl::StrCat(
      ToAbsl(directory), "/", first.file, ", offset ", first.offset, ": ",
      first.what, "; keys whose last record may have been there are left out"));
}

}  // namespace stave
