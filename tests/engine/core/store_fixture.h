#ifndef STAVE_TESTS_ENGINE_CORE_STORE_FIXTURE_H_
#define STAVE_TESTS_ENGINE_CORE_STORE_FIXTURE_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {

// A store in a directory of its own, and a small language to test it in. It
// has no threads and a clock that stands, so that every run is the same.
class StoreFixture : public testing::Test {
 protected:
  using Contents = std::map<std::string, std::string>;

  explicit StoreFixture(const std::string& place = PlaceInMemory());
  // What a fixture made of this one has lent to the store is still there.
  void TearDown() override { store_ = nullptr; }

  // Opens the store by `options`, which must work.
  void Open();
  // What Open returns, when the store is closed; one that opens stays open.
  absl::Status TryOpen();
  void Close();
  void Reopen();
  // Goes on where a process that is killed right now would leave the store;
  // it is not open then. Not for stores with threads.
  void Kill();

  // Which must work:
  void Put(std::string_view key, std::string_view value,
           const WriteOptions& write = {});
  bool Delete(std::string_view key, const WriteOptions& write = {});
  void Write(const WriteBatch& batch, const WriteOptions& write = {});
  void Sync();

  // The value, or what else came of it, such as "NOT_FOUND". Asks in all ways
  // there are, which must agree.
  std::string Get(std::string_view key);
  // What an iterator visits.
  Contents All();
  static Contents Visit(Iterator* iterator);
  std::unique_ptr<Iterator> NewIterator(const ReadOptions& read = {});

  Store& store() { return *store_; }
  bool is_open() const { return store_ != nullptr; }
  const std::string& path() const { return path_; }
  std::string PathOf(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  DirectoryImage Image() const { return ReadDirectory(path_); }

  Options options;
  ManualClock clock;

 private:
  const std::string place_;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::string path_;
  std::unique_ptr<Store> store_;
};

// A value that differs from those of other numbers, of `size` bytes.
std::string ValueOf(int number, size_t size);

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_STORE_FIXTURE_H_
