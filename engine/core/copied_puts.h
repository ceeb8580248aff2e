#ifndef STAVE_ENGINE_CORE_COPIED_PUTS_H_
#define STAVE_ENGINE_CORE_COPIED_PUTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "engine/index/keydir.h"

namespace stave {

// A put that a merge has copied.
struct CopiedPut {
  KeyRef key;
  KeydirEntry from;     // its key's entry at that time
  uint64_t offset = 0;  // of the copy, in the output
  uint64_t size = 0;
};

// The puts of a merge's output: all that moving their keys' entries takes, so
// that nothing has to be read for it, which could fail when it is too late to
// turn back. Takes 24 bytes a record; in a keydir with an order two more, and
// the key's. Thread-compatible.
class CopiedPuts {
 public:
  // `keeps_keys`: what a visitor is to do takes the bytes of keys.
  explicit CopiedPuts(bool keeps_keys) : keeps_keys_(keeps_keys) {}

  void Add(const CopiedPut& put);

  // Visits all, so many together, in the order in which they were added. Keys
  // are valid during the call, and have no bytes if these are not kept.
  void Visit(size_t together,
             absl::FunctionRef<void(absl::Span<const CopiedPut>)> visit) const;

 private:
  struct Packed {
    KeydirSlot from;
    // In units of a record's alignment.
    uint32_t offset_units;
    uint32_t size_units;
  };

  const bool keeps_keys_;
  std::vector<Packed> puts_;
  std::string keys_;
  std::vector<uint16_t> key_sizes_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_COPIED_PUTS_H_
