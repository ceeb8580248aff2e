#include <lmdb.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "benchmarks/peers/engine.h"

namespace stave::bench {
namespace {

absl::Status StatusOf(int code) {
  if (code == MDB_SUCCESS) return absl::OkStatus();
  if (code == MDB_NOTFOUND) return absl::NotFoundError("");
  return absl::InternalError(absl::StrFormat("lmdb: %s", mdb_strerror(code)));
}

MDB_val ValOf(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view ViewOf(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

// A thread's read transaction, which is reset and renewed for each read, as
// LMDB's documentation has it, and given up when the thread ends.
struct ThreadsReader {
  ~ThreadsReader() {
    if (transaction != nullptr) mdb_txn_abort(transaction);
  }
  MDB_txn* transaction = nullptr;
};

class LmdbSubject : public Subject {
 public:
  ~LmdbSubject() override {
    if (environment_ != nullptr) mdb_env_close(environment_);
  }

  static absl::StatusOr<std::unique_ptr<Subject>> Open(const Job& job) {
    auto subject = std::make_unique<LmdbSubject>();
    if (const int code = subject->OpenEnvironment(job); code != MDB_SUCCESS) {
      return StatusOf(code);
    }
    return subject;
  }

  absl::Status Put(std::string_view key, std::string_view value,
                   bool /*durable*/) override {
    MDB_val key_val = ValOf(key);
    MDB_val value_val = ValOf(value);
    return Write([&](MDB_txn* transaction) {
      return mdb_put(transaction, database_, &key_val, &value_val, 0);
    });
  }

  absl::Status Get(std::string_view key, std::string* value) override {
    return Read([&](MDB_txn* transaction) {
      MDB_val key_val = ValOf(key);
      MDB_val found;
      const int code = mdb_get(transaction, database_, &key_val, &found);
      if (code == MDB_SUCCESS) value->assign(ViewOf(found));
      return code;
    });
  }

  absl::Status MultiGet(absl::Span<const std::string_view> keys,
                        VisitValue visit) override {
    return Read([&](MDB_txn* transaction) {
      for (size_t i = 0; i < keys.size(); ++i) {
        MDB_val key_val = ValOf(keys[i]);
        MDB_val found;
        const int code = mdb_get(transaction, database_, &key_val, &found);
        if (code != MDB_SUCCESS) return code;
        visit(i, ViewOf(found));
      }
      return MDB_SUCCESS;
    });
  }

  absl::Status Delete(std::string_view key) override {
    MDB_val key_val = ValOf(key);
    return Write([&](MDB_txn* transaction) {
      return mdb_del(transaction, database_, &key_val, nullptr);
    });
  }

  absl::Status Scan(VisitRecord visit) override {
    return Visit({}, MDB_FIRST, visit);
  }

  absl::Status ScanFrom(std::string_view from, VisitRecord visit) override {
    return Visit(from, MDB_SET_RANGE, visit);
  }

  absl::Status Close() override {
    mdb_env_close(environment_);
    environment_ = nullptr;
    return absl::OkStatus();
  }

 private:
  int OpenEnvironment(const Job& job) {
    int code = mdb_env_create(&environment_);
    if (code != MDB_SUCCESS) return code;
    // The file is sparse: this is address space, and no more.
    const size_t map_bytes = (size_t{4} << 30) + 8 * job.user_bytes();
    if ((code = mdb_env_set_mapsize(environment_, map_bytes)) != MDB_SUCCESS) {
      return code;
    }
    const unsigned flags =
        MDB_NOTLS | (job.durable ? 0 : MDB_NOSYNC | MDB_WRITEMAP);
    code = mdb_env_open(environment_, job.directory.c_str(), flags, 0600);
    if (code != MDB_SUCCESS) return code;
    MDB_txn* transaction = nullptr;
    code = mdb_txn_begin(environment_, nullptr, 0, &transaction);
    if (code != MDB_SUCCESS) return code;
    code = mdb_dbi_open(transaction, nullptr, 0, &database_);
    if (code == MDB_SUCCESS) return mdb_txn_commit(transaction);
    mdb_txn_abort(transaction);
    return code;
  }

  template <typename Call>
  absl::Status Write(Call call) {
    MDB_txn* transaction = nullptr;
    int code = mdb_txn_begin(environment_, nullptr, 0, &transaction);
    if (code != MDB_SUCCESS) return StatusOf(code);
    if ((code = call(transaction)) == MDB_SUCCESS) {
      return StatusOf(mdb_txn_commit(transaction));
    }
    mdb_txn_abort(transaction);
    return StatusOf(code);
  }

  template <typename Call>
  absl::Status Read(Call call) {
    thread_local ThreadsReader reader;
    const int code = reader.transaction == nullptr
                         ? mdb_txn_begin(environment_, nullptr, MDB_RDONLY,
                                         &reader.transaction)
                         : mdb_txn_renew(reader.transaction);
    if (code != MDB_SUCCESS) return StatusOf(code);
    const absl::Status status = StatusOf(call(reader.transaction));
    mdb_txn_reset(reader.transaction);
    return status;
  }

  absl::Status Visit(std::string_view from, MDB_cursor_op first,
                     VisitRecord visit) {
    return Read([&](MDB_txn* transaction) {
      MDB_cursor* cursor = nullptr;
      int code = mdb_cursor_open(transaction, database_, &cursor);
      if (code != MDB_SUCCESS) return code;
      MDB_val key = ValOf(from);
      MDB_val value;
      code = mdb_cursor_get(cursor, &key, &value, first);
      while (code == MDB_SUCCESS && visit(ViewOf(key), ViewOf(value))) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
      }
      mdb_cursor_close(cursor);
      return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
    });
  }

  MDB_env* environment_ = nullptr;
  MDB_dbi database_ = 0;
};

}  // namespace

Engine Lmdb() {
  return {.name = "lmdb",
          .has_order = true,
          .settings =
              "MDB_NOSYNC, MDB_WRITEMAP and MDB_NOTLS, a transaction a "
              "write, a renewed read transaction a thread; where "
              "durable MDB_NOTLS alone",
          .open = LmdbSubject::Open};
}

}  // namespace stave::bench
