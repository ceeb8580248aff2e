#ifndef STAVE_ENGINE_CORE_RECORDS_AHEAD_H_
#define STAVE_ENGINE_CORE_RECORDS_AHEAD_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "engine/core/reader.h"
#include "engine/core/state.h"
#include "engine/index/keydir.h"
#include "engine/log/segment_scanner.h"
#include "stave/options.h"

namespace stave {

// Records that somebody will read soon, one after another: memory, or the
// device, is waited for once for many of them.
//
//   for (size_t i = begin; i < end; ++i) ahead.Ask(i, entries[i]);
//   for (size_t i = begin; i < end; ++i) {
//     if (!ahead.Take(i, &record)) { ... }  // read entries[i]
//   }
//
// The segments that the entries name are pinned meanwhile. Thread-compatible.
class RecordsAhead {
 public:
  // So many in a row: about as many as a processor can wait for at a time.
  static constexpr size_t kMost = 32;

  RecordsAhead(const State* state, const Reader* reader)
      : state_(*state), reader_(*reader) {
    if (state_.read_mode == ReadMode::kPread) loaded_.resize(kMost);
  }

  // Asks for record number `index`, instead of the one that was asked for kMost
  // numbers before or behind it.
  void Ask(size_t index, KeydirEntry entry) {
    if (loaded_.empty()) return reader_.Touch(entry);
    LoadOrAskDevice(entry, &loaded_[index % kMost]);
  }

  // Whether the record that was asked for as `index` is here already, with the
  // header checked; each is given away once. False: read it.
  bool Take(size_t index, RecordView* record) {
    if (loaded_.empty() || loaded_[index % kMost].memory == nullptr) {
      return false;
    }
    *record = std::move(loaded_[index % kMost]);
    return true;
  }

 private:
  void LoadOrAskDevice(KeydirEntry entry, RecordView* record);

  const State& state_;
  const Reader& reader_;
  // Of a store that is read by calls, those that took no waiting; without
  // `memory` where they would have.
  std::vector<RecordView> loaded_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_RECORDS_AHEAD_H_
