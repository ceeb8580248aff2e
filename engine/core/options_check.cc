#include "engine/core/options_check.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/status_macros.h"
#include "stave/limits.h"

namespace stave {

absl::Status CheckPath(std::string_view path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("the store's directory has no name");
  }
  if (path.find('\0') != path.npos) {
    return absl::InvalidArgumentError(
        "the name of the store's directory has a zero byte");
  }
  return absl::OkStatus();
}

absl::Status CheckSnapshotFormat(SnapshotFormat format) {
  if (format <= SnapshotFormat::kBinaryV1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the snapshot's format is ",
                                                 static_cast<int>(format),
                                                 ", which is none"));
}

absl::Status CheckOptions(const Options& options) {
  if (options.segment_size_bytes < kMinSegmentSizeBytes ||
      options.segment_size_bytes > kMaxSegmentSizeBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "segment_size_bytes is ", options.segment_size_bytes, ", not from ",
        kMinSegmentSizeBytes, " to ", kMaxSegmentSizeBytes));
  }
  if (options.sync_interval < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("sync_interval is negative");
  }
  // Also false for what is not a number.
  if (!(options.max_space_amplification >= kMinSpaceAmplification)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_space_amplification is ", options.max_space_amplification,
        ", less than ", kMinSpaceAmplification));
  }
  if (options.recovery_threads < 0 ||
      options.recovery_threads > kMaxRecoveryThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("recovery_threads is ", options.recovery_threads,
                     ", not from 0 to ", kMaxRecoveryThreads));
  }
  if (options.read_mode != ReadMode::kMap &&
      options.read_mode != ReadMode::kPread) {
    return absl::InvalidArgumentError(
        absl::StrCat("read_mode is ", static_cast<int>(options.read_mode),
                     ", which is no way of reading"));
  }
  if (options.compression > Compression::kLz4) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression is ", static_cast<int>(options.compression),
                     ", which is no method"));
  }
  if (options.compression_level < 0 ||
      options.compression_level > kMaxCompressionLevel) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression_level is ", options.compression_level,
                     ", not from 0 to ", kMaxCompressionLevel));
  }
  const size_t dictionary = options.compression_dictionary_bytes;
  if (dictionary != 0 && (dictionary < kMinCompressionDictionaryBytes ||
                          dictionary > kMaxCompressionDictionaryBytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression_dictionary_bytes is ", dictionary,
                     ", neither 0 nor from ", kMinCompressionDictionaryBytes,
                     " to ", kMaxCompressionDictionaryBytes));
  }
  if (options.refresh_interval <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("refresh_interval is not positive");
  }
  if (options.snapshot_file.empty() || options.read_only) {
    return absl::OkStatus();
  }
  if (options.snapshot_interval <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("snapshot_interval is not positive");
  }
  RETURN_IF_ERROR(CheckSnapshotFormat(options.snapshot_format));
  if (!options.background_threads) {
    return absl::InvalidArgumentError(
        "snapshot_file needs background_threads; Store::SaveSnapshot doesn't");
  }
  return absl::OkStatus();
}

}  // namespace stave
