#ifndef STAVE_ENGINE_LOG_MANIFEST_SURVEY_H_
#define STAVE_ENGINE_LOG_MANIFEST_SURVEY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fs/file_system.h"
#include "engine/log/file_window.h"
#include "engine/log/manifest.h"

namespace stave {

struct BadManifestRange {
  std::string file;
  ByteRange bytes;
  std::string what;
};

// What can be read of a store's manifest.
struct ManifestSurvey {
  // All edits that are sound. Without `bad` this is what Manifest::Load says.
  LoadedManifest loaded;
  std::vector<BadManifestRange> bad;

  bool sound() const { return bad.empty(); }
};

// NotFound if there is no manifest, or none but one that was never finished;
// InvalidArgument if it has a format, or a change, that this program does not
// know. Anything wrong with its bytes is in the answer.
absl::StatusOr<ManifestSurvey> SurveyManifest(Directory* directory);

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_MANIFEST_SURVEY_H_
