#include "stave/c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A program in C that calls everything. Ends at the first thing that is not as
   it should be. */

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (condition) break;                                                  \
    fprintf(stderr, "%s:%d: does not hold: %s (%s)\n", __FILE__, __LINE__, \
            #condition, stave_last_error());                               \
    exit(1);                                                               \
  } while (0)

#define CHECK_OK(call) CHECK((call) == STAVE_OK)

static char directory[1024];
static char backup[1100];
static char snapshot_file[1100];

static stave_store* Open(void) {
  stave_store* store = NULL;
  CHECK_OK(stave_open(directory, NULL, &store));
  return store;
}

static void Put(stave_store* store, const char* key, const char* value) {
  CHECK_OK(stave_put(store, key, strlen(key), value, strlen(value), NULL));
}

static int Is(const char* bytes, size_t size, const char* expected) {
  return size == strlen(expected) && memcmp(bytes, expected, size) == 0;
}

static int Has(stave_store* store, const stave_read_options* options,
               const char* key, const char* expected) {
  char* value = NULL;
  size_t size = 0;
  CHECK_OK(stave_get(store, key, strlen(key), options, &value, &size));
  const int is = Is(value, size, expected) && value[size] == '\0';
  stave_free(value);
  return is;
}

/* Its beginning, which ends with a zero byte. */
static void ReadFile(const char* file, char* text, size_t size) {
  FILE* const stream = fopen(file, "rb");
  CHECK(stream != NULL);
  text[fread(text, 1, size - 1, stream)] = '\0';
  fclose(stream);
}

static void PairsComeAndGo(void) {
  stave_store* store = Open();
  char* value = NULL;
  size_t size = 7;
  int there = 0;
  Put(store, "user:1", "Alice");
  CHECK(Has(store, NULL, "user:1", "Alice"));
  /* Zero bytes are bytes, and NULL is no bytes. */
  CHECK_OK(stave_put(store, "\0\xff", 2, NULL, 0, NULL));
  CHECK_OK(stave_put(store, "\0", 1, "a\0b", 3, NULL));
  CHECK_OK(stave_get(store, "\0", 1, NULL, &value, &size));
  CHECK(size == 3 && memcmp(value, "a\0b", 4) == 0);
  stave_free(value);
  CHECK_OK(stave_get(store, "\0\xff", 2, NULL, &value, &size));
  CHECK(size == 0 && value[0] == '\0');
  stave_free(value);
  CHECK_OK(stave_exists(store, "\0\xff", 2, NULL, &there));
  CHECK(there == 1);
  CHECK_OK(stave_delete(store, "\0\xff", 2, NULL, &there));
  CHECK(there == 1);
  CHECK_OK(stave_delete(store, "\0\xff", 2, NULL, NULL));
  CHECK_OK(stave_delete(store, "\0", 1, NULL, NULL));
  value = NULL;
  size = 7;
  CHECK(stave_get(store, "\0\xff", 2, NULL, &value, &size) == STAVE_NOT_FOUND);
  CHECK(value == NULL && size == 7);
  CHECK_OK(stave_exists(store, "\0\xff", 2, NULL, &there));
  CHECK(there == 0);
  CHECK_OK(stave_sync(store));
  CHECK_OK(stave_close(store));
  CHECK_OK(stave_close(NULL));
}

static void PinnedValuesStay(void) {
  stave_store* store = Open();
  stave_pinned_value* pinned = NULL;
  size_t size = 0;
  CHECK(stave_get_pinned(store, "x", 1, NULL, &pinned) == STAVE_NOT_FOUND);
  CHECK(pinned == NULL);
  CHECK_OK(stave_get_pinned(store, "user:1", 6, NULL, &pinned));
  Put(store, "user:1", "Alicia");
  CHECK_OK(stave_close(store));
  const char* bytes = stave_pinned_value_bytes(pinned, &size);
  CHECK(Is(bytes, size, "Alice"));
  stave_pinned_value_free(pinned);
  stave_pinned_value_free(NULL);
}

