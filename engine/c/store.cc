#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/c/handles.h"

using stave::c::Answer;
using stave::c::Borrow;
using stave::c::Copy;
using stave::c::DurationOf;
using stave::c::OptionsOf;
using stave::c::TimeOf;
using stave::c::View;

namespace {

stave_code Give(const absl::StatusOr<bool>& answer, int* to) {
  if (!answer.ok()) return Answer(answer.status());
  if (to != nullptr) *to = *answer ? 1 : 0;
  return STAVE_OK;
}

}  // namespace

stave_code stave_open(const char* directory, const stave_options* options,
                      stave_store** store) {
  absl::StatusOr<std::unique_ptr<stave::Store>> opened = stave::Store::Open(
      directory, options == nullptr ? stave::Options() : options->options);
  if (!opened.ok()) return Answer(opened.status());
  *store = new stave_store{*std::move(opened)};
  return STAVE_OK;
}

stave_code stave_close(stave_store* store) {
  if (store == nullptr) return STAVE_OK;
  const stave_code code = Answer(store->store->Close());
  delete store;
  return code;
}

stave_code stave_put(stave_store* store, const void* key, size_t key_size,
                     const void* value, size_t value_size,
                     const stave_write_options* options) {
  return Answer(store->store->Put(View(key, key_size), View(value, value_size),
                                  OptionsOf(options)));
}

stave_code stave_delete(stave_store* store, const void* key, size_t key_size,
                        const stave_write_options* options, int* existed) {
  return Give(store->store->Delete(View(key, key_size), OptionsOf(options)),
              existed);
}

stave_code stave_write(stave_store* store, const stave_batch* batch,
                       const stave_write_options* options) {
  return Answer(store->store->Write(batch->batch, OptionsOf(options)));
}

stave_code stave_sync(stave_store* store) {
  return Answer(store->store->Sync());
}

stave_code stave_get(stave_store* store, const void* key, size_t key_size,
                     const stave_read_options* options, char** value,
                     size_t* value_size) {
  const absl::StatusOr<stave::PinnedValue> pinned =
      store->store->GetPinned(View(key, key_size), OptionsOf(options));
  if (!pinned.ok()) return Answer(pinned.status());
  return Copy(pinned->view(), value, value_size);
}

stave_code stave_get_pinned(stave_store* store, const void* key,
                            size_t key_size, const stave_read_options* options,
                            stave_pinned_value** value) {
  absl::StatusOr<stave::PinnedValue> pinned =
      store->store->GetPinned(View(key, key_size), OptionsOf(options));
  if (!pinned.ok()) return Answer(pinned.status());
  *value = new stave_pinned_value{*std::move(pinned)};
  return STAVE_OK;
}

const char* stave_pinned_value_bytes(const stave_pinned_value* value,
                                     size_t* size) {
  return Borrow(value->value.view(), size);
}

void stave_pinned_value_free(stave_pinned_value* value) { delete value; }

stave_code stave_exists(stave_store* store, const void* key, size_t key_size,
                        const stave_read_options* options, int* exists) {
  return Give(store->store->Exists(View(key, key_size), OptionsOf(options)),
              exists);
}

void stave_multi_get(stave_store* store, size_t count, const void* const* keys,
                     const size_t* key_sizes, const stave_read_options* options,
                     stave_visitor visit, void* context) {
  std::vector<std::string_view> views(count);
  for (size_t i = 0; i < count; ++i) views[i] = View(keys[i], key_sizes[i]);
  store->store->MultiGet(
      views,
      [&](size_t index, absl::StatusOr<std::string_view> value) {
        if (value.ok()) {
          visit(context, index, STAVE_OK, value->data(), value->size());
        } else {
          visit(context, index, Answer(value.status()), nullptr, 0);
        }
      },
      OptionsOf(options));
}

stave_code stave_compare_and_set(stave_store* store, const void* key,
                                 size_t key_size, const void* expected,
                                 size_t expected_size, const void* desired,
                                 size_t desired_size,
                                 const stave_write_options* options) {
  std::optional<std::string_view> before;
  if (expected != nullptr) before = View(expected, expected_size);
  return Answer(store->store->CompareAndSet(View(key, key_size), before,
                                            View(desired, desired_size),
                                            OptionsOf(options)));
}

stave_code stave_increment(stave_store* store, const void* key, size_t key_size,
                           int64_t delta, const stave_write_options* options,
                           int64_t* sum) {
  const absl::StatusOr<int64_t> result =
      store->store->Increment(View(key, key_size), delta, OptionsOf(options));
  if (!result.ok()) return Answer(result.status());
  if (sum != nullptr) *sum = *result;
  return STAVE_OK;
}

stave_code stave_expire_at(stave_store* store, const void* key, size_t key_size,
                           int64_t when_ms,
                           const stave_write_options* options) {
  return Answer(store->store->ExpireAt(View(key, key_size), TimeOf(when_ms),
                                       OptionsOf(options)));
}

stave_code stave_expire(stave_store* store, const void* key, size_t key_size,
                        int64_t ttl_ms, const stave_write_options* options) {
  return Answer(store->store->Expire(View(key, key_size), DurationOf(ttl_ms),
                                     OptionsOf(options)));
}

stave_code stave_ttl(stave_store* store, const void* key, size_t key_size,
                     int64_t* ttl_ms) {
  const absl::StatusOr<absl::Duration> left =
      store->store->Ttl(View(key, key_size));
  if (!left.ok()) return Answer(left.status());
  *ttl_ms = *left == absl::InfiniteDuration()
                ? STAVE_NEVER
                : absl::ToInt64Milliseconds(*left);
  return STAVE_OK;
}

stave_code stave_merge(stave_store* store, int all) {
  return Answer(store->store->Merge({.all = all != 0}));
}

void stave_pause_merge(stave_store* store) { store->store->PauseMerge(); }

void stave_resume_merge(stave_store* store) { store->store->ResumeMerge(); }

stave_code stave_backup(stave_store* store, const char* directory) {
  return Answer(store->store->Backup(directory));
}

stave_code stave_save_snapshot(stave_store* store, const char* file,
                               stave_snapshot_format format) {
  return Answer(store->store->SaveSnapshot(
      file, static_cast<stave::SnapshotFormat>(format)));
}

stave_code stave_statistics(stave_store* store, char** text) {
  return Copy(store->store->GetStatistics().PrometheusText(), text,
              /*size=*/nullptr);
}

stave_snapshot* stave_snapshot_new(stave_store* store) {
  return new stave_snapshot{store->store->GetSnapshot()};
}

void stave_snapshot_free(stave_snapshot* snapshot) { delete snapshot; }

stave_code stave_iterator_new(stave_store* store,
                              const stave_read_options* options,
                              stave_iterator** iterator) {
  absl::StatusOr<std::unique_ptr<stave::Iterator>> made =
      store->store->NewIterator(OptionsOf(options));
  if (!made.ok()) return Answer(made.status());
  *iterator = new stave_iterator{*std::move(made)};
  return STAVE_OK;
}

stave_transaction* stave_begin(stave_store* store) {
  return new stave_transaction{store->store->Begin()};
}
