#include "engine/core/store_survey.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/base/status_macros.h"
#include "engine/core/dictionary_file.h"
#include "engine/core/open_aids_survey.h"
#include "engine/core/segment_verdict.h"
#include "engine/core/survey_part.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "engine/log/manifest_survey.h"

namespace stave {
namespace {

class Surveyor {
 public:
  Surveyor(Directory* directory, const SurveyOptions& options)
      : directory_(directory), options_(options) {}

  absl::StatusOr<StoreSurvey> Run() {
    ASSIGN_OR_RETURN(names_, directory_->List());
    RETURN_IF_ERROR(ReadManifest());
    RETURN_IF_ERROR(FindSegments());
    RETURN_IF_ERROR(ReadDictionaries());
    RETURN_IF_ERROR(ReadSegmentFiles(directory_,
                                     survey_.manifest.base.hash_secret,
                                     *survey_.dictionaries, options_, &parts_));
    JudgeUnlisted();
    if (!trusted_) RETURN_IF_ERROR(CutWhatIsVoid());
    RETURN_IF_ERROR(JudgeAll());
    JudgeDictionaries();
    if (trusted_) RETURN_IF_ERROR(LookAtOpenAids());
    survey_.manifest_is_sound = trusted_;
    return std::move(survey_);
  }

 private:
  void AddDamage(std::string file, ByteRange bytes, std::string_view what) {
    survey_.damage.push_back(
        {std::move(file), bytes.begin, bytes.size(), std::string(what)});
  }

  absl::Status ReadManifest() {
    absl::StatusOr<ManifestSurvey> manifest = SurveyManifest(directory_);
    if (absl::IsNotFound(manifest.status())) {
      const bool segments = std::any_of(
          names_.begin(), names_.end(), [](const std::string& name) {
            return ParseSegmentFileName(name).has_value();
          });
      if (!segments) return manifest.status();
      AddDamage(ManifestFileName(1), {}, "the manifest is missing");
      trusted_ = false;
      return absl::OkStatus();
    }
    if (!manifest.ok()) return manifest.status();
    for (const BadManifestRange& bad : manifest->bad) {
      AddDamage(bad.file, bad.bytes, bad.what);
    }
    trusted_ = manifest->sound();
    if (trusted_) {
      RETURN_IF_ERROR(CheckFinished(manifest->loaded.state, *directory_));
    }
    sealed_through_ = trusted_ ? manifest->loaded.state.base.sealed_through : 0;
    last_ = sealed_through_;
    whole_manifest_ = manifest->loaded.whole_file;
    survey_.bytes += manifest->loaded.length;
    survey_.manifest = std::move(manifest->loaded.state);
    survey_.clock_floor_ms = survey_.manifest.base.clock_floor_ms;
    return absl::OkStatus();
  }

  absl::Status ReadDictionaries() {
    const ManifestState& manifest = survey_.manifest;
    for (const DictionaryChange& listed : manifest.dictionaries) {
      RETURN_IF_ERROR(
          TakeDictionary(listed.id, ReadListedDictionary(directory_, listed)));
    }
    for (const uint64_t id : DictionariesAmong(names_)) {
      if (manifest.FindDictionary(id) != nullptr) continue;
      auto dictionary = ReadDictionary(directory_, id);
      // One that was not finished.
      if (!dictionary.ok()) continue;
      RETURN_IF_ERROR(TakeDictionary(id, std::move(dictionary)));
    }
    return absl::OkStatus();
  }

  absl::Status TakeDictionary(
      uint64_t id, absl::StatusOr<std::unique_ptr<const Dictionary>> found) {
    if (found.ok()) {
      survey_.bytes += (*found)->file().size();
      survey_.dictionaries->Add(*std::move(found));
      return absl::OkStatus();
    }
    // Bytes that the device refuses to give are damage, too.
    if (!absl::IsDataLoss(found.status()) &&
        !absl::IsInternal(found.status())) {
      return found.status();
    }
    const std::string path =
        absl::StrCat(directory_->path(), "/", DictionaryFileName(id));
    absl::string_view what = found.status().message();
    for (const absl::string_view prefix :
         {absl::string_view(path), absl::string_view(", offset 0"),
          absl::string_view(": ")}) {
      absl::ConsumePrefix(&what, prefix);
    }
    bad_dictionaries_[id] = std::string(what);
    return absl::OkStatus();
  }

  // What is not there, and what that costs.
  void JudgeDictionaries() {
    for (const auto& [id, records] : lacking_) {
      bad_dictionaries_.emplace(id, "the dictionary is missing");
    }
    for (const auto& [id, what] : bad_dictionaries_) {
      AddDamage(DictionaryFileName(id), {}, what);
      survey_.damage.back().records = lacking_[id];
    }
  }

