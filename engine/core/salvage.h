#ifndef STAVE_ENGINE_CORE_SALVAGE_H_
#define STAVE_ENGINE_CORE_SALVAGE_H_

#include <cstdint>
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

struct SalvagedStore {
  // As far as the store is sound: the keydir names the last sound record of
  // each key, `damage` says what that is worth. All files that are needed are
  // mapped, or open.
  std::unique_ptr<State> state;
  // As StoreSurvey's.
  uint64_t records = 0;
  uint64_t torn_tail_bytes = 0;
  int64_t clock_floor_ms = 0;
};

// What a survey finds, opened. Keys are hashed with `secret`, or, if it is
// null, with the store's own: DataLoss then without a sound manifest. A file
// that a running writer removes meanwhile is no error, but makes it begin anew;
// Unavailable if that goes on. Other errors as SurveyStore's.
absl::StatusOr<SalvagedStore> Salvage(Directory* directory,
                                      const SurveyOptions& options,
                                      const HashSecret* secret,
                                      KeydirKind keydir, ReadMode read_mode,
                                      Clock* clock);

// Opens a store that Recover refuses, for reading alone
// (Options::open_damaged). DataLoss without a sound manifest.
absl::StatusOr<RecoveredStore> RecoverDamaged(Directory* directory,
                                              const Options& options,
                                              Clock* clock);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SALVAGE_H_
