#include "tools/stave/removal_on_signal.h"

#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstring>

namespace stave::tool {
namespace {

// A signal's handler finds nothing else, and may not take memory.
char path_to_remove[PATH_MAX];
std::atomic<bool> has_path{false};

// The default action is in place again, and waits until this returns.
void RemoveAndEnd(int signal) {
  if (has_path) (void)unlink(path_to_remove);
  (void)raise(signal);
}

}  // namespace

RemovalOnSignal::RemovalOnSignal(const std::string& path) {
  if (path.size() < sizeof(path_to_remove)) {
    has_path = false;
    std::memcpy(path_to_remove, path.c_str(), path.size() + 1);
    has_path = true;
  }
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_DFL) continue;
    struct sigaction action = {};
    action.sa_handler = RemoveAndEnd;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(kSignals[i], &action, nullptr);
  }
}

RemovalOnSignal::~RemovalOnSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) {
    if (before_[i].sa_handler == SIG_DFL) {
      sigaction(kSignals[i], &before_[i], nullptr);
    }
  }
  has_path = false;
}

}  // namespace stave::tool
