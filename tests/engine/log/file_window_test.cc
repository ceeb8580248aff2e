#include "engine/log/file_window.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr uint64_t kPage = 4096;

// A file on a device that refuses some of its pages.
class BadSectorFile : public File {
 public:
  explicit BadSectorFile(std::string bytes) : bytes_(std::move(bytes)) {}

  void Spoil(uint64_t page) { bad_pages_.insert(page); }
  void Cut(uint64_t size) { bytes_.resize(size); }

  absl::StatusOr<uint64_t> Size() const override { return bytes_.size(); }
  absl::StatusOr<size_t> Read(uint64_t offset,
                              absl::Span<char> to) const override {
    if (offset >= bytes_.size()) return 0;
    const size_t size = std::min<uint64_t>(to.size(), bytes_.size() - offset);
    const auto bad = bad_pages_.lower_bound(offset / kPage);
    if (bad != bad_pages_.end() && *bad * kPage < offset + size) {
      return absl::InternalError("Input/output error");
    }
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), size,
                to.begin());
    return size;
  }
  absl::Status Write(uint64_t, absl::Span<const std::string_view>) override {
    return absl::UnimplementedError("");
  }
  absl::Status Allocate(uint64_t, uint64_t) override {
    return absl::UnimplementedError("");
  }
  absl::Status Truncate(uint64_t) override {
    return absl::UnimplementedError("");
  }
  absl::Status SyncData() override { return absl::UnimplementedError(""); }
  absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t, bool) override {
    return absl::UnimplementedError("");
  }

 private:
  std::string bytes_;
  std::set<uint64_t> bad_pages_;
};

std::string SomeBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 % 251);
  return bytes;
}

TEST(FileWindowTest, GivesTheFilesBytesWherever) {
  const std::string bytes = SomeBytes(3 * FileWindow::kBytes + 1234);
  const BadSectorFile file(bytes);
  FileWindow window(&file, bytes.size());
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{100}, uint64_t{FileWindow::kBytes - 7},
        uint64_t{5}, bytes.size() - 50, bytes.size()}) {
    EXPECT_EQ(window.At(offset, 100),
              std::string_view(bytes).substr(offset, 100));
  }
  EXPECT_EQ(window.At(bytes.size() + 1, 1), "");
}

TEST(FileWindowTest, WhatCannotBeReadIsZerosAndListed) {
  std::string bytes = SomeBytes(20 * kPage);
  BadSectorFile file(bytes);
  for (const uint64_t page : {3, 4, 9}) file.Spoil(page);
  FileWindow window(&file, bytes.size());
  for (const ByteRange bad :
       {ByteRange{3 * kPage, 5 * kPage}, ByteRange{9 * kPage, 10 * kPage}}) {
    bytes.replace(bad.begin, bad.size(), bad.size(), '\0');
  }
  EXPECT_EQ(window.At(0, bytes.size()), bytes);
  const std::vector<ByteRange> expected = {{3 * kPage, 5 * kPage},
                                           {9 * kPage, 10 * kPage}};
  EXPECT_EQ(window.unreadable(), expected);
  EXPECT_EQ(window.read_error(), "Input/output error");
}

TEST(FileWindowTest, AFileMayBecomeShorter) {
  const std::string bytes = SomeBytes(10'000);
  BadSectorFile file(bytes);
  FileWindow window(&file, bytes.size());
  file.Cut(5'000);
  EXPECT_EQ(window.At(4'990, 100), std::string_view(bytes).substr(4'990, 10));
  EXPECT_EQ(window.size(), 5'000u);
}

TEST(FileWindowTest, TellsOnceOfEachByteThatItReads) {
  const std::string bytes = SomeBytes(2 * FileWindow::kBytes + 99);
  const BadSectorFile file(bytes);
  uint64_t read = 0;
  FileWindow window(&file, bytes.size(), [&read](uint64_t n) { read += n; });
  for (uint64_t at = 0; at < bytes.size(); at += 1'000) window.At(at, 1'000);
  for (uint64_t at = 0; at < bytes.size(); at += 1'000) window.At(at, 1'000);
  EXPECT_EQ(read, bytes.size());
}

}  // namespace
}  // namespace stave
