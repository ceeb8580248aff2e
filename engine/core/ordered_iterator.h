#ifndef STAVE_ENGINE_CORE_ORDERED_ITERATOR_H_
#define STAVE_ENGINE_CORE_ORDERED_ITERATOR_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/core/instant.h"
#include "engine/core/key_range.h"
#include "engine/core/reader.h"
#include "engine/core/records_ahead.h"
#include "engine/core/state.h"
#include "engine/format/record.h"
#include "engine/index/keydir.h"
#include "engine/log/segment_pins.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

// Walks the keys of a keydir that has an order, as they were at an instant:
// those that it has now, and those that the overlay says have changed since,
// which may have gone; of each the entry is that of the instant.
//
// It looks at a window of keys at a time, in one epoch, and pins the segments
// that their entries name. So nothing is held between two calls but memory,
// and what comes, goes or moves there does not matter.
class OrderedIterator final : public Iterator {
 public:
  OrderedIterator(std::shared_ptr<const Instant> instant,
                  const ReadOptions& options);

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(std::string_view key) override;
  // Goes on from the first key that is not less than `key`, or back from the
  // last one that is less, without beginning another walk: at its end Next and
  // Prev tell what it has left out, wherever that was.
  void TurnFrom(std::string_view key);
  void TurnBefore(std::string_view key);
  void Next() override;
  void Prev() override;
  bool Valid() const override { return is_valid_; }
  std::string_view key() const override { return record_.key; }
  std::string_view value() const override { return value_; }
  absl::Time expiry() const override;
  absl::Status status() const override { return status_; }

 private:
  using Bound = std::optional<std::string>;

  void BeginWalk();
  void BeginTurn();

  // Make a window of the first keys from `from` on, or of the last ones before
  // `before`.
  void LookFrom(std::string from);
  void LookBefore(Bound before);
  void BeginWindow();
  std::vector<std::string> ChangedFrom(std::string_view from) const;
  // Adds the keys of both that are not less than `first` and not greater than
  // `last`, where there is one, nor out of range.
  void AddKeys(const KeyRun& run, const std::vector<std::string>& changed,
               const Bound& first, const Bound& last);
  void AddAll(const KeyRun& run);
  void AddEntry(KeydirEntry entry);

  // From position_ on, or down from there, to the next key that was live.
  void GoForward();
  void GoBackward();
  // Whether the key at position_ was live then; its record is in record_. An
  // error is in status_.
  bool Load();
  void Touch();
  void End();

  const std::shared_ptr<const Instant> instant_;
  const State& state_;
  const Reader reader_;
  const KeyOrder& order_;
  const bool verify_checksums_;
  const std::string first_;  // in range
  const Bound end_;          // of the range; none: there is no end

  // The window: all keys from window_begin_ up to window_end_, or, where there
  // is none, to the end of the range.
  std::string window_begin_;
  Bound window_end_;
  std::vector<KeydirEntry> entries_;
  KeyRun ends_{KeyRun::Keys::kEnds};  // its memory is used again
  SegmentPins pins_;
  size_t most_ = 0;  // keys in the next window
  size_t touched_begin_ = 0;
  size_t touched_end_ = 0;
  RecordsAhead ahead_;  // of those

  size_t position_ = 0;
  bool is_valid_ = false;
  RecordView record_;
  std::string_view value_;  // in the record, or in restored_
  std::string restored_;
  absl::Status status_;
  absl::Status left_out_;  // the first value that was, in this walk
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_ORDERED_ITERATOR_H_
