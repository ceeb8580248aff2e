#include "tools/stave/interruption.h"

#include <initializer_list>

namespace stave::tool {
namespace {

constexpr std::initializer_list<int> kSignals = {SIGINT, SIGTERM, SIGHUP};

bool IsIgnored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 &&
         action.sa_handler == SIG_IGN;
}

}  // namespace

Interruption::Interruption() {
  sigemptyset(&held_);
  for (const int signal : kSignals) {
    if (!IsIgnored(signal)) sigaddset(&held_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

Interruption::~Interruption() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Interruption::came() const {
  sigset_t pending;
  if (sigpending(&pending) != 0) return false;
  for (const int signal : kSignals) {
    if (sigismember(&held_, signal) == 1 &&
        sigismember(&pending, signal) == 1) {
      return true;
    }
  }
  return false;
}

}  // namespace stave::tool
