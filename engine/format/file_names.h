#ifndef STAVE_ENGINE_FORMAT_FILE_NAMES_H_
#define STAVE_ENGINE_FORMAT_FILE_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/types.h"

namespace stave {

// Names of files: 16 hexadecimal digits and ".seg" or ".hint", "MANIFEST-",
// "KEYDIR-" or "DICTIONARY-" and a decimal number. Nothing for names outside
// this grammar (I9).
std::string SegmentFileName(SegmentId id);
std::optional<SegmentId> ParseSegmentFileName(std::string_view name);
std::string HintFileName(SegmentId id);
std::optional<SegmentId> ParseHintFileName(std::string_view name);
std::string ManifestFileName(uint64_t number);
std::optional<uint64_t> ParseManifestFileName(std::string_view name);
std::string CheckpointFileName(uint64_t generation);
std::optional<uint64_t> ParseCheckpointFileName(std::string_view name);
std::string DictionaryFileName(uint64_t id);
std::optional<uint64_t> ParseDictionaryFileName(std::string_view name);
// Whether a file of that name belongs to a store.
bool IsStoreFileName(std::string_view name);
inline constexpr std::string_view kLockFileName = "LOCK";
inline constexpr std::string_view kReserveFileName = "RESERVE";

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_FILE_NAMES_H_
