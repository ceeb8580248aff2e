#ifndef STAVE_TESTS_MODEL_POINTS_OF_DEATH_H_
#define STAVE_TESTS_MODEL_POINTS_OF_DEATH_H_

#include "tests/model/mortal_file_system.h"

namespace stave {

// What a process is doing.
enum class Phase { kOpen, kWork, kMerge, kClose };

// A point of the engine's work, told from outside by the call that it makes
// then. The process is killed before, within or after it.
struct PointOfDeath {
  const char* name;
  Phase phase;
  FileCall call;
  const char* file_prefix;
  MomentOfDeath::Part part;
  bool in_new_store = false;  // comes only where there was none
};

inline constexpr char kSegments[] = "0";  // their ids begin so
inline constexpr char kManifests[] = "MANIFEST";
inline constexpr char kCheckpoints[] = "KEYDIR";
inline constexpr char kDictionaries[] = "DICTIONARY";

inline constexpr PointOfDeath kPointsOfDeath[] = {
    // A store is made.
    {"before the directory", Phase::kOpen, FileCall::kCreateDirectory, "",
     MomentOfDeath::kBefore, true},
    {"after the directory", Phase::kOpen, FileCall::kCreateDirectory, "",
     MomentOfDeath::kAfter, true},
    {"before the lock", Phase::kOpen, FileCall::kLock, "",
     MomentOfDeath::kBefore, true},
    {"after the first manifest's name", Phase::kOpen, FileCall::kCreateFile,
     kManifests, MomentOfDeath::kAfter, true},
    {"within the first manifest", Phase::kOpen, FileCall::kWrite, kManifests,
     MomentOfDeath::kWithin, true},
    {"after the first manifest", Phase::kOpen, FileCall::kWrite, kManifests,
     MomentOfDeath::kAfter, true},
    // The log rolls.
    {"before a segment", Phase::kWork, FileCall::kCreateFile, kSegments,
     MomentOfDeath::kBefore},
    {"after a segment's name", Phase::kWork, FileCall::kCreateFile, kSegments,
     MomentOfDeath::kAfter},
    {"before a segment is synced", Phase::kWork, FileCall::kSyncData, kSegments,
     MomentOfDeath::kBefore},
    {"after a segment is synced", Phase::kWork, FileCall::kSyncData, kSegments,
     MomentOfDeath::kAfter},
    {"before a segment's name is synced", Phase::kWork,
     FileCall::kSyncDirectory, "", MomentOfDeath::kBefore},
    {"after a segment's name is synced", Phase::kWork, FileCall::kSyncDirectory,
     "", MomentOfDeath::kAfter},
    {"before a segment is cut to be sealed", Phase::kWork, FileCall::kTruncate,
     kSegments, MomentOfDeath::kBefore},
    {"after a segment is cut to be sealed", Phase::kWork, FileCall::kTruncate,
     kSegments, MomentOfDeath::kAfter},
    {"before a manifest edit", Phase::kWork, FileCall::kWrite, kManifests,
     MomentOfDeath::kBefore},
    {"within a manifest edit", Phase::kWork, FileCall::kWrite, kManifests,
     MomentOfDeath::kWithin},
    {"after a manifest edit", Phase::kWork, FileCall::kWrite, kManifests,
     MomentOfDeath::kAfter},
    {"after a manifest edit is synced", Phase::kWork, FileCall::kSyncData,
     kManifests, MomentOfDeath::kAfter},
    {"after the manifest gets space", Phase::kWork, FileCall::kAllocate,
     kManifests, MomentOfDeath::kAfter},
    // Records; where the log is written these are writes.
    {"before a record", Phase::kWork, FileCall::kStore, kSegments,
     MomentOfDeath::kBefore},
    {"within a record", Phase::kWork, FileCall::kStore, kSegments,
     MomentOfDeath::kWithin},
    {"after a record", Phase::kWork, FileCall::kStore, kSegments,
     MomentOfDeath::kAfter},
    // A keydir checkpoint.
    {"after a checkpoint's name", Phase::kWork, FileCall::kCreateFile,
     kCheckpoints, MomentOfDeath::kAfter},
    {"within a checkpoint", Phase::kWork, FileCall::kWrite, kCheckpoints,
     MomentOfDeath::kWithin},
    {"before a checkpoint is synced", Phase::kWork, FileCall::kSyncData,
     kCheckpoints, MomentOfDeath::kBefore},
    {"after a checkpoint is synced", Phase::kWork, FileCall::kSyncData,
     kCheckpoints, MomentOfDeath::kAfter},
    {"before the last checkpoint is removed", Phase::kWork, FileCall::kUnlink,
     kCheckpoints, MomentOfDeath::kBefore},
    // The dictionary is learnt, which a store does once.
    {"before a dictionary", Phase::kWork, FileCall::kCreateFile, kDictionaries,
     MomentOfDeath::kBefore, true},
    {"after a dictionary's name", Phase::kWork, FileCall::kCreateFile,
     kDictionaries, MomentOfDeath::kAfter, true},
    {"within a dictionary", Phase::kWork, FileCall::kWrite, kDictionaries,
     MomentOfDeath::kWithin, true},
    {"before a dictionary is synced", Phase::kWork, FileCall::kSyncData,
     kDictionaries, MomentOfDeath::kBefore, true},
    {"after a dictionary is synced", Phase::kWork, FileCall::kSyncData,
     kDictionaries, MomentOfDeath::kAfter, true},
    // A merge, while nothing else is done: outputs, edit, relocation, removal.
    {"before a merge's output has a header", Phase::kMerge, FileCall::kWrite,
     kMergedHeader, MomentOfDeath::kBefore},
    {"within the header of a merge's output", Phase::kMerge, FileCall::kWrite,
     kMergedHeader, MomentOfDeath::kWithin},
    {"before the header of a merge's output is synced", Phase::kMerge,
     FileCall::kSyncData, kMergedHeader, MomentOfDeath::kBefore},
    {"within a merge's output", Phase::kMerge, FileCall::kWrite, kMergedRecords,
     MomentOfDeath::kWithin},
    {"before a merge's output is synced", Phase::kMerge, FileCall::kSyncData,
     kMergedRecords, MomentOfDeath::kBefore},
    {"after a merge's output is synced", Phase::kMerge, FileCall::kSyncData,
     kMergedRecords, MomentOfDeath::kAfter},
    {"after the names of a merge's outputs are synced", Phase::kMerge,
     FileCall::kSyncDirectory, kMergeNames, MomentOfDeath::kAfter},
    {"before the edit of a merge", Phase::kMerge, FileCall::kWrite, kMergeEdit,
     MomentOfDeath::kBefore},
    {"within the edit of a merge", Phase::kMerge, FileCall::kWrite, kMergeEdit,
     MomentOfDeath::kWithin},
    {"after the edit of a merge, which is not synced", Phase::kMerge,
     FileCall::kWrite, kMergeEdit, MomentOfDeath::kAfter},
    {"after the edit of a merge is synced", Phase::kMerge, FileCall::kSyncData,
     kMergeEdit, MomentOfDeath::kAfter},
    {"after relocation, before a merged file is removed", Phase::kMerge,
     FileCall::kUnlink, kSegments, MomentOfDeath::kBefore},
    {"between merged files that are removed", Phase::kMerge, FileCall::kUnlink,
     kSegments, MomentOfDeath::kAfter},
    {"within a hint file, beside a merge", Phase::kMerge, FileCall::kWrite,
     kSegments, MomentOfDeath::kWithin},
    // Recovery: a whole manifest, writing back, the edit, cutting.
    {"before the whole manifest", Phase::kOpen, FileCall::kCreateFile,
     kManifests, MomentOfDeath::kBefore},
    {"within the whole manifest", Phase::kOpen, FileCall::kWrite, kManifests,
     MomentOfDeath::kWithin},
    {"before the old manifest is removed", Phase::kOpen, FileCall::kUnlink,
     kManifests, MomentOfDeath::kBefore},
    {"after the old manifest is removed", Phase::kOpen, FileCall::kUnlink,
     kManifests, MomentOfDeath::kAfter},
    {"before the log is written back", Phase::kOpen, FileCall::kWrite,
     kSegments, MomentOfDeath::kBefore},
    {"within the log's writing back", Phase::kOpen, FileCall::kWrite, kSegments,
     MomentOfDeath::kWithin},
    {"after what was written back is synced", Phase::kOpen, FileCall::kSyncData,
     kSegments, MomentOfDeath::kAfter},
    {"before the log's tail is cut", Phase::kOpen, FileCall::kTruncate,
     kSegments, MomentOfDeath::kBefore},
    {"after the log's tail is cut", Phase::kOpen, FileCall::kTruncate,
     kSegments, MomentOfDeath::kAfter},
    // A close.
    {"before the active segment is cut", Phase::kClose, FileCall::kTruncate,
     kSegments, MomentOfDeath::kBefore},
    {"after the active segment is cut", Phase::kClose, FileCall::kTruncate,
     kSegments, MomentOfDeath::kAfter},
    {"before the edit of the close", Phase::kClose, FileCall::kWrite,
     kManifests, MomentOfDeath::kBefore},
    {"within the edit of the close", Phase::kClose, FileCall::kWrite,
     kManifests, MomentOfDeath::kWithin},
    {"after the edit of the close", Phase::kClose, FileCall::kWrite, kManifests,
     MomentOfDeath::kAfter},
    {"within the checkpoint of a close", Phase::kClose, FileCall::kWrite,
     kCheckpoints, MomentOfDeath::kWithin},
    {"before the manifest is cut", Phase::kClose, FileCall::kTruncate,
     kManifests, MomentOfDeath::kBefore},
    {"after the manifest is cut", Phase::kClose, FileCall::kTruncate,
     kManifests, MomentOfDeath::kAfter},
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_POINTS_OF_DEATH_H_
