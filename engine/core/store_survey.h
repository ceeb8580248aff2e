#ifndef STAVE_ENGINE_CORE_STORE_SURVEY_H_
#define STAVE_ENGINE_CORE_STORE_SURVEY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/damage_map.h"
#include "engine/core/survey_part.h"
#include "engine/format/dictionary.h"
#include "engine/fs/file_system.h"
#include "engine/log/file_window.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_survey.h"
#include "stave/verify.h"

namespace stave {

// A segment of which something can be read.
struct SurveyedSegment {
  SegmentHeader header;
  std::string name;
  uint64_t file_bytes = 0;
  SegmentSurvey found;
  // Stretches of sound records that count, one after another.
  std::vector<ByteRange> sound;
};

// All that is in a store's directory.
struct StoreSurvey {
  // Without damage in it, there may still be damage in `damage`.
  bool manifest_is_sound = true;
  ManifestState manifest;
  std::vector<SurveyedSegment> segments;  // in log order
  // Those that are sound, listed or not.
  std::unique_ptr<DictionarySet> dictionaries =
      std::make_unique<DictionarySet>();

  std::vector<Damage> damage;
  std::vector<HiddenRecords> hidden;

  // Sound puts and deletes, but for values that lack their dictionary.
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t torn_tail_bytes = 0;
  int64_t clock_floor_ms = 0;
};

// Reads all files of a store and judges them as Recover does, but goes on
// behind what is wrong:
//  * A segment's records end where the manifest says. Of one that was not
//    sealed, what is wrong behind all that a sync mark, or the manifest,
//    vouches for is a torn tail, and ends the log.
//  * Without a sound manifest, segments are taken in the order of their ids,
//    which is that of the log; what is wrong in front of a sound record is
//    damage; and a record is void if a later segment begins with its sequence
//    or a smaller one: a recovery had cut it off.
//  * Outputs of merges stand where each record has the older ones of its key in
//    front of it, which their sequences tell, and gaps in the log are no
//    damage, since merges make some.
//  * An unlisted segment with records counts if its sequences are in no other
//    and were in none that a merge removed. An unlisted output is no damage, if
//    the manifest is sound: it was not finished.
//
//  * A dictionary that is listed or needed, and not there or not sound, is
//    damage that costs the values that need it, and hides nothing: which keys
//    have these, their records tell.
//  * A damaged hint file is damage that hides nothing. One that is cut is none,
//    since a crash leaves such.
//
// There is no damage in other files exactly if Recover has none to report when
// there are no hint files, with which it reads less. Takes no lock; what a
// running writer changes meanwhile is read again. Errors as those of Verify.
absl::StatusOr<StoreSurvey> SurveyStore(Directory* directory,
                                        const SurveyOptions& options);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_STORE_SURVEY_H_
