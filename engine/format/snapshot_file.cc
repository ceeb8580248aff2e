#include "engine/format/snapshot_file.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/json_text.h"
#include "engine/base/status_macros.h"
#include "engine/base/utf8.h"

namespace stave {
namespace {

// A key in a message, which has to be short.
std::string Quoted(std::string_view key) {
  constexpr size_t kMostBytes = 100;
  return absl::StrCat("'", absl::CHexEscape(ToAbsl(key.substr(0, kMostBytes))),
                      key.size() > kMostBytes ? "...'" : "'");
}

bool Expires(const SnapshotEntry& entry) {
  return entry.expire_at != absl::InfiniteFuture();
}

bool IsText(const SnapshotEntry& entry) {
  return IsUtf8(entry.key) && IsUtf8(entry.value);
}

class JsonWriter {
 public:
  JsonWriter(SnapshotWalk walk, ByteSink sink) : walk_(walk), sink_(sink) {}

  absl::Status Run(absl::Time now) {
    bool any_expires = false, any_binary = false;
    const std::string head = absl::StrFormat(
        "{\"version\":1,\"timestamp\":\"%s\",\"data\":{",
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone()));
    const auto is_listed = [&](const SnapshotEntry& entry) {
      const bool is_text = IsText(entry);
      any_binary |= !is_text;
      any_expires |= is_text && Expires(entry);
      return is_text;
    };
    const auto add = [this](const SnapshotEntry& entry) {
      RETURN_IF_ERROR(AddString(entry.key));
      piece_.push_back(':');
      return AddString(entry.value);
    };
    RETURN_IF_ERROR(WriteList(head, "}", is_listed, add));
    if (any_expires) RETURN_IF_ERROR(WriteExpiries());
    if (any_binary) RETURN_IF_ERROR(WriteBinary());
    return sink_("}\n");
  }

 private:
  // How much of a string is encoded at a time, a multiple of the three bytes
  // that base64 has four letters for. What comes of it is at most six times
  // as long.
  static constexpr size_t kPartBytes = size_t{48} << 10;

  absl::Status WriteExpiries() {
    const auto is_listed = [](const SnapshotEntry& entry) {
      return Expires(entry) && IsText(entry);
    };
    return WriteList(",\"expire_at_ms\":{", "}", is_listed,
                     [this](const SnapshotEntry& entry) {
                       RETURN_IF_ERROR(AddString(entry.key));
                       absl::StrAppend(&piece_, ":",
                                       absl::ToUnixMillis(entry.expire_at));
                       return absl::OkStatus();
                     });
  }

  absl::Status WriteBinary() {
    const auto is_listed = [](const SnapshotEntry& entry) {
      return !IsText(entry);
    };
    return WriteList(",\"binary\":[", "]", is_listed,
                     [this](const SnapshotEntry& entry) {
                       piece_ += "{\"key_base64\":";
                       RETURN_IF_ERROR(AddBase64(entry.key));
                       piece_ += ",\"value_base64\":";
                       RETURN_IF_ERROR(AddBase64(entry.value));
                       if (Expires(entry)) {
                         absl::StrAppend(&piece_, ",\"expire_at_ms\":",
                                         absl::ToUnixMillis(entry.expire_at));
                       }
                       piece_.push_back('}');
                       return absl::OkStatus();
                     });
  }

  // `add` adds an entry that `is_listed` to the piece.
  template <typename IsListed, typename Add>
  absl::Status WriteList(std::string_view begin, std::string_view end,
                         const IsListed& is_listed, const Add& add) {
    RETURN_IF_ERROR(sink_(begin));
    bool is_first = true;
    const auto write = [&](const SnapshotEntry& entry) {
      if (!is_listed(entry)) return absl::OkStatus();
      if (!is_first) piece_.push_back(',');
      is_first = false;
      RETURN_IF_ERROR(add(entry));
      return WritePiece();
    };
    RETURN_IF_ERROR(walk_(write));
    return sink_(end);
  }

