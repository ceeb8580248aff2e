#include "engine/log/manifest_survey.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "engine/base/status_macros.h"
#include "engine/base/types.h"
#include "engine/format/file_names.h"
#include "engine/format/manifest_edit.h"

namespace stave {
namespace {

// Reads a manifest of which some edits are missing: what can't be true of the
// others is left out, one change at a time.
class Reader {
 public:
  Reader(std::string_view bytes, uint64_t number)
      : bytes_(bytes), number_(number) {
    survey_.loaded.number = number;
  }

  absl::StatusOr<ManifestSurvey> Run() {
    const absl::Status header = DecodeManifestHeader(bytes_, number_);
    if (absl::IsInvalidArgument(header)) return header;
    if (!header.ok()) {
      AddBad(0, std::min<uint64_t>(kManifestHeaderBytes, bytes_.size()),
             header.message());
    }
    uint64_t at = kManifestHeaderBytes;
    while (at < bytes_.size()) {
      const uint64_t found = NextEdit(at);
      if (found == bytes_.size() && edits_ > 0) break;  // as if not written
      if (found > at) AddBad(at, found, "wrong checksum of an edit");
      if (found == bytes_.size()) break;
      RETURN_IF_ERROR(TakeEdit(found, &at));
    }
    return std::move(survey_);
  }

  size_t edits() const { return edits_; }

 private:
  // The first place from `at` on where an edit is right; else the end.
  uint64_t NextEdit(uint64_t at) const {
    size_t size = 0;
    for (; at < bytes_.size(); at += kRecordAlignment) {
      const auto edit =
          DecodeManifestEdit(bytes_.substr(at), number_, at, &size);
      if (!absl::IsDataLoss(edit.status())) return at;
    }
    return bytes_.size();
  }

  absl::Status TakeEdit(uint64_t at, uint64_t* next) {
    size_t size = 0;
    ASSIGN_OR_RETURN(const ManifestEdit edit,
                     DecodeManifestEdit(bytes_.substr(at), number_, at, &size));
    *next = survey_.loaded.length = at + size;
    ++edits_;
    for (const ManifestChange& change : edit) {
      if (const auto* base = std::get_if<BaseChange>(&change)) {
        survey_.loaded.state.base = *base;
        continue;
      }
      // Apply wants a base; the true one may be what is missing.
      uint64_t& store_id = survey_.loaded.state.base.store_id;
      store_id = std::max<uint64_t>(store_id, 1);
      const absl::Status applied = survey_.loaded.state.Apply({change});
      if (!applied.ok()) AddBad(at, *next, applied.message());
    }
    return absl::OkStatus();
  }

  void AddBad(uint64_t begin, uint64_t end, absl::string_view what) {
    survey_.bad.push_back(
        {ManifestFileName(number_), {begin, end}, std::string(what)});
  }

  const std::string_view bytes_;
  const uint64_t number_;
  size_t edits_ = 0;
  ManifestSurvey survey_;
};

}  // namespace

absl::StatusOr<ManifestSurvey> SurveyManifest(Directory* directory) {
  absl::StatusOr<LoadedManifest> loaded = Manifest::Load(directory);
  if (loaded.ok()) return ManifestSurvey{*std::move(loaded), {}};
  if (!absl::IsDataLoss(loaded.status())) return loaded.status();
  ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers,
                   Manifest::ListNumbers(directory));
  ManifestSurvey best;
  for (const uint64_t number : numbers) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     Manifest::ReadWhole(directory, number));
    Reader reader(bytes, number);
    ASSIGN_OR_RETURN(ManifestSurvey survey, reader.Run());
    const bool usable = reader.edits() > 0;
    if (usable || number == numbers.front()) best = std::move(survey);
    if (usable) break;
  }
  if (best.bad.empty()) {
    best.bad.push_back({ManifestFileName(best.loaded.number),
                        {0, 0},
                        std::string(loaded.status().message())});
  }
  best.loaded.state.clean_close.reset();
  return best;
}

}  // namespace stave
