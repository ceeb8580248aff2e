#include "engine/core/new_keydir.h"

#include "engine/index/hash_keydir.h"
#include "engine/index/ordered_keydir.h"

namespace stave {

std::unique_ptr<Keydir> NewKeydir(KeydirKind kind) {
  if (kind == KeydirKind::kOrdered) return std::make_unique<OrderedKeydir>();
  return std::make_unique<HashKeydir>();
}

}  // namespace stave
