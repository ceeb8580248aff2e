#ifndef STAVE_LIMITS_H_
#define STAVE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace stave {

// What a store can hold. A call that goes beyond a limit returns
// InvalidArgument, names the limit, and changes nothing.

// Keys have 1 to 65,535 bytes, of any value.
inline constexpr size_t kMaxKeyBytes = 65'535;

// Values have 0 bytes to 1 GiB, of any value.
inline constexpr size_t kMaxValueBytes = size_t{1} << 30;

// All records of a WriteBatch with their headers and padding, as they are
// stored.
inline constexpr size_t kMaxBatchBytes = size_t{1} << 30;

// All segments of a store together: 8 TiB. A put beyond it is
// ResourceExhausted.
inline constexpr uint64_t kMaxStoreBytes = uint64_t{8} << 40;

// Options::segment_size_bytes.
inline constexpr uint64_t kMinSegmentSizeBytes = 256;
inline constexpr uint64_t kMaxSegmentSizeBytes = uint64_t{4} << 30;

// Options::max_space_amplification.
inline constexpr double kMinSpaceAmplification = 1.1;

// Options::compression_level.
inline constexpr int kMaxCompressionLevel = 19;

// Options::compression_dictionary_bytes, unless that is 0.
inline constexpr size_t kMinCompressionDictionaryBytes = 256;
inline constexpr size_t kMaxCompressionDictionaryBytes = size_t{1} << 20;

// Options::recovery_threads.
inline constexpr int kMaxRecoveryThreads = 1024;

}  // namespace stave

#endif  // STAVE_LIMITS_H_
