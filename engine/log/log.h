#ifndef STAVE_ENGINE_LOG_LOG_H_
#define STAVE_ENGINE_LOG_LOG_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/engine_clock.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/reserve.h"
#include "engine/log/segment_set.h"
#include "engine/log/segment_writer.h"
#include "engine/log/space_gate.h"
#include "stave/options.h"

namespace stave {

// The growing end of a store: gives records their place and sequence, brings
// them to the device, and rolls from segment to segment.
//
// Segments in log order are: sealed ones; rolled ones, which are full but not
// sealed yet; the active one; at most one next one, empty and ready.
//
// Invariants:
//  1. A segment is sealed only after all that precede it (I3).
//  2. synced sequence <= last sequence; what is at or below the synced
//     sequence is on the device, in segments that are sealed or active.
//  3. The first error of a sync, or of the manifest, is final: every later
//     append and sync returns it (I7).
//
// Thread-safe. Two locks: append_mutex() for position, sequence and
// publication, held for a copy's length; and a flush token, for the one
// thread at a time that syncs and seals, which takes append_mutex() only for
// moments. Threads of its own, started by the first append, sync each
// interval, make the next segment, reserve space and populate pages ahead.
class Log {
 public:
  struct Settings {
    Directory* directory = nullptr;
    Manifest* manifest = nullptr;
    SegmentSet* segments = nullptr;
    EngineClock* clock = nullptr;
    // The capacity of a segment that is made now.
    std::function<uint64_t()> next_capacity;
    // What the reserve holds for deletes; 0: there is none.
    uint64_t reserve_bytes = 0;
    // Called with the append lock held, once the log has grown by about a
    // sixteenth of a segment, or 256 KiB if that is less; must be quick.
    std::function<void()> on_growth = [] {};
    // What is asked before a file grows; null: nothing is. Where there is no
    // room make_space(needed) is called, without append_mutex(); it returns
    // when it is worth while to ask again, and with what claim.
    SpaceGate* space = nullptr;
    std::function<SpaceGate::Claim(uint64_t)> make_space = [](uint64_t) {
      return SpaceGate::Claim::kNothingToFree;
    };
    // Told of each segment once it is sealed, without append_mutex(). It no
    // longer counts as one that has_rolled() is about.
    std::function<void(const std::shared_ptr<Segment>&, const SegmentSummary&)>
        sealed = [](const auto&, const auto&) {};
    // Told of each flush of a segment that succeeded, how long it took.
    std::function<void(uint64_t ns)> flushed = [](uint64_t) {};
    absl::Duration sync_interval;
    bool background_threads = true;
    bool mapped = false;
    ReadMode read_mode = ReadMode::kMap;
  };

  // What space is wanted for. Deletes have the reserve when the disk is full;
  // all else waits then until it could be made again.
  enum class Use { kAnything, kDeletes };

  // A record's place.
  struct Place {
    Segment* segment = nullptr;
    uint64_t offset = 0;
    Sequence sequence = 0;

    Location location() const { return segment->LocationOf(offset); }
  };

  // `active` may be null: the first append makes a segment then.
  Log(Settings settings, std::unique_ptr<SegmentWriter> active,
      Sequence last_sequence);
  // Stops the threads; does not sync.
  ~Log();

  Mutex& append_mutex() ABSL_LOCK_RETURNED(append_mutex_) {
    return append_mutex_;
  }

  // OK unless the log was closed or has failed.
  absl::Status CheckOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);

  // Starts the threads, if there are to be any; else the first append does it.
  void Start();