  absl::Status FindSegments() {
    ASSIGN_OR_RETURN(parts_,
                     FindSegmentFiles(directory_, names_, survey_.manifest));
    for (const SurveyPart& part : parts_) survey_.bytes += part.file_bytes;
    TakeCleanClose();
    return absl::OkStatus();
  }

  // After a clean close the last segment is as good as sealed; one that was
  // made ready but never used has no records.
  void TakeCleanClose() {
    const auto& close = survey_.manifest.clean_close;
    if (!close.has_value() || !whole_manifest_) return;
    const auto last =
        std::find_if(parts_.begin(), parts_.end(), [&](const SurveyPart& part) {
          return part.listed && part.header.id == close->id;
        });
    if (close->id != 0 && (last == parts_.end() || last->missing ||
                           last->file_bytes != close->summary.length)) {
      return;
    }
    if (close->id != 0) last->sealed = close->summary;
    parts_.erase(std::remove_if(parts_.begin(), parts_.end(),
                                [](const SurveyPart& part) {
                                  return part.listed && !part.missing &&
                                         !part.sealed.has_value();
                                }),
                 parts_.end());
  }

  // Files that the manifest doesn't know: those that a crash left when a
  // segment was being made have no records, and are nothing to worry about. Nor
  // is a merge's output: what it holds is in segments that are listed.
  void JudgeUnlisted() {
    const bool has_manifest = survey_.manifest.base.store_id != 0;
    if (std::any_of(parts_.begin(), parts_.end(),
                    [this](const SurveyPart& part) {
                      return !part.listed && !part.is_output() && Counts(part);
                    })) {
      trusted_ = false;
    }
    for (auto it = parts_.begin(); it != parts_.end();) {
      if (it->listed || it->missing) {
        ++it;
        continue;
      }
      if (it->is_output() && trusted_) {
        it = parts_.erase(it);
        continue;
      }
      const bool used = it->found.used_bytes > kSegmentHeaderBytes;
      if (Counts(*it)) {
        if (has_manifest && !it->is_output()) {
          AddDamage(it->name, {0, it->file_bytes},
                    "the segment has records, but the manifest doesn't know "
                    "it");
        }
        ++it;
        continue;
      }
      if (!it->is_a_segment && used) {
        AddDamage(it->name, {0, it->file_bytes}, it->header_problem);
      } else if (it->has_records()) {
        AddDamage(it->name, {0, it->file_bytes},
                  "the manifest doesn't know this segment, whose sequences "
                  "other segments have, or had");
      }
      it = parts_.erase(it);
    }
    if (!trusted_) OrderWithoutManifest();
  }

  bool Counts(const SurveyPart& part) const {
    return part.is_a_segment && part.has_records() &&
           (part.is_output() || IsNew(part));
  }

  // Whether none of its sequences is in a segment that the manifest knows, or
  // was in one that is gone.
  bool IsNew(const SurveyPart& part) const {
    const SegmentSummary& mine = part.found.summary;
    if (mine.least_sequence <= sealed_through_) return false;
    return std::none_of(
        parts_.begin(), parts_.end(), [&](const SurveyPart& other) {
          if (!other.listed || other.is_output()) return false;
          const SegmentSummary& theirs =
              other.sealed.has_value() ? *other.sealed : other.found.summary;
          return theirs.records > 0 &&
                 mine.least_sequence <= theirs.greatest_sequence &&
                 theirs.least_sequence <= mine.greatest_sequence;
        });
  }

  // Log segments in the order of their ids, and so are outputs. An output
  // stands in front of the first log segment whose records are all newer than
  // its own, and than those of earlier outputs: that one may have been growing
  // when the merge began. Of others whose records are all newer, none has an
  // older one of a key that is in the output. So of a key's records in two
  // segments the one with the greater sequence stands behind.
  void OrderWithoutManifest() {
    std::vector<SurveyPart> logs, outputs;
    for (SurveyPart& part : parts_) {
      (part.is_output() ? outputs : logs).push_back(std::move(part));
    }
    const auto by_id = [](const SurveyPart& a, const SurveyPart& b) {
      return a.header.id < b.header.id;
    };
    std::stable_sort(logs.begin(), logs.end(), by_id);
    std::stable_sort(outputs.begin(), outputs.end(), by_id);
    parts_.clear();
    auto log = logs.begin();
    Sequence greatest = 0;
    for (SurveyPart& output : outputs) {
      greatest = std::max(greatest, output.found.summary.greatest_sequence);
      while (log != logs.end() &&
             log->found.summary.least_sequence <= greatest) {
        parts_.push_back(std::move(*log++));
      }
      parts_.push_back(std::move(output));
    }
    std::move(log, logs.end(), std::back_inserter(parts_));
    if (outputs.empty() && survey_.manifest.removed.empty()) return;
    has_gaps_ = true;
    absl::StrAppend(&survey_.damage.front().what,
                    "; records that merges have removed may count again, and "
                    "of segments that are missing nothing is known");
  }

