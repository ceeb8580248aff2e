#ifndef STAVE_TESTS_ENGINE_LOG_MEMORY_SEGMENT_H_
#define STAVE_TESTS_ENGINE_LOG_MEMORY_SEGMENT_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/base/types.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment.h"

namespace stave {

// Memory in place of a mapped file, that counts when it goes away.
class MemoryMapping : public FileMapping {
 public:
  MemoryMapping(std::unique_ptr<char[]> memory, size_t size,
                std::atomic<int>* destroyed)
      : FileMapping(memory.get(), size),
        memory_(std::move(memory)),
        destroyed_(destroyed) {}
  ~MemoryMapping() override {
    if (destroyed_ != nullptr) destroyed_->fetch_add(1);
  }

  void Store(size_t, absl::Span<const std::string_view>) override {}
  void Populate(size_t, size_t) override {}
  absl::Status MakeReadOnly() override { return absl::OkStatus(); }

 private:
  const std::unique_ptr<char[]> memory_;
  std::atomic<int>* const destroyed_;
};

// A segment of `size` zeros without a file, at `first`. Adds to `*destroyed`
// when it goes away.
inline std::shared_ptr<Segment> MakeMemorySegment(
    SegmentId id, size_t size, Location first,
    std::atomic<int>* destroyed = nullptr) {
  Segment::Parts parts;
  parts.header = {SegmentKind::kLog, id, /*salt=*/id * 31};
  parts.mapping = std::make_unique<MemoryMapping>(
      std::make_unique<char[]>(size), size, destroyed);
  parts.first = first;
  return Segment::Adopt(std::move(parts));
}

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_LOG_MEMORY_SEGMENT_H_
