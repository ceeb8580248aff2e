#ifndef STAVE_ENGINE_CORE_SURVEY_PART_H_
#define STAVE_ENGINE_CORE_SURVEY_PART_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/key_hash.h"
#include "engine/format/dictionary.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_survey.h"
#include "stave/verify.h"

namespace stave {

// A running writer may change files while they are looked at. So often they
// are looked at once more.
inline constexpr int kSurveyTries = 10;

struct SurveyOptions {
  size_t threads = 1;
  std::function<void(const VerifyProgress&)> progress;
};

// A segment's file: what the manifest says of it, and what was found in it.
// What that means for the store, SurveyStore judges.
struct SurveyPart {
  SegmentHeader header;
  std::string name;
  bool listed = false;
  bool missing = false;
  bool is_no_file = false;  // a directory, say, which counts as missing
  uint64_t file_bytes = 0;
  std::optional<SegmentSummary> sealed;
  uint64_t synced_length = 0;
  std::string header_problem;
  bool is_a_segment = true;  // else of another name, or none at all
  SegmentToSurvey plan;
  SegmentSurvey found;

  bool has_records() const { return found.summary.records > 0; }
  // The output of a merge.
  bool is_output() const { return header.kind == SegmentKind::kMerged; }
};

// The segments that the manifest lists, in its order, and behind them those
// files of `names` that it does not know. Their contents are not read yet.
absl::StatusOr<std::vector<SurveyPart>> FindSegmentFiles(
    Directory* directory, const std::vector<std::string>& names,
    const ManifestState& manifest);

// Reads all of them, those that are not missing, and the hint files, whose keys
// are hashed with `secret`, of those that are damaged. Borrows `dictionaries`,
// the store's, as long as `parts` may be read again. InvalidArgument for a
// segment of an unknown version.
absl::Status ReadSegmentFiles(Directory* directory, const HashSecret& secret,
                              const DictionarySet& dictionaries,
                              const SurveyOptions& options,
                              std::vector<SurveyPart>* parts);

// Once more, as `part->plan` says now.
absl::Status ReadSegmentFileAgain(Directory* directory, SurveyPart* part);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SURVEY_PART_H_
