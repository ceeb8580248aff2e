#include "tests/engine/fs/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace stave {
namespace {

bool WriteTo(const char* path, const std::string& contents) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t written = write(file, contents.data(), contents.size());
  close(file);
  return written == static_cast<ssize_t>(contents.size());
}

// Gives this process mounts of its own, as the superuser of a user namespace
// of its own, for which it needs no rights where the kernel allows it.
bool EnterMountNamespace() {
  const std::string user = "0 " + std::to_string(geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(getegid()) + " 1";
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
         WriteTo("/proc/self/setgroups", "deny") &&
         WriteTo("/proc/self/uid_map", user) &&
         WriteTo("/proc/self/gid_map", group) &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

SmallDisk::SmallDisk(size_t bytes) {
  static const bool may_mount = EnterMountNamespace();
  const std::string options = "size=" + std::to_string(bytes);
  mounted_ = may_mount &&
             mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0;
}

SmallDisk::~SmallDisk() {
  if (mounted_) umount2(path().c_str(), MNT_DETACH);
}

}  // namespace stave
