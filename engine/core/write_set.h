#ifndef STAVE_ENGINE_CORE_WRITE_SET_H_
#define STAVE_ENGINE_CORE_WRITE_SET_H_

#include <functional>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace stave {

// What a transaction has written: the last change of each key.
struct PendingChange {
  std::string value;
  absl::Time expire_at = absl::InfiniteFuture();
  bool is_delete = false;

  // Whether the key is there for the transaction, whose time is `now`.
  bool IsLive(absl::Time now) const { return !is_delete && expire_at > now; }
};
using WriteSet = std::map<std::string, PendingChange, std::less<>>;

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_WRITE_SET_H_
