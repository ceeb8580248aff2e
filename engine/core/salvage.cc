#include "engine/core/salvage.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/engine_clock.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/damage_map.h"
#include "engine/core/keydir_fill.h"
#include "engine/core/new_keydir.h"
#include "engine/core/survey_part.h"
#include "engine/log/segment_set.h"

namespace stave {
namespace {

absl::StatusOr<std::shared_ptr<Segment>> OpenSegment(
    Directory* directory, const SurveyedSegment& surveyed, State* state) {
  const uint64_t length = surveyed.sound.back().end;
  Segment::Parts parts;
  parts.header = surveyed.header;
  parts.name = surveyed.name;
  ASSIGN_OR_RETURN(parts.first, state->segments->ReserveRange(length));
  ASSIGN_OR_RETURN(parts.file,
                   directory->OpenFile(parts.name, /*writable=*/false));
  parts.capacity = length;
  if (state->read_mode == ReadMode::kMap) {
    ASSIGN_OR_RETURN(parts.mapping,
                     parts.file->Map(length, /*writable=*/false));
    parts.file = nullptr;
  }
  std::shared_ptr<Segment> segment = Segment::Adopt(std::move(parts));
  segment->end() = length;
  segment->file_bytes() = surveyed.file_bytes;
  state->segments->Add(segment);
  return segment;
}

// NotFound if a segment's file has gone since.
absl::StatusOr<std::unique_ptr<State>> StateOfSurvey(
    Directory* directory, StoreSurvey survey, const HashSecret& secret,
    KeydirKind keydir, ReadMode read_mode, Clock* clock, size_t threads) {
  auto state = std::make_unique<State>();
  state->directory = directory->path();
  state->read_mode = read_mode;
  state->clock = std::make_unique<EngineClock>(clock, survey.clock_floor_ms);
  state->hasher = std::make_unique<KeyHasher>(secret);
  ASSIGN_OR_RETURN(state->segments, SegmentSet::Create());
  state->keydir = NewKeydir(keydir);
  state->dictionaries = std::move(survey.dictionaries);
  auto damage = std::make_unique<DamageMap>();
  damage->damage = std::move(survey.damage);
  damage->hidden = std::move(survey.hidden);
  std::vector<SegmentToRead> sources;
  for (const SurveyedSegment& surveyed : survey.segments) {
    if (surveyed.sound.empty()) continue;
    SegmentToRead source;
    ASSIGN_OR_RETURN(source.segment,
                     OpenSegment(directory, surveyed, state.get()));
    source.summary = surveyed.found.summary;
    source.stretches = surveyed.sound;
    source.check_bodies = false;  // was done by the survey
    for (const ByteRange& bytes : surveyed.sound) {
      damage->stretches.push_back({source.segment, bytes});
    }
    sources.push_back(std::move(source));
  }
  state->damage = std::move(damage);
  RETURN_IF_ERROR(FillKeydir(state.get(), sources, threads));
  RETURN_IF_ERROR(CountLiveRecords(state.get(), sources, threads));
  return state;
}

absl::Status NoSoundManifest(const Directory& directory,
                             const StoreSurvey& survey) {
  const Damage& damage = survey.damage.front();
  return absl::DataLossError(absl::StrCat(
      directory.path(), "/", damage.file, ", offset ", damage.offset, ": ",
      damage.what, "; without a sound manifest the store can't be opened"));
}

}  // namespace

absl::StatusOr<SalvagedStore> Salvage(Directory* directory,
                                      const SurveyOptions& options,
                                      const HashSecret* secret,
                                      KeydirKind keydir, ReadMode read_mode,
                                      Clock* clock) {
  for (int tries = 1; tries <= kSurveyTries; ++tries) {
    ASSIGN_OR_RETURN(StoreSurvey survey, SurveyStore(directory, options));
    if (secret == nullptr && !survey.manifest_is_sound) {
      return NoSoundManifest(*directory, survey);
    }
    const HashSecret hashed_with =
        secret != nullptr ? *secret : survey.manifest.base.hash_secret;
    SalvagedStore salvaged;
    salvaged.records = survey.records;
    salvaged.torn_tail_bytes = survey.torn_tail_bytes;
    salvaged.clock_floor_ms = survey.clock_floor_ms;
    absl::StatusOr<std::unique_ptr<State>> state =
        StateOfSurvey(directory, std::move(survey), hashed_with, keydir,
                      read_mode, clock, options.threads);
    if (absl::IsNotFound(state.status())) continue;
    RETURN_IF_ERROR(state.status());
    salvaged.state = *std::move(state);
    return salvaged;
  }
  return absl::UnavailableError(
      absl::StrCat(directory->path(),
                   ": a running writer removed files faster than they could be "
                   "read, ",
                   kSurveyTries, " times"));
}

absl::StatusOr<RecoveredStore> RecoverDamaged(Directory* directory,
                                              const Options& options,
                                              Clock* clock) {
  SurveyOptions survey_options;
  survey_options.threads = ThreadCount(options.recovery_threads);
  ASSIGN_OR_RETURN(
      SalvagedStore salvaged,
      Salvage(directory, survey_options,
              /*secret=*/nullptr, options.keydir, options.read_mode, clock));
  RecoveredStore store;
  store.bytes_cut = salvaged.torn_tail_bytes;
  store.state = std::move(salvaged.state);
  return store;
}

}  // namespace stave
