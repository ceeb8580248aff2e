#ifndef STAVE_ENGINE_CORE_OPEN_AIDS_SURVEY_H_
#define STAVE_ENGINE_CORE_OPEN_AIDS_SURVEY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "stave/verify.h"

namespace stave {

// What is wrong in the files that only make an open faster: hint files, but for
// those that the next open removes, and keydir checkpoints.
struct OpenAidsSurvey {
  std::vector<Damage> damage;
  uint64_t bytes = 0;  // that were read
};

// Of those among `names`, the files of `directory`. `manifest` is sound.
absl::StatusOr<OpenAidsSurvey> SurveyOpenAids(
    Directory* directory, const std::vector<std::string>& names,
    const ManifestState& manifest);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_OPEN_AIDS_SURVEY_H_
