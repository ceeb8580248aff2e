#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "benchmarks/peers/engine.h"
#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/filter_policy.h"

namespace stave::bench {
namespace {

absl::Status StatusOf(const leveldb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError("");
  return absl::InternalError(status.ToString());
}

leveldb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view ViewOf(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

class LevelDbSubject : public Subject {
 public:
  static absl::StatusOr<std::unique_ptr<Subject>> Open(const Job& job) {
    auto subject = std::make_unique<LevelDbSubject>();
    subject->cache_.reset(leveldb::NewLRUCache(CacheBytes(job)));
    subject->filter_.reset(leveldb::NewBloomFilterPolicy(10));
    leveldb::Options options;
    options.create_if_missing = true;
    options.block_cache = subject->cache_.get();
    options.filter_policy = subject->filter_.get();
    options.compression = leveldb::kNoCompression;
    options.write_buffer_size = size_t{64} << 20;
    options.max_open_files = 10'000;
    leveldb::DB* db = nullptr;
    const leveldb::Status opened =
        leveldb::DB::Open(options, job.directory, &db);
    if (!opened.ok()) return StatusOf(opened);
    subject->db_.reset(db);
    return subject;
  }

  absl::Status Put(std::string_view key, std::string_view value,
                   bool durable) override {
    leveldb::WriteOptions options;
    options.sync = durable;
    return StatusOf(db_->Put(options, SliceOf(key), SliceOf(value)));
  }

  absl::Status Get(std::string_view key, std::string* value) override {
    return StatusOf(db_->Get({}, SliceOf(key), value));
  }

  absl::Status Delete(std::string_view key) override {
    return StatusOf(db_->Delete({}, SliceOf(key)));
  }

  absl::Status Scan(VisitRecord visit) override {
    const std::unique_ptr<leveldb::Iterator> iterator(db_->NewIterator({}));
    iterator->SeekToFirst();
    return Visit(iterator.get(), visit);
  }

  absl::Status ScanFrom(std::string_view from, VisitRecord visit) override {
    const std::unique_ptr<leveldb::Iterator> iterator(db_->NewIterator({}));
    iterator->Seek(SliceOf(from));
    return Visit(iterator.get(), visit);
  }

  absl::Status Close() override {
    db_ = nullptr;
    return absl::OkStatus();
  }

 private:
  static absl::Status Visit(leveldb::Iterator* iterator, VisitRecord visit) {
    while (iterator->Valid() &&
           visit(ViewOf(iterator->key()), ViewOf(iterator->value()))) {
      iterator->Next();
    }
    return StatusOf(iterator->status());
  }

  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

}  // namespace

Engine LevelDb() {
  return {.name = "leveldb",
          .has_order = true,
          .settings =
              "block_cache of 1.5 times the data, bloom filter of 10 "
              "bits, no compression, write_buffer_size 64 MiB, "
              "max_open_files 10,000; checksums on reads as by default "
              "not verified; sync only where durable",
          .open = LevelDbSubject::Open};
}

}  // namespace stave::bench
