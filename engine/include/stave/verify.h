#ifndef STAVE_VERIFY_H_
#define STAVE_VERIFY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "stave/options.h"

namespace stave {

class FileSystem;

// Looks at a store's files, byte by byte, whether or not the store can be
// opened, and saves what is sound:
//
//   absl::StatusOr<stave::VerifyReport> report = stave::Verify("/data/store");
//   if (!report.ok()) return report.status();
//   if (!report->clean) stave::Repair("/data/store", "/data/repaired");

// A range of a file that is not what it should be.
struct Damage {
  std::string file;     // its name in the store's directory
  uint64_t offset = 0;  // of the first byte that doesn't hold what it should
  uint64_t length = 0;  // 0: something is missing that should be here
  std::string what;
  // Puts and deletes that are lost because of it, as far as that is known:
  // sequences have no gaps. Sync marks among them can't be told from others. In
  // a merge's output sequences have gaps; of a few ranges there the last one
  // may count the records of all.
  uint64_t records = 0;
  // The key, where the record's header is sound: as it is read, for its bytes
  // may be a part of the damage.
  std::string key = {};
  // Set by Repair, which knows all keys, and right unless the damage has
  // changed the key's bytes. A later record of this key is sound, so this one
  // costs nothing; or else an older one is.
  bool superseded = false;
  bool has_older_version = false;
};

// How far a walk through the files is.
struct VerifyProgress {
  uint64_t bytes = 0;
  uint64_t total_bytes = 0;
};

struct VerifyOptions {
  // Threads that read segments, each through a megabyte of memory, and as much
  // as a compressed value takes beside that; 0 means one for each processor.
  int threads = 0;
  // Called now and then, on any of these threads, by one at a time.
  std::function<void(const VerifyProgress&)> progress = nullptr;
  // nullptr: the operating system's files.
  FileSystem* file_system = nullptr;
};

struct VerifyReport {
  // There is no damage: Store::Open will not find any either. It reads less: no
  // segment that has a sound hint file; and a damaged hint file or keydir
  // checkpoint, with which nothing is lost, doesn't keep it from opening the
  // store.
  bool clean = true;
  uint64_t records = 0;  // sound puts and deletes, superseded ones too
  std::vector<Damage> damage;

  uint64_t lost = 0;   // records, the sum over `damage`
  uint64_t bytes = 0;  // of all files that were read
  // What was on its way to the device when the machine stopped, or what a
  // running writer is just adding. Nothing of it was ever durable, and the
  // next open cuts it off: this is no damage.
  uint64_t torn_tail_bytes = 0;
};

// Reads everything that belongs to the store in `directory`, checks every
// checksum, that compressed values can be restored, that records follow one
// another, that segments are what the manifest says, and that nothing is
// missing. Goes on behind each damage. Works
// with the manifest damaged or gone, too. Takes no lock and writes nothing, so
// it may be used beside a running writer; it sees what there was when it began.
//
// A report is an OK answer, whatever it says. NotFound: there is no store;
// InvalidArgument: of a format that this version does not know;
// FailedPrecondition: a first backup that was not finished; others as the file
// system has them. Bytes that the device refuses to give are damage.
absl::StatusOr<VerifyReport> Verify(std::string_view directory,
                                    const VerifyOptions& options = {});

// What Repair does with the last sound value of a key that may have been
// changed, or deleted, by a record that is damaged now.
enum class StaleKeys {
  // Keeps it, and counts it: what is sound is not thrown away. Where a damaged
  // record shows its key, the report names it.
  kKeep,
  // Leaves out keys that a damaged record names, if its header is sound. The
  // damage may be in the name itself, which then costs another key.
  kDropNamed,
  // Leaves out all that may be stale: what is recovered is what there was.
  kDropPossible,
};

struct RepairOptions {
  StaleKeys stale_keys = StaleKeys::kKeep;
  // As in VerifyOptions.
  int threads = 0;
  std::function<void(const VerifyProgress&)> progress = nullptr;
  FileSystem* file_system = nullptr;
};

struct RepairReport {
  uint64_t recovered = 0;  // keys in the new store
  uint64_t lost = 0;       // records that are known to be lost
  std::vector<Damage> damage;

  // Of the recovered keys, those whose value is older than some damage that
  // may have held a later one: they may have been changed or deleted since.
  uint64_t possibly_stale = 0;
  // Keys that were left out as RepairOptions::stale_keys says.
  uint64_t dropped_stale = 0;
  uint64_t records = 0;  // as in VerifyReport
  uint64_t torn_tail_bytes = 0;
};

// Copies what is sound in the store `from` into a new store in `to`, which
// must not exist (its parent must) or be an empty directory. Expiries stay,
// deleted keys stay deleted, batches are copied whole or not at all. A key
// whose last value needs a dictionary that is missing or damaged is left out,
// also where an older one is sound: that this is not the last one is certain.
// Changes nothing in `from`, which may be a store that Open refuses. Takes 20
// bytes of memory a key.
//
// What is on disk when this returns OK: a store that was closed, all of it on
// the device. After an error, or a kill, `to` holds no store that opens: its
// manifest is written last.
//
// FailedPrecondition: there is something in `to`. Unavailable: a running
// writer's merges removed files faster than they could be read, in ten
// attempts. Else the errors of Verify;
// ResourceExhausted if the disk, or the memory, is full.
absl::StatusOr<RepairReport> Repair(std::string_view from, std::string_view to,
                                    const RepairOptions& options = {});

struct ClockReset {
  absl::Time floor;    // the earliest time that the store took for the present
  absl::Time now;      // the clock's
  bool reset = false;  // the floor was later, and is `now` from here on
};

// A store never takes the time for earlier than it has seen it, so that a clock
// that is set back revives no key; a clock that was years ahead for a moment
// therefore makes keys expire early until that day. This sets such a floor
// back to the clock, and changes nothing if it isn't ahead. Keys whose expiry
// lies between the two and that were not overwritten are there again.
//
// Takes the lock, and recovers a store that was not closed, as Store::Open
// does, whose errors it has. What is on disk when this returns OK: the store,
// closed, with its new floor. `options`: only those for tests count.
absl::StatusOr<ClockReset> ResetClock(std::string_view directory,
                                      const Options& options = {});

}  // namespace stave

#endif  // STAVE_VERIFY_H_
