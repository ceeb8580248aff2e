#include "tests/model/operation.h"

#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace stave {
namespace {

constexpr const char* kNames[Operation::kKinds] = {"put",
                                                   "put that expires",
                                                   "delete",
                                                   "compare and set",
                                                   "increment",
                                                   "expire at",
                                                   "get and expire",
                                                   "write",
                                                   "transact",
                                                   "sync",
                                                   "get",
                                                   "pinned",
                                                   "exists",
                                                   "ttl",
                                                   "get many",
                                                   "visit",
                                                   "hold an iterator",
                                                   "visit what is held",
                                                   "hold a snapshot",
                                                   "get at a snapshot",
                                                   "visit at a snapshot",
                                                   "hold a value",
                                                   "read what is held",
                                                   "count",
                                                   "merge",
                                                   "back up",
                                                   "follow",
                                                   "read the feed",
                                                   "save a snapshot",
                                                   "let time pass",
                                                   "reopen",
                                                   "kill"};

// Enough to know it by.
std::string Short(const std::string& bytes) {
  constexpr size_t kMost = 24;
  return absl::StrCat("\"", absl::CHexEscape(bytes.substr(0, kMost)),
                      bytes.size() > kMost ? "...\"" : "\"", " of ",
                      bytes.size(), " bytes");
}

// From all to none of the expired.
bool IsBetween(uint64_t count, uint64_t all, uint64_t expired) {
  return count <= all && count >= all - expired;
}

}  // namespace

bool Fits(const Answer& answer, const Answer& expected) {
  return answer.found == expected.found && answer.value == expected.value &&
         answer.contents == expected.contents &&
         answer.is_covered_by_sync == expected.is_covered_by_sync &&
         answer.aborted == expected.aborted &&
         IsBetween(answer.keys, expected.keys, expected.expired_keys) &&
         IsBetween(answer.live_bytes, expected.live_bytes,
                   expected.expired_bytes);
}

const char* NameOf(Operation::Kind kind) { return kNames[kind]; }

std::string Describe(const Operation& operation) {
  std::string text = NameOf(operation.kind);
  for (const Change& change : operation.changes) {
    absl::StrAppend(&text, "; ", change.is_delete ? "delete " : "put ",
                    Short(change.key));
    if (change.is_delete) continue;
    absl::StrAppend(&text, ", ", Short(change.value));
    if (change.expected.has_value()) {
      absl::StrAppend(&text, " instead of ", Short(*change.expected));
    }
    if (change.delta != 0) absl::StrAppend(&text, ", by ", change.delta);
    if (change.ttl_ms == Change::kForever) continue;
    absl::StrAppend(&text, ", for ", change.ttl_ms, " ms",
                    change.as_moment ? ", as a moment" : "");
  }
  if (operation.sync) text += "; sync";
  if (operation.all) text += " all";
  if (!operation.key.empty()) absl::StrAppend(&text, " ", operation.key);
  for (const std::string& key : operation.keys) {
    absl::StrAppend(&text, "; ", Short(key));
  }
  if (operation.time_ms != 0) {
    absl::StrAppend(&text, ", ", operation.time_ms, " ms");
  }
  return text;
}

std::string Describe(const Answer& answer) {
  std::string text = answer.found ? "found" : "not found";
  if (answer.aborted) text += ", aborted";
  if (!answer.value.empty()) absl::StrAppend(&text, " ", Short(answer.value));
  if (!answer.is_covered_by_sync) text += ", not covered by sync";
  for (const auto& [key, held] : answer.contents) {
    absl::StrAppend(&text, "\n  ", Short(key), ": ", Short(held.value));
    if (held.expire_at_ms == Change::kForever) continue;
    absl::StrAppend(&text, " until ", held.expire_at_ms);
  }
  if (answer.keys > 0) {
    absl::StrAppend(&text, "; ", answer.keys, " keys, ", answer.live_bytes,
                    " live bytes");
    if (answer.expired_keys > 0) {
      absl::StrAppend(&text, ", of which ", answer.expired_keys, " keys and ",
                      answer.expired_bytes, " bytes have expired");
    }
  }
  return text;
}

}  // namespace stave
