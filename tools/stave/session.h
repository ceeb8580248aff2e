#ifndef STAVE_TOOLS_STAVE_SESSION_H_
#define STAVE_TOOLS_STAVE_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tools/stave/output.h"

namespace stave::tool {

// The flags that stand before or after any command.
struct GlobalFlags {
  std::optional<std::string> store;
  bool json = false;
  bool read_only = false;
  Compression compression = Compression::kNone;  // of what is written
  std::optional<size_t> compression_dictionary_bytes;
  std::optional<std::string> keydir;
  uint64_t merge_bytes_per_second = 0;
};

// What a command works with: the flags, standard output and the store that
// they name. Errors of its calls say what to do. Thread-compatible.
class Session {
 public:
  // Borrows `out`.
  Session(const GlobalFlags& flags, Output* out) : flags_(flags), out_(out) {}

  bool json() const { return flags_.json; }
  bool read_only() const { return flags_.read_only; }
  // Whether stores are opened with their keys in byte order.
  bool ordered() const { return flags_.keydir == "ordered"; }
  Output& out() { return *out_; }

  // Of the store that the flags name, be it there or not.
  absl::StatusOr<std::string> StoreDirectory() const;
  // The same; what it stands in is made if nobody named the store.
  absl::StatusOr<std::string> StoreDirectoryForWriting() const;

  // Works beside a running writer and changes nothing. FailedPrecondition if
  // there is no store.
  absl::StatusOr<std::unique_ptr<Store>> OpenForReading() const;

  // The same for a store that the flags do not name, but a command's FROM.
  absl::StatusOr<std::unique_ptr<Store>> OpenFrom(
      const std::string& directory) const;

  // Makes the store if there is none.
  absl::StatusOr<std::unique_ptr<Store>> OpenForWriting() const;

  // NotFound if there is no store.
  absl::StatusOr<std::unique_ptr<Store>> OpenExisting() const;

  // Looks at the store's files without opening it. FailedPrecondition if there
  // is no store.
  absl::StatusOr<VerifyReport> VerifyStore(const VerifyOptions& options) const;
  absl::StatusOr<RepairReport> RepairStore(const std::string& to,
                                           const RepairOptions& options) const;
  absl::StatusOr<ClockReset> ResetStoreClock() const;

  // What the flags say of every open.
  Options AnyOptions() const;

 private:
  Options OptionsForReading() const;
  // What `call` makes of the store's directory; its errors say what to do.
  template <typename Call>
  auto WithDirectory(Call call) const;

  const GlobalFlags flags_;
  Output* const out_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SESSION_H_
