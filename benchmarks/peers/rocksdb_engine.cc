#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/peers/engine.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"

namespace stave::bench {
namespace {

absl::Status StatusOf(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError("");
  return absl::InternalError(status.ToString());
}

rocksdb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view ViewOf(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

rocksdb::Options OptionsFor(const Job& job) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(CacheBytes(job));
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.level_compaction_dynamic_level_bytes = true;
  options.bytes_per_sync = 1 << 20;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

class RocksDbSubject : public Subject {
 public:
  static absl::StatusOr<std::unique_ptr<Subject>> Open(
      const Job& job, const rocksdb::Options& options) {
    auto subject = std::make_unique<RocksDbSubject>();
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened =
        rocksdb::DB::Open(options, job.directory, &db);
    if (!opened.ok()) return StatusOf(opened);
    subject->db_.reset(db);
    return subject;
  }

  absl::Status Put(std::string_view key, std::string_view value,
                   bool durable) override {
    rocksdb::WriteOptions options;
    options.sync = durable;
    return StatusOf(db_->Put(options, SliceOf(key), SliceOf(value)));
  }

  absl::Status Get(std::string_view key, std::string* value) override {
    return StatusOf(db_->Get({}, SliceOf(key), value));
  }

  absl::Status Delete(std::string_view key) override {
    return StatusOf(db_->Delete({}, SliceOf(key)));
  }

  absl::Status MultiGet(absl::Span<const std::string_view> keys,
                        VisitValue visit) override {
    std::vector<rocksdb::Slice> slices;
    slices.reserve(keys.size());
    for (const std::string_view key : keys) slices.push_back(SliceOf(key));
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet({}, db_->DefaultColumnFamily(), slices.size(), slices.data(),
                  values.data(), statuses.data());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!statuses[i].ok()) return StatusOf(statuses[i]);
      visit(i, ViewOf(values[i]));
    }
    return absl::OkStatus();
  }

  absl::Status Scan(VisitRecord visit) override {
    const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator({}));
    iterator->SeekToFirst();
    return Visit(iterator.get(), visit);
  }

  absl::Status ScanFrom(std::string_view from, VisitRecord visit) override {
    const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator({}));
    iterator->Seek(SliceOf(from));
    return Visit(iterator.get(), visit);
  }

  absl::Status Close() override { return StatusOf(db_->Close()); }

 private:
  static absl::Status Visit(rocksdb::Iterator* iterator, VisitRecord visit) {
    while (iterator->Valid() &&
           visit(ViewOf(iterator->key()), ViewOf(iterator->value()))) {
      iterator->Next();
    }
    return StatusOf(iterator->status());
  }

  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

Engine RocksDb() {
  return {.name = "rocksdb",
          .has_order = true,
          .settings =
              "block_cache of 1.5 times the data, bloom filter of 10 "
              "bits, no compression, "
              "level_compaction_dynamic_level_bytes, bytes_per_sync "
              "1 MiB; WAL on, sync only where durable",
          .open = [](const Job& job) {
            return RocksDbSubject::Open(job, OptionsFor(job));
          }};
}

Engine RocksDbWithBlobs() {
  return {.name = "rocksdb-blobs",
          .has_order = true,
          .settings =
              "as rocksdb, with enable_blob_files and "
              "enable_blob_garbage_collection",
          .open = [](const Job& job) {
            rocksdb::Options options = OptionsFor(job);
            options.enable_blob_files = true;
            options.enable_blob_garbage_collection = true;
            return RocksDbSubject::Open(job, options);
          }};
}

}  // namespace stave::bench
