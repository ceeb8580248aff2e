#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_FORMAT_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace stave::tool {

// A snapshot file holds all pairs of a store, in one of these forms.
//
// JSON, all of it UTF-8:
//   {"version":1,"timestamp":"2026-01-15T10:30:00Z",
//    "data":{"user:1":"Alice"},"expire_at_ms":{"session:9":1789000000000},
//    "binary":[{"key_base64":"AP8=","value_base64":"/w==",
//               "expire_at_ms":1789000000000}]}
// Pairs whose key and value are UTF-8 stand in data, with their expiries in
// expire_at_ms; all others in binary. The last two may be absent.
//
// Binary, little-endian: magic u32, version u32, Unix seconds u64, number of
// entries u32, then entries of key length u32, key, value length u32, value.
// Version 2 has after each value its expiry, u64 Unix milliseconds, 0 for none,
// and at the end the CRC-32C of all bytes before it. Version 1 has neither.
enum class SnapshotFormat { kJson, kBinary, kBinaryV1 };

inline constexpr uint32_t kSnapshotMagic = 0x4B56DB;
inline constexpr uint64_t kSnapshotHeaderBytes = 20;

// The format that `name` ("json", "binary", "binary-v1") says; without one,
// binary if the file's name ends in ".bin", else JSON.
absl::StatusOr<SnapshotFormat> ChooseSnapshotFormat(
    const std::optional<std::string>& name, std::string_view file);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_FORMAT_H_
