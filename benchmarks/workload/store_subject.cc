#include "benchmarks/workload/store_subject.h"

#include <utility>

#include "stave/store.h"

namespace stave::bench {
namespace {

class StoreSubject : public Subject {
 public:
  explicit StoreSubject(std::unique_ptr<Store> store)
      : store_(std::move(store)) {}

  absl::Status Put(std::string_view key, std::string_view value,
                   bool durable) override {
    return store_->Put(key, value, WriteOptions{.sync = durable});
  }

  absl::Status Get(std::string_view key, std::string* value) override {
    return store_->Get(key, value);
  }

  absl::Status Delete(std::string_view key) override {
    return store_->Delete(key).status();
  }

  absl::Status MultiGet(absl::Span<const std::string_view> keys,
                        VisitValue visit) override {
    absl::Status status;
    store_->MultiGet(keys,
                     [&](size_t i, absl::StatusOr<std::string_view> value) {
                       if (value.ok()) {
                         visit(i, *value);
                       } else {
                         status.Update(value.status());
                       }
                     });
    return status;
  }

  absl::Status Scan(VisitRecord visit) override {
    absl::StatusOr<std::unique_ptr<Iterator>> iterator = store_->NewIterator();
    if (!iterator.ok()) return iterator.status();
    (*iterator)->SeekToFirst();
    return Visit(**iterator, visit);
  }

  absl::Status ScanFrom(std::string_view from, VisitRecord visit) override {
    absl::StatusOr<std::unique_ptr<Iterator>> iterator = store_->NewIterator();
    if (!iterator.ok()) return iterator.status();
    (*iterator)->Seek(from);
    return Visit(**iterator, visit);
  }

  absl::Status Close() override { return store_->Close(); }

 private:
  static absl::Status Visit(Iterator& iterator, VisitRecord visit) {
    while (iterator.Valid() && visit(iterator.key(), iterator.value())) {
      iterator.Next();
    }
    return iterator.status();
  }

  const std::unique_ptr<Store> store_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Subject>> OpenStoreSubject(
    const std::string& directory, const Options& options) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open(directory, options);
  if (!store.ok()) return store.status();
  return std::make_unique<StoreSubject>(*std::move(store));
}

}  // namespace stave::bench
