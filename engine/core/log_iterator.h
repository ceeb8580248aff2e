#ifndef STAVE_ENGINE_CORE_LOG_ITERATOR_H_
#define STAVE_ENGINE_CORE_LOG_ITERATOR_H_

#include <array>
#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/key_hash.h"
#include "engine/core/instant.h"
#include "engine/core/key_range.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

// Walks the log as it was at an instant and stops at each record that was its
// key's present one then: if the keydir, or else the overlay, names it.
class LogIterator final : public Iterator {
 public:
  LogIterator(std::shared_ptr<const Instant> instant,
              const ReadOptions& options);
  ~LogIterator() override;

  void SeekToFirst() override;
  void Next() override;
  void Seek(std::string_view key) override;
  void SeekToLast() override;
  void Prev() override;
  bool Valid() const override { return position_ < ahead_count_; }
  std::string_view key() const override { return Current().key; }
  std::string_view value() const override { return value_; }
  absl::Time expiry() const override;
  absl::Status status() const override {
    return status_.ok() && !Valid() ? left_out_ : status_;
  }

 private:
  // Candidates are collected before any is judged, so that their slots are
  // on the way from memory meanwhile.
  static constexpr size_t kAhead = 32;

  struct Candidate {
    RecordView record;
    const Instant::Part* part = nullptr;
    KeyHash hash;  // unless all of the part was live
  };

  const RecordView& Current() const { return ahead_[position_].record; }
  void Advance();
  void FillAhead();
  // Of the present key, or of the next one that has a value.
  void TakeValue();
  // Takes records from the log until `kAhead` could be what is looked for.
  size_t CollectCandidates();
  bool NextRecord(RecordView* record);
  bool OpenPart();
  bool IsWanted(const RecordView& record) const;
  absl::StatusOr<bool> WasLive(const Candidate& candidate) const;
  void Fail(absl::Status status);
  void NoOrder();

  const std::shared_ptr<const Instant> instant_;
  const State& state_;
  const bool verify_checksums_;
  const KeyRange range_;

  size_t part_ = 0;
  std::unique_ptr<SegmentScanner> scanner_;
  std::array<Candidate, kAhead> ahead_;
  size_t ahead_count_ = 0;
  size_t position_ = 0;
  std::string_view value_;  // of the present key
  std::string restored_;    // where that is if it was compressed
  absl::Status status_;
  absl::Status left_out_;  // the first value that was
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_LOG_ITERATOR_H_
