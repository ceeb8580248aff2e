#include "engine/c/handles.h"

using stave::c::DurationOf;
using stave::c::TimeOf;
using stave::c::View;

stave_batch* stave_batch_new(void) { return new stave_batch(); }

void stave_batch_free(stave_batch* batch) { delete batch; }

void stave_batch_put(stave_batch* batch, const void* key, size_t key_size,
                     const void* value, size_t value_size, int64_t ttl_ms) {
  batch->batch.Put(View(key, key_size), View(value, value_size),
                   DurationOf(ttl_ms));
}

void stave_batch_put_until(stave_batch* batch, const void* key, size_t key_size,
                           const void* value, size_t value_size,
                           int64_t expire_at_ms) {
  batch->batch.PutUntil(View(key, key_size), View(value, value_size),
                        TimeOf(expire_at_ms));
}

void stave_batch_delete(stave_batch* batch, const void* key, size_t key_size) {
  batch->batch.Delete(View(key, key_size));
}

void stave_batch_clear(stave_batch* batch) { batch->batch.Clear(); }

size_t stave_batch_size(const stave_batch* batch) {
  return batch->batch.size();
}
