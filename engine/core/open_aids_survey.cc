#include "engine/core/open_aids_survey.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/key_hash.h"
#include "engine/base/status_macros.h"
#include "engine/core/checkpoint_survey.h"
#include "engine/format/file_names.h"
#include "engine/log/hint_survey.h"

namespace stave {
namespace {

// Adds what survey(file, size) finds wrong in the file, unless it has gone.
template <typename Survey>
absl::Status SurveyFile(Directory* directory, const std::string& name,
                        std::string_view consolation, OpenAidsSurvey* found,
                        Survey survey) {
  const absl::StatusOr<std::unique_ptr<File>> file =
      directory->OpenFile(name, /*writable=*/false);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  // Such as a directory: an open that goes without it finds all the same.
  if (absl::IsInvalidArgument(file.status())) {
    found->damage.push_back(
        {name, 0, 0,
         absl::StrCat("not a regular file; ", ToAbsl(consolation))});
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const uint64_t size, (*file)->Size());
  found->bytes += size;
  const auto bad = survey(**file, size);
  if (!bad.has_value()) return absl::OkStatus();
  found->damage.push_back({name, bad->bytes.begin, bad->bytes.size(),
                           absl::StrCat(bad->what, "; ", ToAbsl(consolation))});
  return absl::OkStatus();
}

const ListedSegment* FindSealed(const ManifestState& manifest, SegmentId id) {
  const auto found = std::find_if(
      manifest.segments.begin(), manifest.segments.end(),
      [id](const ListedSegment& each) { return each.header.id == id; });
  return found != manifest.segments.end() && found->sealed.has_value()
             ? &*found
             : nullptr;
}

}  // namespace

absl::StatusOr<OpenAidsSurvey> SurveyOpenAids(
    Directory* directory, const std::vector<std::string>& names,
    const ManifestState& manifest) {
  const KeyHasher hasher(manifest.base.hash_secret);
  OpenAidsSurvey found;
  for (const std::string& name : names) {
    const auto id = ParseHintFileName(name);
    const ListedSegment* const segment =
        id.has_value() ? FindSealed(manifest, *id) : nullptr;
    if (segment == nullptr) continue;
    RETURN_IF_ERROR(
        SurveyFile(directory, name,
                   "nothing is lost with a hint file, which can be made anew "
                   "from its segment",
                   &found, [&](const File& file, uint64_t size) {
                     return SurveyHintFile(file, size, segment->header,
                                           *segment->sealed, hasher);
                   }));
  }
  for (const std::string& name : names) {
    const auto generation = ParseCheckpointFileName(name);
    if (!generation.has_value()) continue;
    RETURN_IF_ERROR(
        SurveyFile(directory, name,
                   "nothing is lost with a keydir checkpoint, without which a "
                   "store only opens slower",
                   &found, [&](const File& file, uint64_t size) {
                     return SurveyCheckpoint(file, size, *generation);
                   }));
  }
  return found;
}

}  // namespace stave
