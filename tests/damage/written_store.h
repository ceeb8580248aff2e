#ifndef STAVE_TESTS_DAMAGE_WRITTEN_STORE_H_
#define STAVE_TESTS_DAMAGE_WRITTEN_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "stave/store.h"
#include "tests/damage/image_file_system.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/directory_image.h"

namespace stave {

// What a key has.
struct Shown {
  std::string value;
  absl::Time expiry = absl::InfiniteFuture();

  friend bool operator==(const Shown&, const Shown&) = default;
};
using ShownKeys = std::map<std::string, Shown>;

// The files of a store, and what Open must make of them when some bytes are
// wrong.
struct StoreImage {
  KeydirKind keydir = KeydirKind::kHash;  // to be opened with
  DirectoryImage files;
  // Files with contents that they had before, and have no more.
  std::vector<std::pair<std::string, std::string>> old_files;
  absl::Time now;  // when the files were left so
  // What the store showed after its first n operations, by the clock of now;
  // a batch is one operation.
  std::vector<ShownKeys> after;

  size_t operations() const { return after.size() - 1; }

  // How many operations must be shown, if the store opens at all: those that
  // bytes which are still right vouch for, and those before the first wrong
  // byte. After a kill the others may be missing, from the last one on.
  size_t OperationsKept(const DirectoryImage& damaged) const;

  // Bytes that were written when so many operations had been done.
  struct Written {
    std::string file;
    size_t offset = 0;
    std::string bytes;
    size_t operations = 0;
  };
  // They say that these operations are on the device.
  std::vector<Written> vouchers;
  // They are the next operation.
  std::vector<Written> records;
};

// Makes a StoreImage, operation by operation. Whatever does not work fails the
// test.
class WrittenStore {
 public:
  // With `checkpoints` every few changes, and each close, write one.
  explicit WrittenStore(uint64_t segment_size_bytes, bool checkpoints = false,
                        Compression compression = Compression::kNone,
                        KeydirKind keydir = KeydirKind::kHash);

  void Put(const std::string& key, const std::string& value,
           absl::Duration ttl = absl::InfiniteDuration());
  void Delete(const std::string& key);
  void Write(const WriteBatch& batch);
  void Sync();
  void PassTime(absl::Duration time) { clock_.Advance(time); }
  void Reopen();
  // Of a store that was just opened again: then the log's end is on the device
  // before the merge says anything of it.
  void MergeAll();
  // Goes on from what a kill leaves.
  void KillAndReopen();

  // Ends here, by a close or by a kill.
  StoreImage Close();
  StoreImage Kill();

 private:
  void Open();
  void CloseStore();
  enum class Step { kOperation, kSync, kOther };
  // Looks at what a step has changed in the files.
  void Note(Step step);
  // Those of which no byte is in the last segment.
  size_t OperationsBeforeActive() const;
  StoreImage Finish();

  ManualClock clock_;
  Options options_;
  std::unique_ptr<ImageFileSystem> disk_;
  std::unique_ptr<Store> store_;
  StoreImage image_;
  DirectoryImage before_;  // the files before the present step
};

}  // namespace stave

#endif  // STAVE_TESTS_DAMAGE_WRITTEN_STORE_H_
