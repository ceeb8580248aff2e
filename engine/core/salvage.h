#ifndef STAVE_ENGINE_CORE_SALVAGE_H_
#define STAVE_ENGINE_CORE_SALVAGE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/base/clock.h"
#include "engine/base/key_hash.h"
#include "engine/core/recovery.h"
#include "engine/core/state.h"
#include "engine/core/store_survey.h"
#include "engine/fs/file_system.h"
#include "stave/options.h"

namespace stave {

// The state of a store as far as it is sound: its keydir names the last sound
// record of each key, `damage` says what that is worth. Keys are hashed with
// `secret`.
absl::StatusOr<std::unique_ptr<State>> StateOfSurvey(
    Directory* directory, StoreSurvey survey, const HashSecret& secret,
    KeydirKind keydir, Clock* clock, size_t threads);

// Opens a store that Recover refuses, for reading alone
// (Options::open_damaged). DataLoss without a sound manifest.
absl::StatusOr<RecoveredStore> RecoverDamaged(Directory* directory,
                                              const Options& options,
                                              Clock* clock);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SALVAGE_H_