  absl::Status AddString(std::string_view text) {
    piece_.push_back('"');
    while (!text.empty()) {
      const std::string_view part = Utf8Prefix(text, kPartBytes);
      AppendJsonEscaped(part, &piece_);
      text.remove_prefix(part.size());
      RETURN_IF_ERROR(WriteIfLong());
    }
    piece_.push_back('"');
    return absl::OkStatus();
  }

  absl::Status AddBase64(std::string_view bytes) {
    piece_.push_back('"');
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kPartBytes);
      piece_ += Base64(part);
      bytes.remove_prefix(part.size());
      RETURN_IF_ERROR(WriteIfLong());
    }
    piece_.push_back('"');
    return absl::OkStatus();
  }

  absl::Status WriteIfLong() {
    return piece_.size() < kPartBytes ? absl::OkStatus() : WritePiece();
  }

  absl::Status WritePiece() {
    RETURN_IF_ERROR(sink_(piece_));
    piece_.clear();
    return absl::OkStatus();
  }

  const SnapshotWalk walk_;
  const ByteSink sink_;
  std::string piece_;
};

class BinaryWriter {
 public:
  BinaryWriter(bool is_version_1, SnapshotWalk walk, ByteSink sink)
      : is_version_1_(is_version_1), walk_(walk), sink_(sink) {}

  absl::Status Run(absl::Time now) {
    uint64_t count = 0;
    RETURN_IF_ERROR(walk_([&](const SnapshotEntry& entry) {
      ++count;
      return Check(entry);
    }));
    if (count > std::numeric_limits<uint32_t>::max()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "a binary snapshot has at most %d entries, and there are %d; "
          "json has no limit",
          std::numeric_limits<uint32_t>::max(), count));
    }
    Append(kSnapshotMagic);
    Append(is_version_1_ ? uint32_t{1} : uint32_t{2});
    Append(static_cast<uint64_t>(absl::ToUnixSeconds(now)));
    Append(static_cast<uint32_t>(count));
    RETURN_IF_ERROR(WritePiece());
    RETURN_IF_ERROR(
        walk_([this](const SnapshotEntry& each) { return Write(each); }));
    if (is_version_1_) return absl::OkStatus();
    Append(crc_);
    return sink_(piece_);
  }

 private:
  absl::Status Check(const SnapshotEntry& entry) const {
    if (!is_version_1_ || !Expires(entry)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrFormat(
        "key %s expires, and binary-v1 has no place for that; binary has",
        Quoted(entry.key)));
  }

  absl::Status Write(const SnapshotEntry& entry) {
    Append(static_cast<uint32_t>(entry.key.size()));
    piece_.append(entry.key);
    Append(static_cast<uint32_t>(entry.value.size()));
    RETURN_IF_ERROR(WritePiece());
    RETURN_IF_ERROR(WriteBytes(entry.value));
    if (is_version_1_) return absl::OkStatus();
    const int64_t expire_at_ms =
        Expires(entry) ? absl::ToUnixMillis(entry.expire_at) : 0;
    Append(static_cast<uint64_t>(expire_at_ms));
    return WritePiece();
  }

  template <typename Number>
  void Append(Number number) {
    AppendFixed(number, &piece_);
  }

  absl::Status WritePiece() {
    RETURN_IF_ERROR(WriteBytes(piece_));
    piece_.clear();
    return absl::OkStatus();
  }

  absl::Status WriteBytes(std::string_view bytes) {
    crc_ = ExtendCrc32c(crc_, bytes);
    return sink_(bytes);
  }

  const bool is_version_1_;
  const SnapshotWalk walk_;
  const ByteSink sink_;
  uint32_t crc_ = 0;
  std::string piece_;
};

}  // namespace

absl::Status WriteSnapshot(SnapshotFormat format, absl::Time now,
                           SnapshotWalk walk, ByteSink sink) {
  if (format == SnapshotFormat::kJson) return JsonWriter(walk, sink).Run(now);
  return BinaryWriter(format == SnapshotFormat::kBinaryV1, walk, sink).Run(now);
}

}  // namespace stave
