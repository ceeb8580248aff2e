// Moves money between two accounts of a bank, in a store of its own:
//
//   bazel run //examples/transfer -- /tmp/bank alice bob 30
//
// Every account begins with 100. However many of these calls run at the same
// time in one process, and whatever fails, none is lost or made: a transaction
// commits only if the accounts that it has read are as it has read them.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"

namespace {

absl::StatusOr<int64_t> Balance(const stave::Transaction& transaction,
                                std::string_view account) {
  const absl::StatusOr<std::string> balance = transaction.Get(account);
  if (absl::IsNotFound(balance.status())) return 100;
  if (!balance.ok()) return balance.status();
  return std::stoll(*balance);
}

// Update calls the body again if another has changed what it read.
absl::Status Transfer(stave::Store& bank, std::string_view from,
                      std::string_view to, int64_t amount) {
  return bank.Update(
      [&](stave::Transaction& transaction) -> absl::Status {
        const absl::StatusOr<int64_t> giver = Balance(transaction, from);
        if (!giver.ok()) return giver.status();
        if (amount < 0 || amount > *giver) {
          return absl::OutOfRangeError("the account has not that much");
        }
        absl::Status put =
            transaction.Put(from, std::to_string(*giver - amount));
        if (!put.ok()) return put;
        // The transaction reads its own writes: `to` may be `from`.
        const absl::StatusOr<int64_t> taker = Balance(transaction, to);
        if (!taker.ok()) return taker.status();
        return transaction.Put(to, std::to_string(*taker + amount));
      },
      {.sync = true});
}

absl::Status Run(std::string_view directory, std::string_view from,
                 std::string_view to, int64_t amount) {
  absl::StatusOr<std::unique_ptr<stave::Store>> bank =
      stave::Store::Open(directory);
  if (!bank.ok()) return bank.status();
  absl::Status status = Transfer(**bank, from, to, amount);
  if (!status.ok()) return status;
  // Both balances as of one instant.
  status = (*bank)->View([&](const stave::Transaction& transaction) {
    for (const std::string_view account : {from, to}) {
      const absl::StatusOr<int64_t> balance = Balance(transaction, account);
      if (!balance.ok()) return balance.status();
      std::cout << account << " has " << *balance << "\n";
    }
    return absl::OkStatus();
  });
  return status.ok() ? (*bank)->Close() : status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: transfer DIRECTORY FROM TO AMOUNT\n";
    return 2;
  }
  const absl::Status status =
      Run(argv[1], argv[2], argv[3], std::atoll(argv[4]));
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
