#ifndef STAVE_ENGINE_CORE_LOG_ITERATOR_H_
#define STAVE_ENGINE_CORE_LOG_ITERATOR_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/state.h"
#include "engine/index/version_overlay.h"
#include "engine/log/file_window.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "stave/iterator.h"
#include "stave/options.h"

namespace stave {

// An instant of the store: what was in the log then, and a layer of the
// overlay that knows what the keydir held.
struct LogView {
  struct Part {
    std::shared_ptr<Segment> segment;
    ByteRange bytes;  // of records
  };
  std::vector<Part> parts;  // in log order
  std::unique_ptr<VersionOverlay::Layer> layer;
  int64_t now_ms = 0;  // by which expiry is judged
};

// Walks the log as it was at an instant and stops at each record that was its
// key's present one then: if the keydir, or else the overlay, names it.
class LogIterator final : public Iterator {
 public:
  // Shares `state`, which lives on after Close.
  LogIterator(std::shared_ptr<const State> state, LogView view,
              const ReadOptions& options);
  ~LogIterator() override;

  void SeekToFirst() override;
  void Next() override;
  void Seek(std::string_view key) override;
  void SeekToLast() override;
  void Prev() override;
  bool Valid() const override { return position_ < ahead_count_; }
  std::string_view key() const override { return Current().key; }
  std::string_view value() const override { return Current().value; }
  absl::Time expiry() const override;
  absl::Status status() const override { return status_; }

 private:
  // Candidates are collected before any is judged, so that their slots are
  // on the way from memory meanwhile.
  static constexpr size_t kAhead = 32;

  struct Candidate {
    RecordView record;
    const Segment* segment = nullptr;
    KeyHash hash;
  };

  const RecordView& Current() const { return ahead_[position_].record; }
  void FillAhead();
  // Takes records from the log until `kAhead` could be in the view.
  size_t CollectCandidates();
  bool NextRecord(RecordView* record);
  bool OpenPart();
  bool IsWanted(const RecordView& record) const;
  bool WasLive(const Candidate& candidate) const;
  void Fail(absl::Status status);
  void FailForDamage();
  void NoOrder();

  const std::shared_ptr<const State> state_;
  const LogView view_;
  const bool verify_checksums_;
  const std::string lower_bound_;
  const std::string upper_bound_;
  const std::string prefix_;

  size_t part_ = 0;
  std::unique_ptr<SegmentScanner> scanner_;
  std::array<Candidate, kAhead> ahead_;
  size_t ahead_count_ = 0;
  size_t position_ = 0;
  absl::Status status_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_LOG_ITERATOR_H_