static void BatchesAreWritten(void) {
  stave_store* store = Open();
  stave_batch* batch = stave_batch_new();
  stave_write_options* options = stave_write_options_new();
  stave_batch_put(batch, "a", 1, "1", 1, STAVE_NEVER);
  stave_batch_clear(batch);
  stave_batch_put(batch, "b", 1, "2", 1, STAVE_NEVER);
  stave_batch_put(batch, "c", 1, "3", 1, 60000);
  stave_batch_put_until(batch, "d", 1, "4", 1, 1);
  stave_batch_delete(batch, "user:1", 6);
  CHECK(stave_batch_size(batch) == 4);
  stave_write_options_set_sync(options, 1);
  CHECK_OK(stave_write(store, batch, options));
  CHECK(Has(store, NULL, "b", "2"));
  stave_batch_put(batch, "", 0, "", 0, STAVE_NEVER);
  CHECK(stave_write(store, batch, NULL) == STAVE_INVALID_ARGUMENT);
  stave_write_options_free(options);
  stave_batch_free(batch);
  CHECK_OK(stave_close(store));
}

static void UpkeepIsDone(void) {
  stave_store* store = Open();
  char* text = NULL;
  stave_pause_merge(store);
  stave_resume_merge(store);
  CHECK_OK(stave_merge(store, 1));
  CHECK_OK(stave_backup(store, backup));
  CHECK_OK(stave_statistics(store, &text));
  CHECK(strstr(text, "\nstave_keys 2\n") != NULL);
  stave_free(text);
  CHECK_OK(stave_close(store));
}

static void SnapshotFilesAreSaved(void) {
  stave_store* store = Open();
  char text[1000] = "";
  CHECK(stave_save_snapshot(store, directory, STAVE_SNAPSHOT_JSON) ==
        STAVE_INVALID_ARGUMENT);
  CHECK(strstr(stave_last_error(), directory) != NULL);
  CHECK(stave_save_snapshot(store, snapshot_file, (stave_snapshot_format)3) ==
        STAVE_INVALID_ARGUMENT);
  CHECK_OK(stave_save_snapshot(store, snapshot_file, STAVE_SNAPSHOT_BINARY));
  ReadFile(snapshot_file, text, sizeof(text));
  CHECK(memcmp(text, "\xdb\x56\x4b\0\2", 5) == 0);
  CHECK_OK(stave_save_snapshot(store, snapshot_file, STAVE_SNAPSHOT_JSON));
  ReadFile(snapshot_file, text, sizeof(text));
  CHECK(strstr(text, "\"b\":\"2\"") != NULL);
  CHECK_OK(stave_close(store));
}

static void WritesDependOnWhatIsThere(void) {
  stave_store* store = Open();
  int64_t sum = 0;
  CHECK_OK(stave_compare_and_set(store, "n", 1, NULL, 0, "", 0, NULL));
  CHECK(stave_compare_and_set(store, "n", 1, NULL, 0, "5", 1, NULL) ==
        STAVE_ABORTED);
  CHECK_OK(stave_compare_and_set(store, "n", 1, "", 0, "5", 1, NULL));
  CHECK(stave_compare_and_set(store, "n", 1, "4", 1, "6", 1, NULL) ==
        STAVE_ABORTED);
  CHECK_OK(stave_increment(store, "n", 1, -7, NULL, &sum));
  CHECK(sum == -2);
  CHECK_OK(stave_increment(store, "n", 1, INT64_MAX, NULL, NULL));
  CHECK(stave_increment(store, "n", 1, INT64_MAX, NULL, &sum) ==
        STAVE_OUT_OF_RANGE);
  CHECK(sum == -2);
  CHECK_OK(stave_delete(store, "n", 1, NULL, NULL));
  CHECK_OK(stave_close(store));
}

