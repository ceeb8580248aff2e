#ifndef STAVE_TESTS_ENGINE_FS_CHILD_PROCESS_H_
#define STAVE_TESTS_ENGINE_FS_CHILD_PROCESS_H_

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>

namespace stave {

// A forked child that runs `body` and ends with it, or when it is killed; the
// end of the scope kills it, if nothing else does. For tests without threads.
class ChildProcess {
 public:
  // The child's side.
  class Parent {
   public:
    // Tells the parent that it may go on, and waits to be killed.
    void TellAndWait() {
      const char byte = 1;
      if (write(descriptor_, &byte, 1) != 1) _exit(1);
      for (;;) pause();
    }

   private:
    friend class ChildProcess;
    explicit Parent(int descriptor) : descriptor_(descriptor) {}
    const int descriptor_;
  };

  explicit ChildProcess(const std::function<void(Parent&)>& body) {
    if (pipe(pipe_.data()) != 0) std::abort();
    id_ = fork();
    if (id_ < 0) std::abort();
    if (id_ == 0) {
      Parent parent(pipe_[1]);
      body(parent);
      _exit(0);
    }
    close(pipe_[1]);
  }
  ~ChildProcess() {
    Kill();
    close(pipe_[0]);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits for the child's word; false if it has ended without one.
  bool WaitUntilTold() {
    char byte;
    return read(pipe_[0], &byte, 1) == 1;
  }

  // Ends it at once, as by kill -9, and waits until it is gone.
  void Kill() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    id_ = 0;
  }

 private:
  std::array<int, 2> pipe_;
  pid_t id_ = 0;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_CHILD_PROCESS_H_
