#include "engine/fs/lock_registry.h"

#include <unistd.h>

#include <set>

#include "absl/base/thread_annotations.h"
#include "engine/base/durability_site.h"
#include "engine/base/mutex.h"

namespace stave {

struct LockClaim::Registry {
  Mutex mutex;
  std::set<FileId> claimed ABSL_GUARDED_BY(mutex);
};

LockClaim::Registry& LockClaim::TheRegistry() {
  // Never destroyed, so that a store may be closed while the process exits.
  static Registry* const registry = new Registry;
  return *registry;
}

std::unique_ptr<LockClaim> LockClaim::Take(dev_t device, ino_t inode) {
  const FileId file(device, inode);
  Registry& registry = TheRegistry();
  MutexLock lock(&registry.mutex);
  const bool is_new = registry.claimed.insert(file).second;
  if (DURABILITY_SITE(kLockRegistry, !is_new)) return nullptr;
  return std::unique_ptr<LockClaim>(new LockClaim(file));
}

LockClaim::LockClaim(FileId file) : file_(file), process_(getpid()) {}

bool LockClaim::IsOfThisProcess() const { return process_ == getpid(); }

LockClaim::~LockClaim() {
  Registry& registry = TheRegistry();
  MutexLock lock(&registry.mutex);
  registry.claimed.erase(file_);
}

}  // namespace stave
