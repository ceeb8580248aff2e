#include "tools/stave/session.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kNameAnother[] = "--store DIR or STAVE_STORE names another";

absl::Status NoStore(std::string_view directory) {
  return absl::NotFoundError(absl::StrFormat(
      "there is no store in %s; put, load and shell make one, %s", directory,
      kNameAnother));
}

// Whether it is about the store, and not about a command's TO.
bool Names(const absl::Status& status, std::string_view directory) {
  return std::string(status.message()).find(directory) != std::string::npos;
}

// Says what to do. What failed to open was the store, and not an argument or a
// key, for which InvalidArgument and NotFound stand elsewhere.
absl::Status OpenError(const absl::Status& status, std::string_view directory) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return absl::UnavailableError(absl::StrFormat(
          "%s; try again when that has ended; commands that only read, such as "
          "get and scan, work beside it",
          status.message()));
    case absl::StatusCode::kNotFound:
      return absl::FailedPreconditionError(
          absl::StrFormat("cannot make a store in %s: %s; %s", directory,
                          status.message(), kNameAnother));
    case absl::StatusCode::kInvalidArgument:
      return absl::FailedPreconditionError(
          Names(status, directory)
              ? absl::StrFormat("%s; %s", status.message(), kNameAnother)
              : std::string(status.message()));
    default:
      return status;
  }
}

// NotFound if there is no store and none is to be made.
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const std::string& directory,
                                                 const Options& options) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open(directory, options);
  if (store.ok()) return store;
  if (absl::IsNotFound(store.status()) && !options.create_if_missing) {
    return NoStore(directory);
  }
  return OpenError(store.status(), directory);
}

// To those who read, a key that is not there is NotFound, and this is worse.
absl::Status AsReader(const absl::Status& status) {
  if (!absl::IsNotFound(status)) return status;
  return absl::FailedPreconditionError(status.message());
}

}  // namespace

absl::StatusOr<std::string> Session::StoreDirectory() const {
  absl::StatusOr<StoreLocation> location = LocateStore(flags_.store);
  if (!location.ok()) return location.status();
  return location->directory;
}

absl::StatusOr<std::string> Session::StoreDirectoryForWriting() const {
  absl::StatusOr<StoreLocation> location = LocateStore(flags_.store);
  if (!location.ok()) return location.status();
  if (location->is_default) {
    RETURN_IF_ERROR(MakeParents(location->directory));
  }
  return location->directory;
}

Options Session::AnyOptions() const {
  Options options;
  if (ordered()) options.keydir = KeydirKind::kOrdered;
  options.merge_bytes_per_second = flags_.merge_bytes_per_second;
  return options;
}

Options Session::OptionsForReading() const {
  Options options = AnyOptions();
  options.create_if_missing = false;
  options.read_only = true;
  return options;
}

absl::StatusOr<std::unique_ptr<Store>> Session::OpenForReading() const {
  absl::StatusOr<StoreLocation> location = LocateStore(flags_.store);
  if (!location.ok()) return location.status();
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenStore(location->directory, OptionsForReading());
  if (store.ok()) return store;
  return AsReader(store.status());
}

absl::StatusOr<std::unique_ptr<Store>> Session::OpenFrom(
    const std::string& directory) const {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open(directory, OptionsForReading());
  if (absl::IsNotFound(store.status())) {
    return absl::FailedPreconditionError(
        absl::StrFormat("there is no store in %s; FROM is the directory that "
                        "`stave backup` was told",
                        directory));
  }
  // Such as a file in place of a directory: the arguments were well formed.
  if (absl::IsInvalidArgument(store.status())) {
    return absl::FailedPreconditionError(store.status().message());
  }
  return store;
}

absl::StatusOr<std::unique_ptr<Store>> Session::OpenForWriting() const {
  absl::StatusOr<std::string> directory = StoreDirectoryForWriting();
  if (!directory.ok()) return directory.status();
  Options options = AnyOptions();
  options.compression = flags_.compression;
  options.compression_dictionary_bytes =
      flags_.compression_dictionary_bytes.value_or(
          options.compression_dictionary_bytes);
  return OpenStore(*directory, options);
}

absl::StatusOr<std::unique_ptr<Store>> Session::OpenExisting() const {
  absl::StatusOr<StoreLocation> location = LocateStore(flags_.store);
  if (!location.ok()) return location.status();
  Options options = AnyOptions();
  options.create_if_missing = false;
  return OpenStore(location->directory, options);
}

template <typename Call>
auto Session::WithDirectory(Call call) const {
  using Result = decltype(call(std::string()));
  absl::StatusOr<StoreLocation> location = LocateStore(flags_.store);
  if (!location.ok()) return Result(location.status());
  Result result = call(location->directory);
  if (result.ok()) return result;
  return Result(
      AsReader(absl::IsNotFound(result.status())
                   ? NoStore(location->directory)
                   : OpenError(result.status(), location->directory)));
}

absl::StatusOr<VerifyReport> Session::VerifyStore(
    const VerifyOptions& options) const {
  return WithDirectory(
      [&](const std::string& directory) { return Verify(directory, options); });
}

absl::StatusOr<RepairReport> Session::RepairStore(
    const std::string& to, const RepairOptions& options) const {
  return WithDirectory([&](const std::string& directory) {
    return Repair(directory, to, options);
  });
}

absl::StatusOr<ClockReset> Session::ResetStoreClock() const {
  return WithDirectory(
      [](const std::string& directory) { return ResetClock(directory); });
}

}  // namespace stave::tool