  absl::Status CutWhatIsVoid() {
    Sequence end = kUnknownSequence;
    for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
      if (part->missing || part->is_output() || !part->has_records()) continue;
      if (!part->sealed.has_value() &&
          part->found.summary.greatest_sequence >= end) {
        part->plan.sequence_end = end;
        RETURN_IF_ERROR(ReadAgain(&*part));
        if (!part->has_records()) continue;
      }
      end = std::min(end, part->found.summary.least_sequence);
    }
    return absl::OkStatus();
  }

  absl::Status ReadAgain(SurveyPart* part) const {
    RETURN_IF_ERROR(ReadSegmentFileAgain(directory_, part));
    DropGuesses(&part->found);
    return absl::OkStatus();
  }

  // A store without a batch has none where a frame may have been, either.
  void DropGuesses(SegmentSurvey* found) const {
    if (has_batches_) return;
    auto& ranges = found->left_out;
    ranges.erase(std::remove_if(ranges.begin(), ranges.end(),
                                [](const LeftOutRange& range) {
                                  return range.is_a_guess;
                                }),
                 ranges.end());
  }

  // ---- The log ----

  absl::Status JudgeAll() {
    if (!trusted_) last_ = 0;
    std::map<SegmentId, uint64_t> synced_lengths;
    has_batches_ = std::any_of(
        parts_.begin(), parts_.end(),
        [](const SurveyPart& part) { return part.found.has_batches; });
    for (SurveyPart& part : parts_) {
      DropGuesses(&part.found);
      if (part.sealed.has_value() && trusted_) continue;
      survey_.clock_floor_ms =
          std::max(survey_.clock_floor_ms, part.found.clock_floor_ms);
      for (const auto& [id, length] : part.found.synced_lengths) {
        synced_lengths[id] = std::max(synced_lengths[id], length);
      }
    }
    size_t vouched = trusted_ ? 0 : parts_.size();
    for (size_t i = 0; i < parts_.size(); ++i) {
      SurveyPart& part = parts_[i];
      part.synced_length =
          std::max(part.synced_length, synced_lengths[part.header.id]);
      const bool used = part.synced_length > kSegmentHeaderBytes;
      if (!part.sealed.has_value() && used) vouched = std::max(vouched, i);
    }
    for (size_t i = 0; i < parts_.size(); ++i) {
      SegmentVerdict verdict(&survey_, parts_[i].name, parts_[i].header.kind);
      RETURN_IF_ERROR(Judge(&parts_[i], i < vouched, &verdict));
    }
    return absl::OkStatus();
  }

  absl::Status Judge(SurveyPart* part, bool vouched, SegmentVerdict* verdict) {
    if (part->missing) {
      verdict->Missing(part->sealed, part->is_no_file
                                         ? "not a regular file"
                                         : "the segment is missing");
      if (part->sealed.has_value()) NoteSealed(*part);
      return absl::OkStatus();
    }
    if (!part->header_problem.empty()) {
      verdict->BadHeader(part->header_problem, part->file_bytes);
    }
    const bool sealed = part->sealed.has_value();
    if (!part->is_output() && (!sealed || !trusted_)) {
      if (!CheckFollows(*part, vouched, verdict)) return absl::OkStatus();
    }
    if (sealed) {
      verdict->Sealed(part->found, *part->sealed, part->file_bytes);
      NoteSealed(*part);
    } else if (part->is_output()) {
      JudgeUnknownOutput(part->found, verdict);
    } else {
      RETURN_IF_ERROR(JudgeUnsealed(part, vouched, verdict));
    }
    Keep(std::move(*part));
    return absl::OkStatus();
  }

  // The sequences of outputs say nothing of the log's.
  void NoteSealed(const SurveyPart& part) {
    if (part.is_output()) return;
    last_ = std::max(last_, part.sealed->greatest_sequence);
  }

  // An output whose length only the manifest knew.
  void JudgeUnknownOutput(const SegmentSurvey& found,
                          SegmentVerdict* verdict) const {
    verdict->Bad(found);
    const uint64_t end = found.summary.length;
    if (found.used_bytes <= end) return;
    verdict->BadTail({end, found.used_bytes},
                     "wrong checksum of a record's header");
  }

