#ifndef STAVE_ENGINE_FORMAT_DICTIONARY_H_
#define STAVE_ENGINE_FORMAT_DICTIONARY_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/mutex.h"
#include "stave/limits.h"

// zstd.h's ZSTD_DDict.
struct ZSTD_DDict_s;

namespace stave {

// A zstd dictionary: what many values have in common, so that each of them need
// not say it again. FORMAT.md, "Dictionary", draws its file. Immutable.
class Dictionary {
 public:
  // What is in a file. DataLoss if that is not as it was written;
  // InvalidArgument for a format version that this program does not know.
  static absl::StatusOr<std::unique_ptr<const Dictionary>> Decode(
      std::string file);

  // Learns one of at most `size` bytes from samples, which stand in `bytes` one
  // behind another. The same samples give the same dictionary. NotFound if
  // there are too few of them, or they have nothing in common.
  static absl::StatusOr<std::unique_ptr<const Dictionary>> Train(
      std::string_view bytes, absl::Span<const size_t> sizes, size_t size);

  ~Dictionary();

  // What frames name it by: 1 to kMaxDictionaryId.
  uint32_t id() const { return id_; }
  // Of the file; what tells it from others of the same id.
  uint32_t checksum() const { return checksum_; }
  std::string_view file() const { return file_; }
  // As RFC 8878 has it.
  std::string_view content() const;
  const ZSTD_DDict_s* prepared() const { return prepared_; }

 private:
  Dictionary(std::string file, uint32_t id, uint32_t checksum,
             ZSTD_DDict_s* prepared);

  const std::string file_;
  const uint32_t id_;
  const uint32_t checksum_;
  ZSTD_DDict_s* const prepared_;  // owned
};

inline constexpr size_t kDictionaryHeaderBytes = 24;
// Of its file. More is no dictionary's, and no memory is taken for it.
inline constexpr size_t kMaxDictionaryFileBytes =
    kDictionaryHeaderBytes + kMaxCompressionDictionaryBytes;
inline constexpr uint32_t kMaxDictionaryId = 65'535;
// That a store can have.
inline constexpr size_t kMostDictionaries = 64;

// The dictionaries of a store, which only become more. Thread-safe; those that
// are there are found without a lock.
class DictionarySet {
 public:
  // One that the store has, as another process may have made it; null if there
  // is none that is sound.
  using Load = std::function<std::unique_ptr<const Dictionary>(uint32_t id)>;

  // Who is asked for those that are not here. Call it before threads share the
  // set.
  void SetLoad(Load load) { load_ = std::move(load); }

  // Null if there is none.
  const Dictionary* Find(uint32_t id) const;
  // Null, and nothing has changed, if there is one of this id, or no room.
  const Dictionary* Add(std::unique_ptr<const Dictionary> dictionary);
  std::vector<const Dictionary*> All() const;

 private:
  const Dictionary* FindHere(uint32_t id) const;
  const Dictionary* AddLocked(std::unique_ptr<const Dictionary> dictionary)
      const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Load load_;
  // What was looked for is kept.
  mutable Mutex mutex_;  // held by the one who adds
  mutable std::array<std::unique_ptr<const Dictionary>, kMostDictionaries> all_;
  mutable std::atomic<size_t> size_{0};  // those before it never change
};

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_DICTIONARY_H_
