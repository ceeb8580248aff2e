#ifndef STAVE_TESTS_ENGINE_FS_SCOPED_LIMIT_H_
#define STAVE_TESTS_ENGINE_FS_SCOPED_LIMIT_H_

#include <sys/resource.h>

#include <csignal>

namespace stave {

// Lowers a limit of this process, setrlimit(2), for the length of a scope.
// Calls that meet it fail, rather than end the process by SIGXFSZ.
class ScopedLimit {
 public:
  ScopedLimit(int resource, rlim_t limit) : resource_(resource) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(AsResource(), &old_);
    rlimit lowered = old_;
    lowered.rlim_cur = limit;
    setrlimit(AsResource(), &lowered);
  }
  ~ScopedLimit() { setrlimit(AsResource(), &old_); }
  ScopedLimit(const ScopedLimit&) = delete;
  ScopedLimit& operator=(const ScopedLimit&) = delete;

 private:
  // The C library has an enumeration of its own for the first argument.
  __rlimit_resource AsResource() const {
    return static_cast<__rlimit_resource>(resource_);
  }

  const int resource_;
  rlimit old_ = {};
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_SCOPED_LIMIT_H_