static void KeysExpire(void) {
  stave_store* store = Open();
  stave_write_options* options = stave_write_options_new();
  stave_read_options* refresh = stave_read_options_new();
  int64_t ttl = 0;
  stave_write_options_set_ttl_ms(options, 3600000);
  CHECK_OK(stave_put(store, "e", 1, "x", 1, options));
  CHECK_OK(stave_ttl(store, "e", 1, &ttl));
  CHECK(ttl > 0 && ttl <= 3600000);
  CHECK_OK(stave_expire(store, "e", 1, 7200000, NULL));
  CHECK_OK(stave_ttl(store, "e", 1, &ttl));
  CHECK(ttl > 3600000 && ttl <= 7200000);
  stave_read_options_set_refresh_ttl_ms(refresh, 72000000);
  CHECK(Has(store, refresh, "e", "x"));
  CHECK_OK(stave_ttl(store, "e", 1, &ttl));
  CHECK(ttl > 7200000);
  CHECK_OK(stave_expire_at(store, "e", 1, STAVE_NEVER, NULL));
  CHECK_OK(stave_ttl(store, "e", 1, &ttl));
  CHECK(ttl == STAVE_NEVER);
  stave_write_options_set_expire_at_ms(options, 1);
  CHECK_OK(stave_put(store, "e", 1, "x", 1, options));
  CHECK(stave_ttl(store, "e", 1, &ttl) == STAVE_NOT_FOUND);
  CHECK(ttl == STAVE_NEVER);
  CHECK(stave_expire(store, "e", 1, 1000, NULL) == STAVE_NOT_FOUND);
  stave_write_options_set_ttl_ms(options, 0);
  CHECK(stave_put(store, "e", 1, "x", 1, options) == STAVE_INVALID_ARGUMENT);
  stave_read_options_free(refresh);
  stave_write_options_free(options);
  CHECK_OK(stave_close(store));
}

struct Visits {
  stave_store* store;
  int seen[3];
};

static void Visit(void* context, size_t index, stave_code code,
                  const char* value, size_t size) {
  struct Visits* visits = context;
  ++visits->seen[index];
  switch (index) {
    case 0:
      CHECK(code == STAVE_OK && Is(value, size, "2"));
      CHECK(Has(visits->store, NULL, "b", "2")); /* it may call the store */
      break;
    case 1:
      CHECK(code == STAVE_NOT_FOUND && value == NULL && size == 0);
      break;
    default:
      CHECK(code == STAVE_INVALID_ARGUMENT && value == NULL);
      CHECK(strstr(stave_last_error(), "key") != NULL);
  }
}

static void ManyAreReadAtOnce(void) {
  struct Visits visits = {Open(), {0, 0, 0}};
  const void* const keys[] = {"b", "nobody", NULL};
  const size_t sizes[] = {1, 6, 0};
  stave_multi_get(visits.store, 3, keys, sizes, NULL, Visit, &visits);
  CHECK(visits.seen[0] == 1 && visits.seen[1] == 1 && visits.seen[2] == 1);
  CHECK_OK(stave_close(visits.store));
}

static int KeysOf(stave_iterator* iterator) {
  int keys = 0;
  for (stave_iterator_seek_to_first(iterator); stave_iterator_valid(iterator);
       stave_iterator_next(iterator)) {
    size_t key_size = 0, value_size = 0;
    const char* key = stave_iterator_key(iterator, &key_size);
    const char* value = stave_iterator_value(iterator, &value_size);
    CHECK(key_size == 1 && value_size == 1 && value[0] - key[0] == '2' - 'b');
    CHECK((stave_iterator_expire_at_ms(iterator) != STAVE_NEVER) ==
          (key[0] == 'c'));
    ++keys;
  }
  CHECK_OK(stave_iterator_status(iterator));
  return keys;
}

static void IteratorsVisitAll(void) {
  stave_store* store = Open();
  stave_iterator* iterator = NULL;
  stave_read_options* options = stave_read_options_new();
  size_t size = 7;
  CHECK_OK(stave_iterator_new(store, NULL, &iterator));
  CHECK(KeysOf(iterator) == 2);
  CHECK(stave_iterator_key(iterator, &size) == NULL && size == 0);
  CHECK(stave_iterator_value(iterator, &size) == NULL && size == 0);
  CHECK(stave_iterator_expire_at_ms(iterator) == STAVE_NEVER);
  stave_iterator_next(iterator); /* nothing, at the end */
  CHECK(!stave_iterator_valid(iterator));
  stave_iterator_free(iterator);
  stave_read_options_set_prefix(options, "c", 1);
  CHECK_OK(stave_iterator_new(store, options, &iterator));
  stave_read_options_set_prefix(options, NULL, 0); /* it has a copy */
  CHECK_OK(stave_close(store));
  CHECK(KeysOf(iterator) == 1); /* also after the close */
  stave_iterator_free(iterator);

  store = Open();
  stave_read_options_set_lower_bound(options, "b", 1);
  stave_read_options_set_upper_bound(options, "c", 1);
  stave_read_options_set_verify_checksums(options, 0);
  CHECK_OK(stave_iterator_new(store, options, &iterator));
  CHECK(KeysOf(iterator) == 1);
  stave_iterator_free(iterator);
  stave_iterator_free(NULL);
  stave_read_options_free(options);
  CHECK_OK(stave_close(store));
}

