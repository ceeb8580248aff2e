#ifndef STAVE_ENGINE_FORMAT_COMPRESSION_H_
#define STAVE_ENGINE_FORMAT_COMPRESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/dictionary.h"
#include "stave/options.h"

// zstd.h's ZSTD_CDict.
struct ZSTD_CDict_s;

namespace stave {

// Values <-> what records hold of them; FORMAT.md, "Compressed value".

// A value as a record holds it: as it is, or compressed.
struct StoredValue {
  Compression compression = Compression::kNone;
  std::string_view bytes;
};

// Decides how values are stored. Thread-safe; each thread that uses zstd keeps
// some memory for that until it ends.
class Compressor {
 public:
  explicit Compressor(const Options& options)
      : method_(options.compression),
        threshold_bytes_(options.compression_threshold_bytes),
        level_(options.compression_level) {}
  ~Compressor();

  // From now on zstd uses the dictionary, which is not needed itself any more.
  // May be called once, beside Compress.
  void Use(const Dictionary& dictionary);

  // What to store of `value`: it, or, where the options want that and it saves
  // enough, its compressed form, which is then in `*buffer`.
  StoredValue Compress(std::string_view value,
                       std::unique_ptr<char[]>* buffer) const;

 private:
  Compression method_;
  uint64_t threshold_bytes_;
  int level_;
  // Made for the level; owned.
  std::atomic<ZSTD_CDict_s*> dictionary_{nullptr};
};

// The size of the value that `stored` stands for. DataLoss if no value can be
// stored so. It is what the bytes claim, and trustworthy in this: it is within
// kMaxValueBytes, and no more than so many bytes can possibly stand for. So
// memory may be taken for it.
absl::StatusOr<size_t> PlainSize(const StoredValue& stored);

// The dictionary without which the value can't be restored; 0 if none.
uint32_t DictionaryOf(const StoredValue& stored);
// What is said of such a value where there is no such dictionary.
std::string LacksDictionary(uint32_t id);

// Writes the value to `to`, which has PlainSize(stored) bytes. DataLoss, and
// `to` is unspecified, if the bytes are not a whole value of just this size, or
// need a dictionary that is not among `dictionaries`; whatever they are, no
// other memory is touched. ResourceExhausted if there is no memory to work
// with.
absl::Status Restore(const StoredValue& stored,
                     const DictionarySet& dictionaries, size_t plain_size,
                     char* to);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_COMPRESSION_H_
