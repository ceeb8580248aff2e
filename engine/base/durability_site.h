#ifndef STAVE_ENGINE_BASE_DURABILITY_SITE_H_
#define STAVE_ENGINE_BASE_DURABILITY_SITE_H_

#include <type_traits>

// The places on which it depends that nothing is lost and nothing wrong is
// shown: every sync, every check, every "this before that". Each has a name,
// so that it can be taken away, and the tests can prove that they would notice
// (tests/bite).
//
//   RETURN_IF_ERROR(DURABILITY_SITE(kSealSync, file->SyncData()));
//
// stands for `file->SyncData()`. Only in a program that is built with
// STAVE_DURABILITY_SWITCH (--config=bite), and run with
// STAVE_TAKE_AWAY=kSealSync, it is not done, and the value is the one that a
// type has by itself: an OK status, false, zero. So a check is written as the
// condition that something is wrong. Where taking away means another order,
// TakenAway says so.

// Name, rule (reliability rules I1 to I14), and what would be lost without it.
#define STAVE_DURABILITY_SITES(SITE)                                           \
  /* Syncs. */                                                                 \
  SITE(kFileSync, "I7", "a file's sync reaches the kernel")                    \
  SITE(kDirectorySync, "I7", "a directory's sync reaches the kernel")          \
  SITE(kNewDirectorySync, "I5", "the name of a new store's directory")         \
  SITE(kSegmentHeaderSync, "I3", "the header of a segment that is listed")     \
  SITE(kSegmentNameSync, "I3", "the name of a segment that is listed")         \
  SITE(kFlushSync, "I2", "records that were acknowledged as durable")          \
  SITE(kSealSync, "I3", "records of a segment that is sealed")                 \
  SITE(kCloseSync, "I2", "what a clean close vouches for")                     \
  SITE(kEditSync, "I3", "a manifest edit, before it is relied on")             \
  SITE(kWholeManifestSync, "I3", "a whole manifest, before the last one goes") \
  SITE(kManifestNameSync, "I3", "its name, before the last one goes")          \
  SITE(kOldManifestSync, "I3", "that the last manifest is gone")               \
  SITE(kRemovedSync, "I3", "that a segment is gone before it is forgotten")    \
  SITE(kWriteBackSync, "I2", "the log's tail that recovery has found")         \
  SITE(kOutputHeaderSync, "I5", "that an unlisted segment is a merge's")       \
  SITE(kOutputSync, "I5", "what a merge has copied, before its inputs go")     \
  SITE(kOutputNameSync, "I5", "the names of its outputs")                      \
  SITE(kBackupCopySync, "I5", "what a backup has copied")                      \
  SITE(kBackupNameSync, "I5", "the names of a backup's files")                 \
  SITE(kSnapshotFileSync, "I5", "a snapshot file, before the last one goes")   \
  SITE(kSnapshotNameSync, "I5", "the name of a saved snapshot file")           \
  SITE(kDictionarySync, "I3", "a dictionary that is listed")                   \
  SITE(kDictionaryNameSync, "I3", "the name of one that is listed")            \
  SITE(kHintSync, "I8", "a hint file that its checks hold to be whole")        \
  SITE(kCheckpointLogSync, "I8", "what a checkpoint takes to be in the log")   \
  /* What an earlier process may have failed to bring to the device. */        \
  SITE(kWriteBack, "I2", "the log's tail, after an error nobody was told of")  \
  SITE(kUnprovenEdit, "I3", "the last edit, after such an error")              \
  SITE(kManifestRenewal, "I3", "edits that were read from the page cache")     \
  /* This before that. */                                                      \
  SITE(kAnswerAfterSync, "I2", "what a write with sync has promised")          \
  SITE(kAbsentDeleteSync, "I2", "that an absent key stays absent")             \
  SITE(kAnswerForBegin, "I2", "what was appended while a sync was going on")   \
  SITE(kMarkAfterSync, "I2", "a store whose power fails within a sync")        \
  SITE(kMarkForBegin, "I2", "the same, with writers beside the sync")          \
  SITE(kSealBeforeAnswer, "I3", "durable records behind a rolled segment")     \
  SITE(kEditBeforeUnlink, "I3", "a segment that is still listed")              \
  SITE(kPublishInOrder, "Append", "the last of two writes to a key")           \
  SITE(kBatchPublication, "I13", "batches that readers see whole")             \
  SITE(kKeysUnchanged, "I13", "keys that a transaction has read")              \
  SITE(kRangesUnchanged, "I13", "keys that came to where one has looked")      \
  SITE(kVersionHeld, "I10", "what a snapshot needs of a merge's output")       \
  SITE(kAllocateAhead, "I14", "stores to a mapped file on a full disk")        \
  SITE(kCutFailedWrite, "I2", "records behind a write that failed")            \
  SITE(kLogBeforeInstall, "I5", "what has replaced a record that is left out") \
  SITE(kInstallBeforeUnlink, "I5", "inputs that are still listed")             \
  SITE(kTombstoneKept, "I5", "deletes of keys that an older segment has")      \
  SITE(kUnknownHolder, "I5", "the same, of a segment without a hint file")     \
  SITE(kExpiredHides, "I5", "expired keys that an older segment has")          \
  SITE(kRelocateIfSame, "I6", "a write while its key's record was copied")     \
  SITE(kReadersFirst, "I5", "readers of an input that goes")                   \
  SITE(kRangeHeld, "I6", "values that readers still hold")                     \
  SITE(kOutputMayGo, "I5", "a store whose merge was cut short")                \
  SITE(kBackupAnnounced, "I3", "a backup whose next one was cut short")        \
  SITE(kReserveForDeletes, "I7", "space for deletes on a full disk")           \
  SITE(kReserveForEdits, "I7", "a seal on a full disk")                        \
  SITE(kReserveForMerges, "I7", "a merge on a full disk")                      \
  /* Latches. */                                                               \
  SITE(kSyncLatch, "I7", "bytes that a failed sync has dropped")               \
  SITE(kManifestLatch, "I7", "edits that a failed sync has dropped")           \
  SITE(kInstallLatch, "I7", "outputs of a merge whose edit failed in doubt")   \
  /* Checks. */                                                                \
  SITE(kRecordHeaderCheck, "I2", "wrong bytes in a record's header")           \
  SITE(kScanBodyCheck, "I2", "wrong bytes in a body, when it is opened")       \
  SITE(kReadBodyCheck, "I2", "wrong bytes in a body, when it is read")         \
  SITE(kIteratorBodyCheck, "I2", "wrong bytes in a body, in an iteration")     \
  SITE(kCopyBodyCheck, "I2", "wrong bytes in a body that a merge copies")      \
  SITE(kCopySummaryCheck, "I5", "records that an input has lost")              \
  SITE(kBackupSummaryCheck, "I5", "records that a backup's source has lost")   \
  SITE(kHintHeaderCheck, "I8", "wrong bytes in a hint file's header")          \
  SITE(kHintBlockCheck, "I8", "wrong bytes in a hint file")                    \
  SITE(kHintIdentityCheck, "I8", "a hint file of another segment")             \
  SITE(kHintLengthCheck, "I8", "a hint file cut short")                        \
  SITE(kHintBodyCheck, "I8", "damage that a hint file would hide")             \
  SITE(kHintSummaryCheck, "I8",                                                \
       "records that a segment has lost, for its hint")                        \
  SITE(kCheckpointTablesCheck, "I8", "wrong bytes in a checkpoint's tables")   \
  SITE(kCheckpointPageCheck, "I8", "wrong bytes in a checkpoint's page")       \
  SITE(kCheckpointBinding, "I8", "a checkpoint of segments that were others")  \
  SITE(kCheckpointOrder, "I8", "deletes while a merge was under way")          \
  SITE(kCheckpointEndCheck, "I8", "a checkpoint of a log that ended later")    \
  SITE(kSegmentHeaderCheck, "I2", "wrong bytes in a segment's header")         \
  SITE(kSegmentIdentityCheck, "I2", "a segment of another store")              \
  SITE(kSummaryCheck, "I3", "records that a sealed segment has lost")          \
  SITE(kFileLengthCheck, "I3", "reads behind the end of a file cut short")     \
  SITE(kDictionaryCheck, "I2", "wrong bytes in a dictionary")                  \
  SITE(kDictionaryBinding, "I2", "another store's dictionary of this id")      \
  SITE(kMissingDictionaryCheck, "I3", "a store that lacks its dictionary")     \
  SITE(kEditCheck, "I3", "wrong bytes in a manifest edit")                     \
  SITE(kManifestHeaderCheck, "I3", "wrong bytes in a manifest's header")       \
  SITE(kEditFollowsCheck, "I3", "edits behind a damaged one")                  \
  SITE(kMissingSegmentCheck, "I3", "a store that lacks a segment")             \
  SITE(kUnlistedCheck, "I3", "records of a segment that an edit has lost")     \
  SITE(kNoManifestCheck, "I3", "segments without a manifest")                  \
  SITE(kMarkVouches, "I2", "durable records before damage")                    \
  SITE(kMarkSearch, "I2", "durable records behind damage")                     \
  SITE(kCloseVouches, "I2", "records of a close, once it is void")             \
  SITE(kInstallVouches, "I5", "what made the records dead that a merge drops") \
  SITE(kSyncedLengthKept, "I2", "the same, if a recovery is cut short")        \
  SITE(kCleanEndCheck, "I2", "damage that looks like the log's end")           \
  SITE(kSequenceCheck, "I1", "the log's order within a segment")               \
  SITE(kPrefixRule, "I3", "the log's order from segment to segment")           \
  SITE(kBatchFrameCheck, "I13", "batches that are there whole")                \
  SITE(kSaltSeed, "I2", "pages of another store's segment")                    \
  SITE(kIdSeed, "I2", "pages of another segment")                              \
  SITE(kOffsetSeed, "I2", "pages of another place in a segment")               \
  SITE(kUnusedId, "I9", "an id that is not used again")                        \
  /* Time. */                                                                  \
  SITE(kClockFloor, "I12", "expired keys, when the clock is set back")         \
  SITE(kMarkFloor, "I12", "the same, after a kill")                            \
  SITE(kEditFloor, "I12", "the same, after a seal or a close")                 \
  SITE(kExpiryFloor, "I12", "expired keys that a merge has left out")          \
  SITE(kSweepFloor, "I12", "expired keys that a sweep has removed")            \
  SITE(kFloorWithWrites, "I12",                                                \
       "keys that were seen expired, after a power loss")                      \
  SITE(kFloorWithSync, "I12", "the same, after a sync")                        \
  /* One writer. */                                                            \
  SITE(kFileLock, "I11", "a store with a writer in another process")           \
  SITE(kLockRegistry, "I11", "a store with another writer in this process")

namespace stave {

enum class DurabilitySite {
#define STAVE_DURABILITY_SITE_NAME(name, rule, loss) name,
  STAVE_DURABILITY_SITES(STAVE_DURABILITY_SITE_NAME)
#undef STAVE_DURABILITY_SITE_NAME
};

#ifdef STAVE_DURABILITY_SWITCH
// Set from the environment at the start, and never again.
extern const int taken_away_site;

inline bool TakenAway(DurabilitySite site) {
  return static_cast<int>(site) == taken_away_site;
}
#else
constexpr bool TakenAway(DurabilitySite) { return false; }
#endif

}  // namespace stave

#define DURABILITY_SITE(site, ...)                   \
  (::stave::TakenAway(::stave::DurabilitySite::site) \
       ? std::decay_t<decltype(__VA_ARGS__)>()       \
       : (__VA_ARGS__))

#endif  // STAVE_ENGINE_BASE_DURABILITY_SITE_H_
