// Keeps who is logged in, each for as long as he does not rest too long:
//
//   bazel run //examples/sessions -- /tmp/sessions 30m login alice
//   bazel run //examples/sessions -- /tmp/sessions 30m who TOKEN
//   bazel run //examples/sessions -- /tmp/sessions 30m logout TOKEN
//
// login prints the token. Sessions that nobody has asked for in 30 minutes are
// gone: the store forgets them by itself.

#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "stave/store.h"

namespace {

// 128 bits from the operating system, which nobody can guess.
std::string NewToken() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string token;
  for (int i = 0; i < 32; ++i) token += kDigits[random() % 16];
  return token;
}

absl::StatusOr<std::string> Login(stave::Store& sessions, std::string_view user,
                                  absl::Duration idle) {
  const std::string token = NewToken();
  // Absent before: a token is never given to two, whatever the odds.
  const absl::Status put =
      sessions.CompareAndSet(token, std::nullopt, user, {.ttl = idle});
  if (!put.ok()) return put;
  return token;
}

// Whose session it is, which lives on from now. The store writes that only
// where it moves the expiry by a quarter of `idle` or more.
absl::StatusOr<std::string> Who(stave::Store& sessions, std::string_view token,
                                absl::Duration idle) {
  return sessions.Get(token, {.refresh_ttl = idle});
}

absl::StatusOr<std::string> Run(std::string_view directory, absl::Duration idle,
                                std::string_view action,
                                std::string_view subject) {
  absl::StatusOr<std::unique_ptr<stave::Store>> sessions =
      stave::Store::Open(directory);
  if (!sessions.ok()) return sessions.status();
  if (action == "login") return Login(**sessions, subject, idle);
  if (action == "who") return Who(**sessions, subject, idle);
  if (action == "logout") {
    const absl::StatusOr<bool> was_in = (*sessions)->Delete(subject);
    if (!was_in.ok()) return was_in.status();
    return std::string(*was_in ? "goodbye" : "was not logged in");
  }
  return absl::InvalidArgumentError("login, who or logout");
}

}  // namespace

int main(int argc, char** argv) {
  absl::Duration idle;
  if (argc != 5 || !absl::ParseDuration(argv[2], &idle)) {
    std::cerr << "usage: sessions DIRECTORY IDLE login|who|logout SUBJECT\n";
    return 2;
  }
  const absl::StatusOr<std::string> answer =
      Run(argv[1], idle, argv[3], argv[4]);
  if (absl::IsNotFound(answer.status())) {
    std::cout << "nobody\n";
    return 1;
  }
  if (!answer.ok()) {
    std::cerr << answer.status() << "\n";
    return 1;
  }
  std::cout << *answer << "\n";
  return 0;
}
