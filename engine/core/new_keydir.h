#ifndef STAVE_ENGINE_CORE_NEW_KEYDIR_H_
#define STAVE_ENGINE_CORE_NEW_KEYDIR_H_

#include <memory>

#include "engine/index/keydir.h"
#include "stave/options.h"

namespace stave {

// An empty keydir of this kind.
std::unique_ptr<Keydir> NewKeydir(KeydirKind kind);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_NEW_KEYDIR_H_