  // Makes sure that `size` bytes of records have space in one segment. May
  // release the lock meanwhile. On an error nothing has changed.
  absl::Status MakeRoom(uint64_t size, Use use = Use::kAnything)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);

  // Adds a record to the space that the last MakeRoom has made sure of, in
  // the same hold of the lock. It is not published: nobody finds it before
  // the caller has told the keydir.
  absl::StatusOr<Place> Append(const PendingRecord& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);

  // Adds a batch's frame and records, as Append does; all or nothing.
  absl::StatusOr<std::vector<Place>> AppendBatch(
      const std::vector<PendingRecord>& records)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  // What MakeRoom must be asked for before AppendBatch.
  static uint64_t BatchSize(const std::vector<PendingRecord>& records);

  // The sequence of the last record that is more than a sync mark.
  Sequence last_change() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_) {
    return last_change_;
  }
  // Marks included.
  Sequence last_sequence() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_) {
    return last_sequence_;
  }
  // Where the log ends now.
  SegmentId active_id() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  uint64_t active_length() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);

  // Whose answer waits for a sync. Writers who sync often pay for each page
  // that is not quite full, and get small ones.
  enum class SyncedFor { kWriter, kStore };
  // Returns once all records up to `sequence` are on the device. Callers that
  // wait at the same time share one fdatasync.
  absl::Status SyncThrough(Sequence sequence,
                           SyncedFor whom = SyncedFor::kStore);

  // Returns once a clock set back can't revive a key that was found expired
  // before this call, even if power fails (I12). SyncThrough does so too where
  // it has anything to do.
  absl::Status SyncClockFloor();
  // SyncThrough(last_change()).
  absl::Status SyncAll();

  // How far the log's last segment is known to be on the device: after a sync
  // at least to where the log ended when that began. `segment` is 0 if all of
  // it is sealed.
  struct SyncedEnd {
    SegmentId segment = 0;
    uint64_t length = 0;

    friend bool operator==(const SyncedEnd&, const SyncedEnd&) = default;
  };
  SyncedEnd synced_end() const;

  // Ends the active segment, if it has records, and seals it.
  absl::Status SealActive();
  // Seals the full segments that wait for a flush.
  absl::Status SealRolled();

  // Syncs, seals what was rolled, cuts the active segment to its records and
  // notes a clean close. Nothing may be appended afterwards.
  absl::Status Close();

  // Makes the reserve as large as I7 wants it now: after sealed segments have
  // come or gone, and when it was given up. ResourceExhausted: the disk is too
  // full for any. No other error gets here, see Reserve.
  absl::Status AdjustReserve();
  // Gives its space up, for one merge on a full disk. False if there is none.
  bool GiveUpReserve() { return reserve_.GiveUp(); }
  // Whether it was given up, and the disk is too full for it now: what space
  // there is should be left to deletes.
  bool LacksReserve() {
    return settings_.reserve_bytes > 0 && reserve_.IsGivenUp() &&
           !AdjustReserve().ok();
  }

  // Makes the log read-only for good, and returns the error that all get now.
  absl::Status Fail(const absl::Status& status) { return Latch(status); }

  // OK, or the error that made the store read-only.
  absl::Status failure() const;

  // Whether full segments are waiting to be sealed.
  bool has_rolled() const { return has_rolled_now_.load(); }

  uint64_t bytes_appended() const;
  uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }

 private:
  using Writer = std::shared_ptr<SegmentWriter>;

  // What one flush brings to the device.
  struct FlushTarget {
    std::vector<Writer> rolled;
    Writer active;
    uint64_t active_length = 0;
    Sequence sequence = 0;
    int64_t clock_floor_ms = 0;  // of the last mark

    SyncedEnd end() const { return {active->segment()->id(), active_length}; }
  };

  // Room and rolling, log.cc.
  absl::Status TryToMakeRoom(uint64_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  absl::StatusOr<std::vector<Place>> TryToAppend(
      const std::vector<PendingRecord>& records)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  absl::Status ReserveSpace(uint64_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  absl::Status Roll(uint64_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  void SwitchToNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  void TellOfGrowth() ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  absl::Status PrepareNext(uint64_t record_size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  // A `record_size` of 0: ahead of need. Unavailable if there is no room then.
  absl::Status CreateSegment(uint64_t record_size, Writer* created);
  absl::StatusOr<uint64_t> TakeFirstStep(uint64_t record_size,
                                         uint64_t capacity);
  absl::Status CreateSegmentIn(SegmentWriter::Settings* segment,
                               Writer* created);
  absl::Status CreateSegmentAt(const SegmentWriter::Settings& segment,
                               Writer* created);
  absl::Status DropSegment(const Writer& writer);
  // Adds an edit that makes the store no larger, so it has the reserve, too;
  // and the clock's floor with it.
  absl::Status AppendEdit(ManifestEdit edit);
  absl::Status AppendClockFloor();
  // Of the sealed segment of which most is dead, since that is among the inputs
  // of the next merge; or, while nothing is dead, of the smallest.
  uint64_t LiveBytesOfAMerge() const;

  // Flushing, log_flush.cc.
  // Flushes, or waits while another thread does.
  absl::Status FlushOrWait(SyncedFor whom)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(flush_mutex_);
  int WritersToWaitFor() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(flush_mutex_);
  void AwaitOtherWriters() ABSL_EXCLUSIVE_LOCKS_REQUIRED(flush_mutex_);
  FlushTarget CaptureTarget();
  absl::Status SealAll(const FlushTarget& target);
  absl::Status Seal(const Writer& writer);
  absl::Status SyncActive(const FlushTarget& target);
  // Its bytes, to the device; counted and timed.
  absl::Status Flush(const Segment& segment);
  // Adds a mark that vouches for `length` bytes of `segment`, if there is room.
  bool AppendSyncMark(SegmentId segment, uint64_t length)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  // Whether the last mark is older than an expiry that was seen since.
  bool ClockFloorWantsMark() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  bool MarkClockFloor() ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  absl::Status CloseManifest();
  absl::Status Latch(const absl::Status& status);

  // Threads, log_background.cc.
  absl::Status StartThreads() ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  void StopThreads();
  void RunFlusher();
  void RunPopulator();
  bool WaitForFlusherWork(absl::Duration until_sync);
  void PrepareNextIfWanted();
  // Adjusts the reserve soon, or now if there are no threads.
  void WantReserve();
  void AdjustReserveIfWanted();
  // Populates for the rate of the last period; false if nothing was appended.
  bool PopulateForRate();

  const Settings settings_;
  Reserve reserve_;

  mutable Mutex append_mutex_;
  CondVar created_;  // creating_ became false
  Writer active_ ABSL_GUARDED_BY(append_mutex_);
  Writer next_ ABSL_GUARDED_BY(append_mutex_);
  bool creating_ ABSL_GUARDED_BY(append_mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(append_mutex_) = false;
  bool started_ ABSL_GUARDED_BY(append_mutex_) = false;
  bool has_rolled_ ABSL_GUARDED_BY(append_mutex_) = false;
  // The manifest has space to seal what was written.
  bool has_headroom_ ABSL_GUARDED_BY(append_mutex_) = false;
  std::vector<Writer> rolled_ ABSL_GUARDED_BY(append_mutex_);
  Sequence last_sequence_ ABSL_GUARDED_BY(append_mutex_);
  Sequence last_change_ ABSL_GUARDED_BY(append_mutex_);
  uint64_t bytes_appended_ ABSL_GUARDED_BY(append_mutex_) = 0;
  int64_t marked_floor_ms_ ABSL_GUARDED_BY(append_mutex_) =
      std::numeric_limits<int64_t>::min();
  uint64_t growth_told_at_ ABSL_GUARDED_BY(append_mutex_) = 0;
  std::atomic<bool> has_rolled_now_{false};  // changed under append_mutex_

  mutable Mutex flush_mutex_;
  CondVar flushed_;  // flushing_ became false
  bool flushing_ ABSL_GUARDED_BY(flush_mutex_) = false;
  Sequence synced_ ABSL_GUARDED_BY(flush_mutex_);
  // Writers whose answers wait for a flush; those of them whom one has answered
  // and who have not left yet; and how many wrote about when the last one ran.
  int writers_waiting_ ABSL_GUARDED_BY(flush_mutex_) = 0;
  int writers_leaving_ ABSL_GUARDED_BY(flush_mutex_) = 0;
  int writers_expected_ ABSL_GUARDED_BY(flush_mutex_) = 0;
  int64_t last_flush_ns_ ABSL_GUARDED_BY(flush_mutex_) = 0;
  CondVar all_wait_;  // none is to be waited for any more
  absl::Status failure_ ABSL_GUARDED_BY(flush_mutex_);
  std::atomic<bool> failed_{false};  // failure_ is not OK
  std::atomic<uint64_t> syncs_{0};
  std::atomic<uint64_t> writer_syncs_{0};  // flushes, not those who waited

  // Changed by the thread that holds the flush token, under flush_mutex_.
  SyncedEnd synced_end_;

  mutable Mutex thread_mutex_;
  CondVar flusher_wake_;
  CondVar populator_wake_;
  bool stopping_ ABSL_GUARDED_BY(thread_mutex_) = false;
  bool flusher_has_work_ ABSL_GUARDED_BY(thread_mutex_) = false;
  bool reserve_wanted_ ABSL_GUARDED_BY(thread_mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(append_mutex_);
  // The populator sleeps until an append wakes it.
  std::atomic<bool> populator_sleeps_{false};
  // Owned by the populator.
  uint64_t populated_at_bytes_ = 0;
  uint64_t populated_at_writer_syncs_ = 0;
  bool may_be_huge_ = true;  // until puts that are to be durable come often
};

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_LOG_H_
