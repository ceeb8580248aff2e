#ifndef STAVE_ENGINE_INDEX_KEYDIR_LOADER_H_
#define STAVE_ENGINE_INDEX_KEYDIR_LOADER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/key_hash.h"
#include "engine/base/memory_range.h"
#include "engine/base/spin_lock.h"
#include "engine/index/keydir.h"

namespace stave {

// Fills a keydir that has no keys with many at once, for a fifth of what it
// costs to offer them one by one: they are dealt out to the keydir's parts, 16
// bytes each, then each part is sorted while a cache holds it, and its pages
// are made once, as long as they have to be. Hardly an access waits for memory.
//
//   ASSIGN_OR_RETURN(const auto loader,
//                    KeydirLoader::Create(&keydir, most, threads));
//   // on some threads:
//   KeydirLoader::Writer writer(loader.get());
//   RETURN_IF_ERROR(writer.Take(key, entry));
//   // when all are done:
//   RETURN_IF_ERROR(loader->Load(threads));
class KeydirLoader {
 public:
  // For at most `most` entries, taken by `writers` writers. Memory comes with
  // what is taken, and goes part by part as these are loaded. ResourceExhausted
  // when there are no addresses for it.
  static absl::StatusOr<std::unique_ptr<KeydirLoader>> Create(Keydir* keydir,
                                                              uint64_t most,
                                                              size_t writers);

  // Takes entries on one thread, while others do so with theirs.
  class Writer {
   public:
    explicit Writer(KeydirLoader* loader) : loader_(*loader) {}

    // Of a key's entries, tombstones too, the one with the greatest location
    // counts. ResourceExhausted when more are taken than was said.
    absl::Status Take(const KeyRef& key, KeydirEntry entry);

   private:
    struct Vacant {
      KeydirSlot* next = nullptr;
      KeydirSlot* end = nullptr;
    };

    KeydirLoader& loader_;
    std::array<Vacant, Keydir::kParts> vacant_{};
  };

  // To be called once, when nothing more is taken; `threads` share the work.
  // Tombstones stay. ResourceExhausted when memory has run out; after an error
  // there is no more use for the keydir.
  absl::Status Load(size_t threads);

 private:
  KeydirLoader(Keydir* keydir, MemoryRange memory, size_t chunk_slots)
      : keydir_(*keydir),
        chunk_slots_(chunk_slots),
        memory_(std::move(memory)) {}

  // All zeros, and the part's from now on. Null when there is no more.
  KeydirSlot* NewChunk(size_t part);
  absl::Status LoadPart(size_t part, std::vector<KeydirSlot>* scratch);
  void GiveBack(KeydirSlot* chunk);

  Keydir& keydir_;
  const size_t chunk_slots_;
  MemoryRange memory_;
  SpinLock lock_;
  size_t used_chunks_ ABSL_GUARDED_BY(lock_) = 0;
  // A slot that is all zeros was not used, and no one behind it in its chunk.
  std::array<std::vector<KeydirSlot*>, Keydir::kParts> chunks_
      ABSL_GUARDED_BY(lock_);
};

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_KEYDIR_LOADER_H_
