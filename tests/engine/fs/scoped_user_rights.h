#ifndef STAVE_TESTS_ENGINE_FS_SCOPED_USER_RIGHTS_H_
#define STAVE_TESTS_ENGINE_FS_SCOPED_USER_RIGHTS_H_

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stave {

// For the length of a scope the calling thread, and the threads that it starts,
// may do no more than the modes of files say, also if they are root's.
class ScopedUserRights {
 public:
  ScopedUserRights() {
    if (syscall(SYS_capget, &header_, old_) != 0) return;
    __user_cap_data_struct fewer[2] = {old_[0], old_[1]};
    fewer[0].effective &= ~(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
    taken_ = syscall(SYS_capset, &header_, fewer) == 0;
  }
  ~ScopedUserRights() {
    if (taken_) syscall(SYS_capset, &header_, old_);
  }
  ScopedUserRights(const ScopedUserRights&) = delete;
  ScopedUserRights& operator=(const ScopedUserRights&) = delete;

 private:
  __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct old_[2] = {};
  bool taken_ = false;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_SCOPED_USER_RIGHTS_H_
