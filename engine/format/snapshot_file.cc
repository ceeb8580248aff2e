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
    RETURN_IF_ERROR(WriteList(head, "}", [&](const SnapshotEntry& entry) {
      if (!IsText(entry)) {
        any_binary = true;
        return false;
      }
      any_expires |= Expires(entry);
      AppendJsonString(entry.key, &piece_);
      piece_.push_back(':');
      AppendJsonString(entry.value, &piece_);
      return true;
    }));
    if (any_expires) RETURN_IF_ERROR(WriteExpiries());
    if (any_binary) RETURN_IF_ERROR(WriteBinary());
    return sink_("}\n");
  }

 private:
  absl::Status WriteExpiries() {
    return WriteList(
        ",\"expire_at_ms\":{", "}", [&](const SnapshotEntry& entry) {
          if (!Expires(entry) || !IsText(entry)) return false;
          AppendJsonString(entry.key, &piece_);
          absl::StrAppend(&piece_, ":", absl::ToUnixMillis(entry.expire_at));
          return true;
        });
  }

  absl::Status WriteBinary() {
    return WriteList(",\"binary\":[", "]", [&](const SnapshotEntry& entry) {
      if (IsText(entry)) return false;
      absl::StrAppend(&piece_, "{\"key_base64\":\"", Base64(entry.key),
                      "\",\"value_base64\":\"", Base64(entry.value), "\"");
      if (Expires(entry)) {
        absl::StrAppend(
            &piece_, ",\"expire_at_ms\":", absl::ToUnixMillis(entry.expire_at));
      }
      piece_.push_back('}');
      return true;
    });
  }

  // `append` adds an entry to the piece, unless it has no place in the list.
  template <typename Append>
  absl::Status WriteList(std::string_view begin, std::string_view end,
                         const Append& append) {
    RETURN_IF_ERROR(sink_(begin));
    bool is_first = true;
    RETURN_IF_ERROR(walk_([&](const SnapshotEntry& entry) {
      piece_ = is_first ? "" : ",";
      if (!append(entry)) return absl::OkStatus();
      is_first = false;
      return sink_(piece_);
    }));
    return sink_(end);
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
