#ifndef STAVE_TOOLS_STAVE_REMOVAL_ON_SIGNAL_H_
#define STAVE_TOOLS_STAVE_REMOVAL_ON_SIGNAL_H_

#include <signal.h>

#include <array>
#include <string>

namespace stave::tool {

// While it lives, SIGINT, SIGTERM and SIGHUP remove a file before they end the
// process; those that are ignored, or handled otherwise, stay so. One at a
// time: of two the later one's file is removed.
class RemovalOnSignal {
 public:
  explicit RemovalOnSignal(const std::string& path);
  RemovalOnSignal(const RemovalOnSignal&) = delete;
  ~RemovalOnSignal();

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

  std::array<struct sigaction, kSignals.size()> before_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_REMOVAL_ON_SIGNAL_H_
