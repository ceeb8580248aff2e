#include "engine/format/compression.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "lz4.h"
#include "stave/limits.h"
#include "zstd.h"

namespace stave {
namespace {

constexpr size_t kPlainSizeBytes = 4;
// Less than this part saved is not worth it that each read has to restore.
constexpr size_t kLeastSavedPart = 8;

// RFC 8878: a block of at most 128 KiB takes four bytes or more.
constexpr uint64_t kZstdBlockBytes = uint64_t{128} << 10;
constexpr uint64_t kLeastZstdBlock = 4;
// lz4_Block_format.md: no byte of a length adds more than 255.
constexpr uint64_t kLz4BytesPerByte = 255;

// zstd's working memory, which takes longer to make than a small value to
// compress. One each for a thread.
ZSTD_CCtx* CompressionContext() {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(
      ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* DecompressionContext() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(
      ZSTD_createDCtx());
  return context.get();
}

// These return the size of the frame or block, 0 if it doesn't fit into
// `capacity` or there is no memory for the work.

size_t CompressZstd(std::string_view value, int level,
                    const ZSTD_CDict* dictionary, size_t capacity, char* to) {
  ZSTD_CCtx* const context = CompressionContext();
  if (context == nullptr) return 0;
  // After a value that didn't fit the context takes no parameters before this.
  ZSTD_CCtx_reset(context, ZSTD_reset_session_only);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  // Record and checksum tell both already.
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0);
  // Also where there is none: the context may know that of another store.
  if (ZSTD_isError(ZSTD_CCtx_refCDict(context, dictionary))) return 0;
  const size_t size =
      ZSTD_compress2(context, to, capacity, value.data(), value.size());
  return ZSTD_isError(size) ? 0 : size;
}

size_t CompressLz4(std::string_view value, size_t capacity, char* to) {
  const int size =
      LZ4_compress_default(value.data(), to, static_cast<int>(value.size()),
                           static_cast<int>(capacity));
  return static_cast<size_t>(size);
}

// The most that `size` compressed bytes can stand for.
uint64_t MostPlainBytes(Compression compression, uint64_t size) {
  return compression == Compression::kZstd
             ? (size / kLeastZstdBlock + 1) * kZstdBlockBytes
             : size * kLz4BytesPerByte;
}

// One frame and nothing else, and none of those from before the RFC, which the
// library may know, too.
bool IsOneFrame(std::string_view from) {
  uint32_t magic = 0;
  std::string_view rest = from;
  return ConsumeFixed(&rest, &magic) && magic == ZSTD_MAGICNUMBER &&
         ZSTD_findFrameCompressedSize(from.data(), from.size()) == from.size();
}

// The size of the value, or another number.
size_t RestoreZstd(ZSTD_DCtx* context, std::string_view from,
                   const Dictionary* dictionary, size_t plain_size, char* to) {
  if (dictionary == nullptr) {
    return ZSTD_decompressDCtx(context, to, plain_size, from.data(),
                               from.size());
  }
  return ZSTD_decompress_usingDDict(context, to, plain_size, from.data(),
                                    from.size(), dictionary->prepared());
}

}  // namespace

Compressor::~Compressor() { ZSTD_freeCDict(dictionary_); }

void Compressor::Use(const Dictionary& dictionary) {
  const std::string_view content = dictionary.content();
  // Without memory for it values are compressed without it.
  dictionary_.store(
      ZSTD_createCDict(content.data(), content.size(),
                       level_ == 0 ? ZSTD_CLEVEL_DEFAULT : level_),
      std::memory_order_release);
}

StoredValue Compressor::Compress(std::string_view value,
                                 std::unique_ptr<char[]>* buffer) const {
  const StoredValue as_it_is{Compression::kNone, value};
  if (method_ == Compression::kNone || value.size() < threshold_bytes_ ||
      value.size() < kLeastSavedPart) {
    return as_it_is;
  }
  const size_t most = value.size() - value.size() / kLeastSavedPart;
  if (most <= kPlainSizeBytes) return as_it_is;
  *buffer = std::make_unique_for_overwrite<char[]>(most);
  char* const to = buffer->get() + kPlainSizeBytes;
  const size_t capacity = most - kPlainSizeBytes;
  const size_t size =
      method_ == Compression::kZstd
          ? CompressZstd(value, level_,
                         dictionary_.load(std::memory_order_acquire), capacity,
                         to)
          : CompressLz4(value, capacity, to);
  if (size == 0) {
    buffer->reset();
    return as_it_is;
  }
  EncodeFixed(static_cast<uint32_t>(value.size()), buffer->get());
  return {method_, std::string_view(buffer->get(), kPlainSizeBytes + size)};
}

absl::StatusOr<size_t> PlainSize(const StoredValue& stored) {
  if (stored.compression == Compression::kNone) return stored.bytes.size();
  std::string_view rest = stored.bytes;
  uint32_t size = 0;
  if (!ConsumeFixed(&rest, &size)) {
    return absl::DataLossError("a compressed value without its size");
  }
  if (size == 0 || size > kMaxValueBytes ||
      size > MostPlainBytes(stored.compression, rest.size())) {
    return absl::DataLossError(absl::StrCat("a compressed value of ",
                                            rest.size(), " bytes claims to be ",
                                            size, " bytes"));
  }
  return size;
}

uint32_t DictionaryOf(const StoredValue& stored) {
  if (stored.compression != Compression::kZstd ||
      stored.bytes.size() < kPlainSizeBytes) {
    return 0;
  }
  const std::string_view from = stored.bytes.substr(kPlainSizeBytes);
  return ZSTD_getDictID_fromFrame(from.data(), from.size());
}

std::string LacksDictionary(uint32_t id) {
  return absl::StrCat("a compressed value that needs DICTIONARY-", id,
                      ", which is missing or damaged");
}

absl::Status Restore(const StoredValue& stored,
                     const DictionarySet& dictionaries, size_t plain_size,
                     char* to) {
  if (stored.compression == Compression::kNone) {
    if (plain_size > 0) std::memcpy(to, stored.bytes.data(), plain_size);
    return absl::OkStatus();
  }
  const std::string_view from = stored.bytes.substr(kPlainSizeBytes);
  bool restored = false;
  if (stored.compression == Compression::kZstd) {
    ZSTD_DCtx* const context = DecompressionContext();
    if (context == nullptr) {
      return absl::ResourceExhaustedError("no memory to restore a value");
    }
    if (!IsOneFrame(from)) {
      return absl::DataLossError("a compressed value that can't be restored");
    }
    const uint32_t id = DictionaryOf(stored);
    const Dictionary* const dictionary =
        id == 0 ? nullptr : dictionaries.Find(id);
    if (id != 0 && dictionary == nullptr) {
      return absl::DataLossError(LacksDictionary(id));
    }
    restored =
        RestoreZstd(context, from, dictionary, plain_size, to) == plain_size;
  } else {
    restored =
        LZ4_decompress_safe(from.data(), to, static_cast<int>(from.size()),
                            static_cast<int>(plain_size)) ==
        static_cast<int>(plain_size);
  }
  if (restored) return absl::OkStatus();
  return absl::DataLossError("a compressed value that can't be restored");
}

}  // namespace stave
