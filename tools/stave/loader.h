#ifndef STAVE_TOOLS_STAVE_LOADER_H_
#define STAVE_TOOLS_STAVE_LOADER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "stave/store.h"
#include "tools/stave/output.h"
#include "tools/stave/record.h"

namespace stave::tool {

// Adds records to a store in atomic batches. Thread-compatible.
class Loader {
 public:
  struct Options {
    // Records in a batch. Without it: what is fast, 1,000 or a megabyte.
    std::optional<uint64_t> batch_records;
    // Each batch is on the device before the next one is begun.
    bool sync = false;
    // Where to say how many records are loaded, on a line of its own after
    // each batch; nullptr: nowhere.
    Output* acknowledgements = nullptr;
  };

  // Borrows `store`.
  Loader(Store* store, const Options& options)
      : store_(store), options_(options) {}

  // Adds a record to the present batch, and writes that when it is full. One
  // that has expired is added too: it takes the place of an older value.
  // InvalidArgument: the batch would be larger than a store can write at once.
  absl::Status Add(const Record& record);

  // Writes the present batch.
  absl::Status Flush();

  // Records in those batches that are written.
  uint64_t loaded() const { return loaded_; }

 private:
  // Whether the record makes a batch of its own, which needs no copy.
  bool IsOwnBatch(const Record& record) const;
  bool IsFull() const;
  absl::Status PutAlone(const Record& record);
  absl::Status Acknowledge(uint64_t records);

  Store* const store_;
  const Options options_;
  WriteBatch batch_;
  uint64_t loaded_ = 0;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_LOADER_H_
