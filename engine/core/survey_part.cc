#include "engine/core/survey_part.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/mutex.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"
#include "engine/log/file_window.h"
#include "engine/log/hint_survey.h"

namespace stave {
namespace {

class Progress {
 public:
  Progress(const SurveyOptions& options, uint64_t total_bytes)
      : options_(options), progress_{0, total_bytes} {}

  void Add(uint64_t bytes) {
    if (!options_.progress) return;
    MutexLock lock(&mutex_);
    progress_.bytes += bytes;
    options_.progress(progress_);
  }

 private:
  const SurveyOptions& options_;
  Mutex mutex_;
  VerifyProgress progress_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<uint64_t> SizeOf(Directory* directory, const std::string& name) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->OpenFile(name, /*writable=*/false));
  return file->Size();
}

// Whether it has wrong bytes where a mark says that all is on the device.
bool IsDamaged(const SurveyPart& part) {
  const auto mark = part.found.synced_lengths.find(part.header.id);
  return !part.sealed.has_value() && !part.found.bad.empty() &&
         mark != part.found.synced_lengths.end() &&
         part.found.bad.front().bytes.begin < mark->second;
}

absl::Status ReadHeader(const Directory& directory, FileWindow* window,
                        SurveyPart* part) {
  const absl::StatusOr<SegmentHeader> header =
      DecodeSegmentHeader(window->At(0, kSegmentHeaderBytes));
  if (absl::IsInvalidArgument(header.status())) {
    return absl::InvalidArgumentError(
        absl::StrCat(directory.path(), "/", part->name,
                     ", offset 0: ", header.status().message()));
  }
  if (!header.ok()) {
    part->header_problem = std::string(header.status().message());
  } else if (header->id != part->header.id) {
    part->header_problem = "the file is a segment of another name";
  } else if (part->listed && (header->salt != part->header.salt ||
                              header->kind != part->header.kind)) {
    part->header_problem =
        "the file is another segment than the manifest names";
  }
  if (part->listed) return absl::OkStatus();
  part->is_a_segment = part->header_problem.empty();
  if (header.ok()) part->header = *header;
  return absl::OkStatus();
}

// Of a sealed segment; read when it is asked for first.
class HintedChanges {
 public:
  HintedChanges(Directory* directory, const SurveyPart& part,
                const HashSecret& secret)
      : directory_(directory),
        header_(part.header),
        sealed_(*part.sealed),
        hasher_(secret) {}

  uint64_t CountIn(ByteRange range) {
    if (!offsets_.has_value()) offsets_ = Read();
    const auto begin =
        std::lower_bound(offsets_->begin(), offsets_->end(), range.begin);
    const auto end = std::lower_bound(begin, offsets_->end(), range.end);
    return static_cast<uint64_t>(end - begin);
  }

 private:
  // None at all if there is no sound hint file: nothing depends on one (I8).
  std::vector<uint64_t> Read() const {
    const auto file = directory_->OpenFile(HintFileName(header_.id),
                                           /*writable=*/false);
    if (!file.ok()) return {};
    const absl::StatusOr<uint64_t> size = (*file)->Size();
    if (!size.ok()) return {};
    return OffsetsInHintFile(**file, *size, header_, sealed_, hasher_)
        .value_or(std::vector<uint64_t>());
  }

  Directory* const directory_;
  const SegmentHeader header_;
  const SegmentSummary sealed_;
  const KeyHasher hasher_;
  std::optional<std::vector<uint64_t>> offsets_;
};

absl::Status ReadSegmentFile(Directory* directory, const HashSecret& secret,
                             SurveyPart* part,
                             std::function<void(uint64_t)> read) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory->OpenFile(part->name, /*writable=*/false);
  part->missing = absl::IsNotFound(file.status());
  if (part->missing) return absl::OkStatus();
  if (!file.ok()) return file.status();
  FileWindow window(file->get(), part->file_bytes, std::move(read));
  RETURN_IF_ERROR(ReadHeader(*directory, &window, part));
  part->plan.seed = SegmentSeed(part->header.salt, part->header.id);
  part->plan.kind = part->header.kind;
  part->plan.length = part->file_bytes;
  if (part->sealed.has_value()) {
    part->plan.greatest = part->sealed->greatest_sequence;
    part->plan.length = part->sealed->length;
    part->plan.first = part->sealed->least_sequence;
    part->plan.hinted_changes =
        [hint = std::make_shared<HintedChanges>(directory, *part, secret)](
            ByteRange range) { return hint->CountIn(range); };
  }
  part->found = SurveySegment(&window, part->plan);
  // A mark that was written after these bytes had been read vouches for them.
  for (int tries = 1; tries < kSurveyTries && IsDamaged(*part); ++tries) {
    const uint64_t offset = part->found.bad.front().bytes.begin;
    window.Forget();
    part->found = SurveySegment(&window, part->plan);
    if (IsDamaged(*part) && part->found.bad.front().bytes.begin == offset) {
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SurveyPart>> FindSegmentFiles(
    Directory* directory, const std::vector<std::string>& names,
    const ManifestState& manifest) {
  std::vector<SurveyPart> parts;
  for (const ListedSegment& listed : manifest.segments) {
    SurveyPart part;
    part.header = listed.header;
    part.listed = true;
    part.sealed = listed.sealed;
    part.synced_length = listed.synced_length;
    parts.push_back(std::move(part));
  }
  const auto is_listed = [&manifest](SegmentId id) {
    return std::any_of(
        manifest.segments.begin(), manifest.segments.end(),
        [id](const ListedSegment& each) { return each.header.id == id; });
  };
  const std::vector<SegmentId>& removed = manifest.removed;
  for (const std::string& name : names) {
    const auto id = ParseSegmentFileName(name);
    if (!id.has_value() || is_listed(*id) ||
        std::find(removed.begin(), removed.end(), *id) != removed.end()) {
      continue;
    }
    SurveyPart part;
    part.header.id = *id;
    parts.push_back(std::move(part));
  }
  for (SurveyPart& part : parts) {
    part.name = SegmentFileName(part.header.id);
    const absl::StatusOr<uint64_t> size = SizeOf(directory, part.name);
    part.is_no_file = absl::IsInvalidArgument(size.status());
    part.missing = absl::IsNotFound(size.status()) || part.is_no_file;
    if (part.missing) continue;
    if (!size.ok()) return size.status();
    part.file_bytes = *size;
  }
  return parts;
}

absl::Status ReadSegmentFiles(Directory* directory, const HashSecret& secret,
                              const DictionarySet& dictionaries,
                              const SurveyOptions& options,
                              std::vector<SurveyPart>* parts) {
  uint64_t total = 0;
  for (const SurveyPart& part : *parts) total += part.file_bytes;
  Progress progress(options, total);
  return ParallelFor(parts->size(), options.threads, [&](size_t i) {
    SurveyPart& part = (*parts)[i];
    if (part.missing) return absl::OkStatus();
    part.plan.dictionaries = &dictionaries;
    return ReadSegmentFile(directory, secret, &part,
                           [&](uint64_t bytes) { progress.Add(bytes); });
  });
}

absl::Status ReadSegmentFileAgain(Directory* directory, SurveyPart* part) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->OpenFile(part->name, /*writable=*/false));
  FileWindow window(file.get(), part->file_bytes);
  const uint64_t used_bytes = part->found.used_bytes;
  part->found = SurveySegment(&window, part->plan);
  part->found.used_bytes = std::max(part->found.used_bytes, used_bytes);
  return absl::OkStatus();
}

}  // namespace stave