static void SeeksSayWhetherThereIsAnOrder(void) {
  stave_store* store = Open();
  stave_iterator* iterator = NULL;
  CHECK_OK(stave_iterator_new(store, NULL, &iterator));
  stave_iterator_seek(iterator, "c", 1);
  CHECK(stave_iterator_status(iterator) == STAVE_FAILED_PRECONDITION);
  stave_iterator_seek_to_last(iterator);
  CHECK(stave_iterator_status(iterator) == STAVE_FAILED_PRECONDITION);
  stave_iterator_seek_to_first(iterator);
  CHECK(stave_iterator_valid(iterator));
  stave_iterator_prev(iterator);
  CHECK(stave_iterator_status(iterator) == STAVE_FAILED_PRECONDITION);
  stave_iterator_free(iterator);
  CHECK_OK(stave_close(store));
}

static void SnapshotsShowWhatWas(void) {
  stave_store* store = Open();
  stave_read_options* then = stave_read_options_new();
  stave_snapshot* snapshot = stave_snapshot_new(store);
  stave_read_options_set_snapshot(then, snapshot);
  stave_snapshot_free(snapshot); /* the options have it still */
  Put(store, "b", "9");
  CHECK(Has(store, then, "b", "2"));
  stave_read_options_set_snapshot(then, NULL);
  CHECK(Has(store, then, "b", "9"));
  Put(store, "b", "2");
  stave_read_options_free(then);
  CHECK_OK(stave_close(store));
}

static void TransactionsCommitOrNot(void) {
  stave_store* store = Open();
  stave_transaction* transaction = stave_begin(store);
  stave_iterator* iterator = NULL;
  char* value = NULL;
  size_t size = 0;
  int there = 1;
  CHECK_OK(stave_transaction_get(transaction, "b", 1, &value, &size));
  CHECK(Is(value, size, "2"));
  stave_free(value);
  CHECK_OK(stave_transaction_put(transaction, "a", 1, "1", 1, STAVE_NEVER));
  CHECK_OK(stave_transaction_put_until(transaction, "e", 1, "5", 1, 1));
  CHECK_OK(stave_transaction_delete(transaction, "c", 1));
  CHECK_OK(stave_transaction_exists(transaction, "c", 1, &there));
  CHECK(there == 0);
  CHECK_OK(stave_transaction_iterator_new(transaction, NULL, &iterator));
  CHECK(KeysOf(iterator) == 2);
  stave_iterator_free(iterator);
  CHECK(stave_transaction_get(transaction, "e", 1, &value, &size) ==
        STAVE_NOT_FOUND);
  Put(store, "b", "3"); /* which it has read */
  CHECK(stave_transaction_commit(transaction, NULL) == STAVE_ABORTED);
  CHECK(stave_transaction_rollback(transaction) == STAVE_FAILED_PRECONDITION);
  stave_transaction_free(transaction);

  transaction = stave_begin(store);
  CHECK_OK(stave_transaction_put(transaction, "b", 1, "2", 1, STAVE_NEVER));
  CHECK_OK(stave_transaction_commit(transaction, NULL));
  stave_transaction_free(transaction);
  CHECK(Has(store, NULL, "b", "2"));

  transaction = stave_begin(store);
  CHECK_OK(stave_transaction_delete(transaction, "b", 1));
  CHECK_OK(stave_transaction_rollback(transaction));
  stave_transaction_free(transaction);
  transaction = stave_begin(store);
  CHECK_OK(stave_transaction_delete(transaction, "b", 1));
  CHECK_OK(stave_close(store));
  CHECK(stave_transaction_commit(transaction, NULL) ==
        STAVE_FAILED_PRECONDITION);
  stave_transaction_free(transaction);
  stave_transaction_free(NULL);
}

