// Gives long addresses short names, and counts who follows them:
//
//   bazel run //examples/shorten -- /tmp/links add https://example.org/a/b
//   bazel run //examples/shorten -- /tmp/links follow 1
//   bazel run //examples/shorten -- /tmp/links visits 1
//
// add prints the name, the same one for the same address.

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"

namespace {

std::string NameOf(uint64_t number) {
  constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string name;
  for (; number > 0; number /= kDigits.size()) {
    name.insert(name.begin(), kDigits[number % kDigits.size()]);
  }
  return name;
}

// Three keys, one transaction: however many add at once, in threads of one
// process, no two addresses get one name, and no address two.
absl::StatusOr<std::string> Add(stave::Store& links, const std::string& url) {
  std::string name;
  const absl::Status status = links.Update(
      [&](stave::Transaction& transaction) -> absl::Status {
        absl::StatusOr<std::string> known = transaction.Get("name:" + url);
        if (!absl::IsNotFound(known.status())) {
          if (known.ok()) name = *known;
          return known.status();
        }
        const absl::StatusOr<std::string> last = transaction.Get("last");
        if (!last.ok() && !absl::IsNotFound(last.status())) {
          return last.status();
        }
        const uint64_t number = last.ok() ? std::stoull(*last) + 1 : 1;
        name = NameOf(number);
        absl::Status put = transaction.Put("last", std::to_string(number));
        put.Update(transaction.Put("name:" + url, name));
        put.Update(transaction.Put("url:" + name, url));
        return put;
      },
      {.sync = true});  // the name may be printed on paper
  if (!status.ok()) return status;
  return name;
}

absl::StatusOr<std::string> Follow(stave::Store& links,
                                   const std::string& name) {
  absl::StatusOr<std::string> url = links.Get("url:" + name);
  if (!url.ok()) return url;
  // Not worth a wait: a power failure may take the last second's visits.
  const absl::StatusOr<int64_t> visits = links.Increment("visits:" + name, 1);
  if (!visits.ok()) return visits.status();
  return url;
}

absl::StatusOr<std::string> Run(std::string_view directory,
                                std::string_view action,
                                const std::string& subject) {
  absl::StatusOr<std::unique_ptr<stave::Store>> links =
      stave::Store::Open(directory);
  if (!links.ok()) return links.status();
  if (action == "add") return Add(**links, subject);
  if (action == "follow") return Follow(**links, subject);
  if (action == "visits") return (*links)->Get("visits:" + subject);
  return absl::InvalidArgumentError("add, follow or visits");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: shorten DIRECTORY add|follow|visits SUBJECT\n";
    return 2;
  }
  const absl::StatusOr<std::string> answer = Run(argv[1], argv[2], argv[3]);
  (answer.ok() ? std::cout << *answer : std::cerr << answer.status()) << "\n";
  return answer.ok() ? 0 : 1;
}
