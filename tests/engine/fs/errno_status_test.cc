#include "engine/fs/errno_status.h"

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

absl::StatusCode CodeOf(int error) {
  return ErrnoStatus(error, "open", "/a/b").code();
}

TEST(ErrnoStatusTest, TheMessageHasOperationFileAndCause) {
  EXPECT_EQ(
      ErrnoStatus(EACCES, "open", "/a/MANIFEST-1"),
      absl::PermissionDeniedError("open /a/MANIFEST-1: Permission denied"));
}

TEST(ErrnoStatusTest, ErrorsThatCallersTellApartHaveCodesOfTheirOwn) {
  EXPECT_EQ(CodeOf(ENOENT), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(EEXIST), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(CodeOf(ENOTDIR), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(EOPNOTSUPP), absl::StatusCode::kUnimplemented);
  for (const int error : {EACCES, EPERM, EROFS}) {
    EXPECT_EQ(CodeOf(error), absl::StatusCode::kPermissionDenied) << error;
  }
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM}) {
    EXPECT_EQ(CodeOf(error), absl::StatusCode::kResourceExhausted) << error;
  }
}

TEST(ErrnoStatusTest, EverythingElseIsInternal) {
  for (const int error : {EIO, EBADF, EINVAL, ESTALE, ENOTCONN, 12345}) {
    EXPECT_EQ(CodeOf(error), absl::StatusCode::kInternal) << error;
  }
}

TEST(RetryInterruptedTest, CallsAgainWhileSignalsInterrupt) {
  int calls = 0;
  const int result = RetryInterrupted([&calls] {
    errno = EINTR;
    return ++calls < 3 ? -1 : 7;
  });
  EXPECT_EQ(result, 7);
  EXPECT_EQ(calls, 3);
}

// I7: a failed sync must not be made again.
TEST(RetryInterruptedTest, NeverRepeatsACallThatFailed) {
  int calls = 0;
  const int result = RetryInterrupted([&calls] {
    ++calls;
    errno = EIO;
    return -1;
  });
  EXPECT_EQ(result, -1);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace stave
