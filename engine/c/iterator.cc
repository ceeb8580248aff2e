#include "engine/c/handles.h"

using stave::c::Answer;
using stave::c::Borrow;
using stave::c::View;

void stave_iterator_free(stave_iterator* iterator) { delete iterator; }

void stave_iterator_seek_to_first(stave_iterator* iterator) {
  iterator->iterator->SeekToFirst();
}

void stave_iterator_seek_to_last(stave_iterator* iterator) {
  iterator->iterator->SeekToLast();
}

void stave_iterator_seek(stave_iterator* iterator, const void* key,
                         size_t key_size) {
  iterator->iterator->Seek(View(key, key_size));
}

void stave_iterator_next(stave_iterator* iterator) {
  if (iterator->iterator->Valid()) iterator->iterator->Next();
}

void stave_iterator_prev(stave_iterator* iterator) {
  if (iterator->iterator->Valid()) iterator->iterator->Prev();
}

int stave_iterator_valid(const stave_iterator* iterator) {
  return iterator->iterator->Valid() ? 1 : 0;
}

const char* stave_iterator_key(const stave_iterator* iterator, size_t* size) {
  if (!iterator->iterator->Valid()) return Borrow({}, size);
  return Borrow(iterator->iterator->key(), size);
}

const char* stave_iterator_value(const stave_iterator* iterator, size_t* size) {
  if (!iterator->iterator->Valid()) return Borrow({}, size);
  return Borrow(iterator->iterator->value(), size);
}

int64_t stave_iterator_expire_at_ms(const stave_iterator* iterator) {
  if (!iterator->iterator->Valid()) return STAVE_NEVER;
  const absl::Time expiry = iterator->iterator->expiry();
  return expiry == absl::InfiniteFuture() ? STAVE_NEVER
                                          : absl::ToUnixMillis(expiry);
}

stave_code stave_iterator_status(const stave_iterator* iterator) {
  return Answer(iterator->iterator->status());
}
