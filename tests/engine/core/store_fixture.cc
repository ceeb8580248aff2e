#include "tests/engine/core/store_fixture.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <utility>

#include "absl/status/statusor.h"

namespace stave {
namespace {

std::string NameOf(const absl::Status& status) {
  return absl::StatusCodeToString(status.code());
}

}  // namespace

StoreFixture::StoreFixture(const std::string& place)
    : place_(place),
      directory_(std::make_unique<TemporaryDirectory>(place)),
      path_(directory_->path() + "/store") {
  options.background_threads = false;
  options.clock = &clock;
  options.recovery_threads = 1;
  options.reserve_bytes = 4096;
}

void StoreFixture::Open() {
  const absl::Status status = TryOpen();
  ASSERT_TRUE(status.ok()) << status;
}

absl::Status StoreFixture::TryOpen() {
  store_ = nullptr;
  absl::StatusOr<std::unique_ptr<Store>> opened = Store::Open(path_, options);
  if (opened.ok()) store_ = *std::move(opened);
  return opened.status();
}

void StoreFixture::Close() {
  const absl::Status status = store_->Close();
  EXPECT_TRUE(status.ok()) << status;
  store_ = nullptr;
}

void StoreFixture::Reopen() {
  Close();
  Open();
}

void StoreFixture::Kill() {
  ASSERT_FALSE(options.background_threads);
  auto copy = std::make_unique<TemporaryDirectory>(place_);
  const std::string copied = copy->path() + "/store";
  std::filesystem::copy(path_, copied);
  store_ = nullptr;
  directory_ = std::move(copy);
  path_ = copied;
}

void StoreFixture::Put(std::string_view key, std::string_view value,
                       const WriteOptions& write) {
  const absl::Status status = store_->Put(key, value, write);
  EXPECT_TRUE(status.ok()) << status;
}

bool StoreFixture::Delete(std::string_view key, const WriteOptions& write) {
  const absl::StatusOr<bool> existed = store_->Delete(key, write);
  EXPECT_TRUE(existed.ok()) << existed.status();
  return existed.ok() && *existed;
}

void StoreFixture::Write(const WriteBatch& batch, const WriteOptions& write) {
  const absl::Status status = store_->Write(batch, write);
  EXPECT_TRUE(status.ok()) << status;
}

void StoreFixture::Sync() {
  const absl::Status status = store_->Sync();
  EXPECT_TRUE(status.ok()) << status;
}

std::string StoreFixture::Get(std::string_view key) {
  const absl::StatusOr<std::string> value = store_->Get(key);
  const std::string answer = value.ok() ? *value : NameOf(value.status());
  std::string reused = "what was there before";
  const absl::Status status = store_->Get(key, &reused);
  EXPECT_EQ(status.ok() ? reused : NameOf(status), answer);
  const absl::StatusOr<PinnedValue> pinned = store_->GetPinned(key);
  EXPECT_EQ(pinned.ok() ? pinned->view() : NameOf(pinned.status()), answer);
  size_t visits = 0;
  const std::string_view twice[] = {key, key};
  store_->MultiGet(twice, [&](size_t, absl::StatusOr<std::string_view> each) {
    EXPECT_EQ(each.ok() ? *each : NameOf(each.status()), answer);
    ++visits;
  });
  EXPECT_EQ(visits, 2u);
  const absl::StatusOr<bool> exists = store_->Exists(key);
  if (value.ok() || absl::IsNotFound(value.status())) {
    EXPECT_TRUE(exists.ok()) << exists.status();
    EXPECT_EQ(exists.ok() && *exists, value.ok());
  }
  return answer;
}

std::unique_ptr<Iterator> StoreFixture::NewIterator(const ReadOptions& read) {
  absl::StatusOr<std::unique_ptr<Iterator>> iterator =
      store_->NewIterator(read);
  EXPECT_TRUE(iterator.ok()) << iterator.status();
  return *std::move(iterator);
}

StoreFixture::Contents StoreFixture::Visit(Iterator* iterator) {
  Contents contents;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    const bool is_new = contents
                            .emplace(std::string(iterator->key()),
                                     std::string(iterator->value()))
                            .second;
    EXPECT_TRUE(is_new) << "visited twice: " << iterator->key();
  }
  EXPECT_TRUE(iterator->status().ok()) << iterator->status();
  return contents;
}

StoreFixture::Contents StoreFixture::All() {
  return Visit(NewIterator().get());
}

std::string ValueOf(int number, size_t size) {
  std::string value = std::to_string(number) + ":";
  const size_t begin = value.size();
  constexpr size_t kPeriod = 256;
  while (value.size() < std::min(size, begin + kPeriod)) {
    value += static_cast<char>(value.size() * 31 + static_cast<size_t>(number));
  }
  while (value.size() < size) {
    value.append(value, value.size() - kPeriod,
                 std::min(kPeriod, size - value.size()));
  }
  value.resize(size);
  return value;
}

}  // namespace stave
