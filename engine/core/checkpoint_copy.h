#ifndef STAVE_ENGINE_CORE_CHECKPOINT_COPY_H_
#define STAVE_ENGINE_CORE_CHECKPOINT_COPY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/core/checkpoint_scope.h"
#include "engine/format/checkpoint.h"
#include "engine/index/keydir.h"

namespace stave {

// How the keys of the two kinds of keydir come into a checkpoint's pages:
// stretch by stretch, each by one thread. CheckpointWriter takes either class.
// Both are thread-compatible and borrow what they are made of.

// The checksum of the next so many bytes of what was copied.
using ChecksumOfNext = absl::FunctionRef<uint32_t(uint64_t bytes)>;

// Of a keydir of hashes: some of its parts, one after another, each of which
// is copied under its lock.
class HashedCheckpointCopy {
 public:
  static constexpr CheckpointKind kKind = CheckpointKind::kHashed;

  // What was copied of a stretch, without the keys of other segments.
  struct Copied {
    std::string_view bytes() const;
    // Of its pages, one after another.
    void AppendRows(ChecksumOfNext checksum, std::string* table) const;

    std::vector<KeydirPage> pages;
    std::vector<KeydirSlot> slots;
  };

  HashedCheckpointCopy(Keydir* keydir, const CheckpointPlaces* places);

  size_t stretches() const { return stretches_.size(); }
  void Copy(size_t stretch, Copied* copied) const;
  // Tells the header how many bytes all that was copied has.
  static void NoteBytes(uint64_t bytes, CheckpointHeader* header) {
    header->keys = bytes / kCheckpointKeyBytes;
  }

 private:
  struct Stretch {
    size_t first_part = 0;
    size_t end_part = 0;
  };

  KeydirCopier& keydir_;
  const CheckpointPlaces& places_;
  std::vector<Stretch> stretches_;
};

// Of a keydir with an order: keys from one on, and up to another, copied
// without a lock: of a key that comes or goes meanwhile the log knows.
class OrderedCheckpointCopy {
 public:
  static constexpr CheckpointKind kKind = CheckpointKind::kOrdered;

  struct Copied {
    std::string_view bytes() const { return all; }
    void AppendRows(ChecksumOfNext checksum, std::string* table) const;

    std::vector<OrderedCheckpointPage> pages;  // without checksums
    std::string all;
  };

  OrderedCheckpointCopy(Keydir* keydir, const CheckpointPlaces* places);

  size_t stretches() const { return stretches_.size(); }
  void Copy(size_t stretch, Copied* copied) const;
  static void NoteBytes(uint64_t bytes, CheckpointHeader* header) {
    header->ordered_bytes = bytes;
  }

 private:
  struct Stretch {
    std::string from;
    std::optional<std::string> to;
  };

  const KeyOrder& keydir_;
  const CheckpointPlaces& places_;
  std::vector<Stretch> stretches_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_CHECKPOINT_COPY_H_
