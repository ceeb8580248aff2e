#ifndef STAVE_TESTS_SIMULATION_SYSTEM_CALL_FAULTS_H_
#define STAVE_TESTS_SIMULATION_SYSTEM_CALL_FAULTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace stave {

// What happens to system calls that is no error, and that FileSystem must not
// let anybody see: for programs that are linked with the calls below wrapped
// (see BUILD.bazel). For one thread.
class SystemCallFaults {
 public:
  enum Kind : size_t {
    kInterrupted,  // EINTR, and nothing was done; never twice in a row
    kShort,        // a half of the bytes are read or written, one at least
    kCloseError,   // EIO, and the descriptor is closed
    kKinds,        // their number
  };

  static SystemCallFaults& Get();

  // Of the calls from now on that can meet it, number `nth`, counted from 0,
  // does; with `sticky` all later ones as well.
  void Plan(Kind kind, uint64_t nth, bool sticky);
  void Clear() { kind_ = kKinds; }

  // Calls since the last Plan or Clear that could meet it.
  uint64_t calls(Kind kind) const { return calls_[kind]; }
  void ResetCalls() { calls_ = {}; }

  // For the wrappers: whether this call meets a fault.
  bool Meets(Kind kind);

 private:
  Kind kind_ = kKinds;
  uint64_t nth_ = 0;
  bool sticky_ = false;
  bool was_interrupted_ = false;
  std::array<uint64_t, kKinds> calls_{};
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_SYSTEM_CALL_FAULTS_H_
