#ifndef STAVE_ENGINE_FS_LOCK_REGISTRY_H_
#define STAVE_ENGINE_FS_LOCK_REGISTRY_H_

#include <sys/types.h>

#include <memory>
#include <utility>

namespace stave {

// This process's claim to be the one holder of a file's lock. It doubles
// flock(2), since file systems that turn that into POSIX locks let a process
// take a lock which it already has (I11).
class LockClaim {
 public:
  // Claims the file of this device and inode; null if it is claimed already.
  // Thread-safe.
  static std::unique_ptr<LockClaim> Take(dev_t device, ino_t inode);

  LockClaim(const LockClaim&) = delete;
  LockClaim& operator=(const LockClaim&) = delete;
  ~LockClaim();

  // False in a child that was forked since.
  bool IsOfThisProcess() const;

 private:
  using FileId = std::pair<dev_t, ino_t>;
  struct Registry;

  explicit LockClaim(FileId file);
  static Registry& TheRegistry();

  const FileId file_;
  const pid_t process_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_LOCK_REGISTRY_H_
