#ifndef STAVE_ENGINE_LOG_HINT_FILE_H_
#define STAVE_ENGINE_LOG_HINT_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/hint.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/log/segment.h"
#include "stave/options.h"

namespace stave {

// The hint file of a sealed segment, mapped or in memory: tells what the keydir
// needs to know of the segment, and whether a key is in it, without a look at
// the segment. Never needed for correctness: whoever can't open one, or is told
// DataLoss by it, reads the segment instead (I8).
//
// Open checks all that later calls rely on but the entries and sizes; each
// call checks the blocks that it reads, unless one before it has found them
// right, and that they are in order. Thread-safe.
class HintFile {
 public:
  // The segment's hint file. NotFound if there is none; DataLoss if it is
  // damaged, or tells of another segment, or of the segment as it is not. It is
  // mapped, or else read into memory.
  static absl::StatusOr<std::unique_ptr<HintFile>> Open(
      Directory* directory, const SegmentHeader& segment,
      const SegmentSummary& summary, const KeyHasher& hasher,
      ReadMode read_mode = ReadMode::kMap);

  uint64_t file_bytes() const { return header_.file_bytes(); }
  uint64_t entries() const { return header_.entries; }
  uint64_t sizes() const { return header_.sizes; }

  // The key's last record in the segment; nothing if there is none, be it put
  // or delete.
  absl::StatusOr<std::optional<HintEntry>> Find(const KeyHash& hash) const;

  // False only if it is proved that the segment has no record of the key (I4).
  bool MayContain(const KeyHash& hash) const;

  // Visits the entries whose hashes have prefixes from `least` to `greatest`,
  // in their order, in one or several spans. DataLoss before an entry is
  // visited that may be wrong; right ones may have been visited by then.
  absl::Status Visit(
      uint64_t least, uint64_t greatest,
      absl::FunctionRef<absl::Status(absl::Span<const HintEntry>)> visit) const;

  // The size of the large record at `offset`, 0 if there is none; only after
  // VerifySizes has returned OK.
  uint64_t LargeSizeAt(uint64_t offset) const;
  absl::Status VerifySizes() const;

  // DataLoss if anything at all is damaged.
  absl::Status Verify() const;

 private:
  // One of these has the file's bytes.
  struct Bytes {
    std::unique_ptr<FileMapping> mapping;
    std::unique_ptr<char[]> copy;
  };

  HintFile(const HintHeader& header, Bytes bytes, std::string path);
  static absl::StatusOr<Bytes> ReadAll(File* file, uint64_t size,
                                       ReadMode read_mode);

  const char* body() const { return data_ + kHintHeaderBytes; }
  absl::Span<const HintEntry> all() const;
  absl::Span<const HintedSize> all_sizes() const;
  // The place of the first entry that is not less; a guess if there is damage.
  size_t PlaceOf(const HintEntry& entry) const;
  absl::Status VerifyBlocks(uint64_t begin_byte, uint64_t end_byte) const;
  bool BlockIsRight(uint64_t block) const;
  absl::Status VerifyEntries(size_t begin, size_t end) const;
  absl::Status Damage(uint64_t offset, std::string_view what) const;

  const HintHeader header_;
  const Bytes bytes_;
  const char* const data_;
  const std::string path_;
  const uint32_t seed_;
  // Of the blocks whose checksum was found right, a bit each.
  const std::unique_ptr<std::atomic<uint64_t>[]> right_blocks_;
};

// Tells the secret that keys are hashed with from others.
uint32_t HintSecretCheck(const KeyHasher& hasher);

// Makes the sealed segment's hint file from its records, in place of one that
// may be there, and sets the segment's hint_bytes(). Its bytes are durable
// then, its name once the directory is synced; without that, or after a crash
// meanwhile, there is no valid one. Reads and checks all of the segment:
// DataLoss if a record is not right, so that no hint makes an older one come
// back. After an error there is no hint file.
absl::Status WriteHint(Directory* directory, Segment* segment,
                       const SegmentSummary& summary, const KeyHasher& hasher);

// Removes the hint file of a removed segment, if there is one. Open removes
// those that stay behind.
void RemoveHint(Directory* directory, SegmentId id);

}  // namespace stave

#endif  // STAVE_ENGINE_LOG_HINT_FILE_H_
