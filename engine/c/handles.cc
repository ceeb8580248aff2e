#include "engine/c/handles.h"

#include <cstdlib>
#include <cstring>

namespace stave::c {
namespace {

std::string& LastError() {
  thread_local std::string message;
  return message;
}

stave_code CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return STAVE_OK;
    case absl::StatusCode::kNotFound:
      return STAVE_NOT_FOUND;
    case absl::StatusCode::kInvalidArgument:
      return STAVE_INVALID_ARGUMENT;
    case absl::StatusCode::kAborted:
      return STAVE_ABORTED;
    case absl::StatusCode::kOutOfRange:
      return STAVE_OUT_OF_RANGE;
    case absl::StatusCode::kDataLoss:
      return STAVE_DATA_LOSS;
    case absl::StatusCode::kResourceExhausted:
      return STAVE_RESOURCE_EXHAUSTED;
    case absl::StatusCode::kUnavailable:
      return STAVE_UNAVAILABLE;
    case absl::StatusCode::kFailedPrecondition:
      return STAVE_FAILED_PRECONDITION;
    case absl::StatusCode::kPermissionDenied:
      return STAVE_PERMISSION_DENIED;
    case absl::StatusCode::kCancelled:
      return STAVE_CANCELLED;
    default:
      return STAVE_INTERNAL;
  }
}

}  // namespace

stave_code Answer(const absl::Status& status) {
  if (!status.ok()) LastError() = std::string(status.message());
  return CodeOf(status.code());
}

stave_code Copy(std::string_view bytes, char** copy, size_t* size) {
  char* const to = static_cast<char*>(std::malloc(bytes.size() + 1));
  if (to == nullptr) {
    return Answer(absl::ResourceExhaustedError("no memory for the result"));
  }
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  to[bytes.size()] = '\0';
  *copy = to;
  if (size != nullptr) *size = bytes.size();
  return STAVE_OK;
}

ReadOptions OptionsOf(const stave_read_options* options) {
  if (options == nullptr) return ReadOptions();
  ReadOptions all = options->options;
  all.snapshot = options->snapshot.get();
  all.prefix = options->prefix;
  all.lower_bound = options->lower_bound;
  all.upper_bound = options->upper_bound;
  return all;
}

}  // namespace stave::c

const char* stave_last_error(void) { return stave::c::LastError().c_str(); }

void stave_free(void* memory) { std::free(memory); }

const char* stave_code_name(stave_code code) {
  switch (code) {
    case STAVE_OK:
      return "ok";
    case STAVE_NOT_FOUND:
      return "not found";
    case STAVE_INVALID_ARGUMENT:
      return "invalid argument";
    case STAVE_ABORTED:
      return "aborted";
    case STAVE_OUT_OF_RANGE:
      return "out of range";
    case STAVE_DATA_LOSS:
      return "data loss";
    case STAVE_RESOURCE_EXHAUSTED:
      return "resource exhausted";
    case STAVE_UNAVAILABLE:
      return "unavailable";
    case STAVE_FAILED_PRECONDITION:
      return "failed precondition";
    case STAVE_PERMISSION_DENIED:
      return "permission denied";
    case STAVE_CANCELLED:
      return "cancelled";
    case STAVE_INTERNAL:
      return "internal";
  }
  return "unknown";
}
