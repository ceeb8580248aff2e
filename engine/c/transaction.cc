#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/c/handles.h"

using stave::c::Answer;
using stave::c::Copy;
using stave::c::DurationOf;
using stave::c::OptionsOf;
using stave::c::TimeOf;
using stave::c::View;

void stave_transaction_free(stave_transaction* transaction) {
  delete transaction;
}

stave_code stave_transaction_get(const stave_transaction* transaction,
                                 const void* key, size_t key_size, char** value,
                                 size_t* value_size) {
  const absl::StatusOr<std::string> read =
      transaction->transaction->Get(View(key, key_size));
  if (!read.ok()) return Answer(read.status());
  return Copy(*read, value, value_size);
}

stave_code stave_transaction_exists(const stave_transaction* transaction,
                                    const void* key, size_t key_size,
                                    int* exists) {
  const absl::StatusOr<bool> is_there =
      transaction->transaction->Exists(View(key, key_size));
  if (!is_there.ok()) return Answer(is_there.status());
  *exists = *is_there ? 1 : 0;
  return STAVE_OK;
}

stave_code stave_transaction_put(stave_transaction* transaction,
                                 const void* key, size_t key_size,
                                 const void* value, size_t value_size,
                                 int64_t ttl_ms) {
  return Answer(transaction->transaction->Put(
      View(key, key_size), View(value, value_size), DurationOf(ttl_ms)));
}

stave_code stave_transaction_put_until(stave_transaction* transaction,
                                       const void* key, size_t key_size,
                                       const void* value, size_t value_size,
                                       int64_t expire_at_ms) {
  return Answer(transaction->transaction->PutUntil(
      View(key, key_size), View(value, value_size), TimeOf(expire_at_ms)));
}

stave_code stave_transaction_delete(stave_transaction* transaction,
                                    const void* key, size_t key_size) {
  return Answer(transaction->transaction->Delete(View(key, key_size)));
}

stave_code stave_transaction_iterator_new(const stave_transaction* transaction,
                                          const stave_read_options* options,
                                          stave_iterator** iterator) {
  absl::StatusOr<std::unique_ptr<stave::Iterator>> made =
      transaction->transaction->NewIterator(OptionsOf(options));
  if (!made.ok()) return Answer(made.status());
  *iterator = new stave_iterator{*std::move(made)};
  return STAVE_OK;
}

stave_code stave_transaction_commit(stave_transaction* transaction,
                                    const stave_write_options* options) {
  return Answer(transaction->transaction->Commit(OptionsOf(options)));
}

stave_code stave_transaction_rollback(stave_transaction* transaction) {
  return Answer(transaction->transaction->Rollback());
}
