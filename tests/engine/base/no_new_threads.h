#ifndef STAVE_TESTS_ENGINE_BASE_NO_NEW_THREADS_H_
#define STAVE_TESTS_ENGINE_BASE_NO_NEW_THREADS_H_

#include <pthread.h>

#include <cstddef>

namespace stave {

// For the length of a scope the process can make no thread: each would get a
// stack for which there are no addresses. (A limit on the number of threads
// does not hold for the superuser.)
class NoNewThreads {
 public:
  NoNewThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t hopeless;
    pthread_getattr_default_np(&hopeless);
    pthread_attr_setstacksize(&hopeless, size_t{1} << 47);
    pthread_setattr_default_np(&hopeless);
    pthread_attr_destroy(&hopeless);
  }
  ~NoNewThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoNewThreads(const NoNewThreads&) = delete;
  NoNewThreads& operator=(const NoNewThreads&) = delete;

 private:
  pthread_attr_t before_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_BASE_NO_NEW_THREADS_H_
