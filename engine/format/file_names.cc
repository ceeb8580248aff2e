#include "engine/format/file_names.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stave {
namespace {

template <typename Number>
std::optional<Number> ParseWhole(std::string_view digits, int base) {
  Number number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// One id, one name: "00000000000000AB.seg" is not ours.
std::optional<SegmentId> ParseId(std::string_view name,
                                 std::string (*name_of)(SegmentId)) {
  const auto id = ParseWhole<SegmentId>(name.substr(0, 16), 16);
  if (!id.has_value() || name_of(*id) != name) return std::nullopt;
  return id;
}

// Nor is "MANIFEST-01".
std::optional<uint64_t> ParseNumber(std::string_view name,
                                    std::string_view prefix,
                                    std::string (*name_of)(uint64_t)) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto number = ParseWhole<uint64_t>(name.substr(prefix.size()), 10);
  if (!number.has_value() || name_of(*number) != name) return std::nullopt;
  return number;
}

}  // namespace

std::string SegmentFileName(SegmentId id) {
  return absl::StrFormat("%016x.seg", id);
}

std::optional<SegmentId> ParseSegmentFileName(std::string_view name) {
  return ParseId(name, SegmentFileName);
}

std::string HintFileName(SegmentId id) {
  return absl::StrFormat("%016x.hint", id);
}

std::optional<SegmentId> ParseHintFileName(std::string_view name) {
  return ParseId(name, HintFileName);
}

std::string ManifestFileName(uint64_t number) {
  return absl::StrCat("MANIFEST-", number);
}

std::optional<uint64_t> ParseManifestFileName(std::string_view name) {
  return ParseNumber(name, "MANIFEST-", ManifestFileName);
}

std::string CheckpointFileName(uint64_t generation) {
  return absl::StrCat("KEYDIR-", generation);
}

std::optional<uint64_t> ParseCheckpointFileName(std::string_view name) {
  return ParseNumber(name, "KEYDIR-", CheckpointFileName);
}

std::string DictionaryFileName(uint64_t id) {
  return absl::StrCat("DICTIONARY-", id);
}

std::optional<uint64_t> ParseDictionaryFileName(std::string_view name) {
  return ParseNumber(name, "DICTIONARY-", DictionaryFileName);
}

bool IsStoreFileName(std::string_view name) {
  return name == kLockFileName || name == kReserveFileName ||
         ParseSegmentFileName(name).has_value() ||
         ParseHintFileName(name).has_value() ||
         ParseCheckpointFileName(name).has_value() ||
         ParseDictionaryFileName(name).has_value() ||
         ParseManifestFileName(name).has_value();
}

}  // namespace stave
