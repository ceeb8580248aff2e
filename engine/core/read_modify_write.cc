#include "engine/core/read_modify_write.h"

#include <charconv>
#include <limits>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

absl::StatusOr<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::invalid_argument || parsed != end) {
    return absl::InvalidArgumentError(
        "the key's value is no whole decimal number");
  }
  if (error == std::errc::result_out_of_range) {
    return absl::OutOfRangeError("the key's value is no number of 64 bits");
  }
  return number;
}

absl::StatusOr<int64_t> Sum(int64_t number, int64_t delta) {
  int64_t sum = 0;
  if (__builtin_add_overflow(number, delta, &sum)) {
    return absl::OutOfRangeError(
        absl::StrCat(number, " plus ", delta, " is no number of 64 bits"));
  }
  return sum;
}

bool SetsExpiry(const WriteOptions& options) {
  return options.ttl != absl::InfiniteDuration() ||
         options.expire_at != absl::InfiniteFuture();
}

Commit::Seen AsSeen(const SeenKey& seen) {
  return {seen.entry, seen.exists ? seen.expire_at : absl::InfiniteFuture()};
}

StoredValue StoredIn(const SeenKey& seen) {
  return {seen.compression, seen.value.view()};
}

absl::Time ExpiryOf(const RecordHeader& header) {
  return header.expires ? absl::FromUnixMillis(header.expire_at_ms)
                        : absl::InfiniteFuture();
}

}  // namespace

absl::StatusOr<bool> ReadModifyWrite::Write(const SeenKey& seen,
                                            const Commit::PreparedPut& put,
                                            const WriteOptions& options) {
  const absl::StatusOr<Sequence> sequence =
      commit_.PutIfStill(AsSeen(seen), put);
  if (absl::IsAborted(sequence.status())) return false;
  RETURN_IF_ERROR(sequence.status());
  RETURN_IF_ERROR(commit_.SyncIfAsked(options, *sequence));
  return true;
}

absl::Status ReadModifyWrite::CompareAndSet(
    std::string_view key, std::optional<std::string_view> expected,
    std::string_view desired, const WriteOptions& options) {
  ASSIGN_OR_RETURN(const Commit::PreparedPut put,
                   commit_.Prepare(key, desired, options));
  while (true) {
    ASSIGN_OR_RETURN(const SeenKey seen, reader_.Look(key));
    if (seen.exists != expected.has_value()) {
      return absl::AbortedError(seen.exists ? "the key exists"
                                            : "the key is absent");
    }
    if (seen.exists) {
      std::string restored;
      ASSIGN_OR_RETURN(const std::string_view value,
                       reader_.ValueOf(seen, &restored));
      if (value != *expected) {
        return absl::AbortedError("the key has another value");
      }
    }
    ASSIGN_OR_RETURN(const bool done, Write(seen, put, options));
    if (done) return absl::OkStatus();
  }
}

absl::StatusOr<int64_t> ReadModifyWrite::Increment(
    std::string_view key, int64_t delta, const WriteOptions& options) {
  while (true) {
    ASSIGN_OR_RETURN(const SeenKey seen, reader_.Look(key));
    int64_t number = 0;
    if (seen.exists) {
      std::string restored;
      ASSIGN_OR_RETURN(const std::string_view value,
                       reader_.ValueOf(seen, &restored));
      ASSIGN_OR_RETURN(number, ParseNumber(value));
    }
    ASSIGN_OR_RETURN(const int64_t sum, Sum(number, delta));
    WriteOptions expiry = options;
    if (seen.exists && !SetsExpiry(options)) expiry.expire_at = seen.expire_at;
    const std::string text = absl::StrCat(sum);
    ASSIGN_OR_RETURN(const Commit::PreparedPut put,
                     commit_.Prepare(key, text, expiry));
    ASSIGN_OR_RETURN(const bool done, Write(seen, put, options));
    if (done) return sum;
  }
}

absl::Status ReadModifyWrite::SetExpiry(std::string_view key,
                                        const WriteOptions& options) {
  while (true) {
    ASSIGN_OR_RETURN(const SeenKey seen, reader_.Look(key));
    ASSIGN_OR_RETURN(const Commit::PreparedPut put,
                     commit_.PrepareStored(key, StoredIn(seen), options));
    if (!seen.exists) return absl::NotFoundError("");
    if (seen.expire_at == ExpiryOf(put.record.header)) {
      return commit_.SyncAnswerIfAsked(options);
    }
    ASSIGN_OR_RETURN(const bool done, Write(seen, put, options));
    if (done) return absl::OkStatus();
  }
}

void ReadModifyWrite::Refresh(std::string_view key, absl::Duration ttl) {
  absl::Status status = absl::AbortedError("");
  while (absl::IsAborted(status)) {
    const absl::StatusOr<SeenKey> seen = reader_.Look(key);
    if (!seen.ok() || !seen->exists) return;
    if (seen->expire_at == absl::InfiniteFuture()) return;
    if (absl::AbsDuration(ttl - seen->ttl) < ttl / 4) return;
    const absl::StatusOr<Commit::PreparedPut> put =
        commit_.PrepareStored(key, StoredIn(*seen), {.ttl = ttl});
    if (!put.ok()) return;
    // On any other error the key expires as it would have without this.
    status = commit_.PutIfStill(AsSeen(*seen), *put).status();
  }
}

}  // namespace stave