static void ErrorsHaveCodesAndWords(void) {
  stave_store* store = Open();
  stave_store* other = NULL;
  CHECK(stave_open(directory, NULL, &other) == STAVE_UNAVAILABLE);
  CHECK(strstr(stave_last_error(), "LOCK") != NULL);
  CHECK(other == NULL);
  CHECK(stave_put(store, NULL, 0, "x", 1, NULL) == STAVE_INVALID_ARGUMENT);
  CHECK(strstr(stave_last_error(), "a key has 1 to 65535 bytes") != NULL);
  CHECK(stave_backup(store, directory) == STAVE_FAILED_PRECONDITION);
  CHECK_OK(stave_close(store));
  CHECK(strcmp(stave_code_name(STAVE_OK), "ok") == 0);
  CHECK(strcmp(stave_code_name(STAVE_DATA_LOSS), "data loss") == 0);
  CHECK(strcmp(stave_code_name((stave_code)99), "unknown") == 0);
}

static void OptionsAreHeeded(void) {
  stave_store* store = NULL;
  char value[1000] = "";
  stave_options* options = stave_options_new();
  stave_options_set_read_only(options, 1);
  CHECK_OK(stave_open(backup, options, &store));
  CHECK(Has(store, NULL, "b", "2"));
  CHECK(stave_put(store, "a", 1, "x", 1, NULL) == STAVE_FAILED_PRECONDITION);
  CHECK_OK(stave_close(store));
  stave_options_set_open_damaged(options, 1);
  CHECK_OK(stave_open(backup, options, &store));
  CHECK_OK(stave_close(store));
  stave_options_set_open_damaged(options, 0);
  stave_options_set_read_only(options, 0);
  stave_options_set_error_if_exists(options, 1);
  CHECK(stave_open(directory, options, &store) == STAVE_FAILED_PRECONDITION);
  stave_options_set_error_if_exists(options, 0);
  stave_options_set_segment_size_bytes(options, 1);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_segment_size_bytes(options, 1 << 20);
  stave_options_set_max_space_amplification(options, 1.0);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_max_space_amplification(options, 2.0);
  stave_options_set_compression(options, (stave_compression)3);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_compression(options, STAVE_COMPRESSION_LZ4);
  stave_options_set_compression_level(options, 20);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_compression_level(options, 0);
  stave_options_set_compression_dictionary_bytes(options, 1);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_compression_dictionary_bytes(options, 0);
  stave_options_set_compression_threshold_bytes(options, 64);
  stave_options_set_recovery_threads(options, -1);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_recovery_threads(options, 1);
  stave_options_set_sync_interval_ms(options, -1);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_sync_interval_ms(options, STAVE_NEVER);
  stave_options_set_snapshot_file(options, "data", STAVE_SNAPSHOT_BINARY, 0);
  CHECK(stave_open(directory, options, &store) == STAVE_INVALID_ARGUMENT);
  stave_options_set_snapshot_file(options, NULL, STAVE_SNAPSHOT_JSON, 1000);
  stave_options_set_background_merge(options, 0);
  stave_options_set_merge_bytes_per_second(options, 1 << 20);
  stave_options_set_reserve_bytes(options, 0);
  stave_options_set_create_if_missing(options, 0);
  stave_options_set_memory_budget_bytes(options, 1);
  CHECK_OK(stave_open(directory, options, &store));
  CHECK(stave_put(store, "new", 3, "v", 1, NULL) == STAVE_RESOURCE_EXHAUSTED);
  CHECK_OK(stave_close(store));
  stave_options_set_memory_budget_bytes(options, 0);
  CHECK_OK(stave_open(directory, options, &store));
  memset(value, 'v', sizeof(value) - 1);
  Put(store, "long", value);
  CHECK(Has(store, NULL, "long", value));
  CHECK_OK(stave_close(store));
  strcat(directory, "-missing");
  CHECK(stave_open(directory, options, &store) == STAVE_NOT_FOUND);
  stave_options_free(options);
}

int main(void) {
  const char* place = getenv("TEST_TMPDIR");
  snprintf(directory, sizeof(directory) - 16, "%s/store", place ? place : ".");
  snprintf(backup, sizeof(backup), "%s-backup", directory);
  snprintf(snapshot_file, sizeof(snapshot_file), "%s.json", directory);
  PairsComeAndGo();
  PinnedValuesStay();
  BatchesAreWritten();
  UpkeepIsDone();
  SnapshotFilesAreSaved();
  WritesDependOnWhatIsThere();
  KeysExpire();
  ManyAreReadAtOnce();
  IteratorsVisitAll();
  SeeksSayWhetherThereIsAnOrder();
  SnapshotsShowWhatWas();
  TransactionsCommitOrNot();
  ErrorsHaveCodesAndWords();
  OptionsAreHeeded();
  return 0;
}
