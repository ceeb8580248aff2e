#ifndef STAVE_TOOLS_STAVE_INTERRUPTION_H_
#define STAVE_TOOLS_STAVE_INTERRUPTION_H_

#include <csignal>

namespace stave::tool {

// Holds back the signals by which people and the system ask a process to end
// (SIGINT, SIGTERM, SIGHUP, unless they are ignored), so that it can tidy up
// before. One that came ends the process when this is destroyed. Make it
// before any thread: those that are made meanwhile hold them back as well.
class Interruption {
 public:
  Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();

  // Whether one has come.
  bool came() const;

 private:
  sigset_t held_;
  sigset_t before_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_INTERRUPTION_H_