  // Whether the segment is in the log. Notes records that are missing before
  // it.
  bool CheckFollows(const SurveyPart& part, bool vouched,
                    SegmentVerdict* verdict) {
    const SegmentSurvey& found = part.found;
    const bool begins_badly =
        !found.bad.empty() &&
        found.bad.front().bytes.begin == kSegmentHeaderBytes;
    const Sequence least = begins_badly && found.bad.front().first != 0
                               ? found.bad.front().first
                               : found.summary.least_sequence;
    const bool gap = part.has_records() && !begins_badly && least != last_ + 1;
    if (!ended_ && !gap) return true;
    if (!vouched && part.synced_length <= kSegmentHeaderBytes) {
      survey_.torn_tail_bytes += found.used_bytes - kSegmentHeaderBytes;
      ended_ = true;
      return false;
    }
    if (gap && least > last_ && !has_gaps_)
      verdict->MissingBefore(last_, least);
    ended_ = false;
    return true;
  }

  absl::Status JudgeUnsealed(SurveyPart* part, bool vouched,
                             SegmentVerdict* verdict) {
    verdict->set_last(last_);
    const uint64_t limit = vouched ? kUnknownSequence : part->synced_length;
    if (const auto cut = verdict->TornAt(part->found, limit)) {
      part->plan.length = *cut;
      RETURN_IF_ERROR(ReadAgain(part));
      ended_ = true;
    }
    const SegmentSurvey& found = part->found;
    const uint64_t end = found.summary.length;
    const bool is_last = part->header.id == parts_.back().header.id;
    verdict->Bad(found);
    if (vouched && !is_last && found.used_bytes > end &&
        part->plan.sequence_end == kUnknownSequence) {
      verdict->BadTail({end, found.used_bytes},
                       "wrong checksum of a record's header");
    } else if (end < part->synced_length) {
      verdict->BadTail({end, part->synced_length}, "records are missing");
      ended_ = true;
    } else if (found.used_bytes > end) {
      survey_.torn_tail_bytes += found.used_bytes - end;
      ended_ = true;
    }
    if (found.last_known > 0) last_ = found.last_known;
    return absl::OkStatus();
  }

  absl::Status LookAtOpenAids() {
    ASSIGN_OR_RETURN(OpenAidsSurvey aids,
                     SurveyOpenAids(directory_, names_, survey_.manifest));
    survey_.bytes += aids.bytes;
    std::move(aids.damage.begin(), aids.damage.end(),
              std::back_inserter(survey_.damage));
    return absl::OkStatus();
  }

  void Keep(SurveyPart part) {
    SurveyedSegment segment;
    segment.header = part.header;
    segment.name = std::move(part.name);
    segment.file_bytes = part.file_bytes;
    segment.found = std::move(part.found);
    survey_.records += segment.found.changes;
    for (const LeftOutRange& range : segment.found.left_out) {
      survey_.records -= range.changes;
    }
    for (const auto& [id, lacking] : segment.found.lacking) {
      survey_.records -= lacking.records;
      lacking_[id] += lacking.records;
    }
    segment.sound = SoundRanges(segment.found);
    survey_.segments.push_back(std::move(segment));
  }

  Directory* const directory_;
  const SurveyOptions& options_;
  std::vector<std::string> names_;
  // The manifest says what is in the log; else the segments' order does.
  bool trusted_ = true;
  bool whole_manifest_ = false;
  bool has_batches_ = true;
  // Merges have removed log segments, nobody knows which.
  bool has_gaps_ = false;
  std::vector<SurveyPart> parts_;
  std::map<uint64_t, std::string> bad_dictionaries_;
  std::map<uint64_t, uint64_t> lacking_;  // records that need one
  StoreSurvey survey_;
  Sequence sealed_through_ = 0;  // as a sound manifest says
  Sequence last_ = 0;            // of the log so far
  bool ended_ = false;
};

std::pair<uint64_t, uint64_t> ManifestEnd(Directory* directory) {
  const absl::StatusOr<LoadedManifest> manifest = Manifest::Load(directory);
  if (!manifest.ok()) return {0, 0};
  return {manifest->number, manifest->length};
}

}  // namespace

absl::StatusOr<StoreSurvey> SurveyStore(Directory* directory,
                                        const SurveyOptions& options) {
  for (int tries = 1;; ++tries) {
    const auto before = ManifestEnd(directory);
    absl::StatusOr<StoreSurvey> survey = Surveyor(directory, options).Run();
    if ((survey.ok() && survey->damage.empty()) || tries == kSurveyTries ||
        ManifestEnd(directory) == before) {
      return survey;
    }
  }
}

}  // namespace stave
