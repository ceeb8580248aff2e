#ifndef STAVE_C_H_
#define STAVE_C_H_

#include <stddef.h>
#include <stdint.h>

/* The store for C, and for languages that call C.

     stave_store* store = NULL;
     if (stave_open("/var/lib/example", NULL, &store) != STAVE_OK) {
       fprintf(stderr, "%s\n", stave_last_error());
       return 1;
     }
     stave_put(store, "user:1", 6, "Alice", 5, NULL);
     stave_close(store);

   Calls do what their namesakes of store.h do. That header tells what is on
   disk when they return, which errors there are, and what things cost; this one
   tells how they are called from C.

   RESULTS. A call that returns a stave_code returns STAVE_OK, or else has left
   what its result pointers point to as it was.

   BYTES. Keys and values are any bytes, zero bytes too, and have a size beside
   them. NULL is as good as any pointer where the size is 0. Names of
   directories and files end with a zero byte.

   OWNERSHIP. What a function whose name ends in _new, or stave_begin or
   stave_get_pinned returns is the caller's, who gives it to the _free of its
   kind; NULL is allowed there. Memory (`char**` results) goes to stave_free.
   Handles that a call takes are borrowed until it returns, but where it says
   otherwise here. Iterators, snapshots, transactions and pinned values may
   outlive the store.

   THREADS. Stores, snapshots and pinned values may be used by many threads at
   once. All other handles are for one thread at a time; options and batches may
   be read by several.

   MEMORY. Nothing is thrown. When the memory for a result is full that is
   STAVE_RESOURCE_EXHAUSTED; where the engine itself can't go on without memory,
   the process ends.

   BINARY INTERFACE. Handles are opaque and options are set by functions, so
   there is no layout to keep. Functions are added, and numbers; those that are
   here stay. */

#if defined(__GNUC__)
#define STAVE_EXPORT __attribute__((visibility("default")))
#else
#define STAVE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct stave_batch stave_batch;
typedef struct stave_iterator stave_iterator;
typedef struct stave_options stave_options;
typedef struct stave_pinned_value stave_pinned_value;
typedef struct stave_read_options stave_read_options;
typedef struct stave_snapshot stave_snapshot;
typedef struct stave_store stave_store;
typedef struct stave_transaction stave_transaction;
typedef struct stave_write_options stave_write_options;

/* ---- Errors ---- */

typedef enum stave_code {
  STAVE_OK = 0,
  STAVE_NOT_FOUND = 1,           /* no such key, or no such store */
  STAVE_INVALID_ARGUMENT = 2,    /* a limit, or a malformed argument */
  STAVE_ABORTED = 3,             /* what the call depends on is not so */
  STAVE_OUT_OF_RANGE = 4,        /* more than a number of 64 bits can be */
  STAVE_DATA_LOSS = 5,           /* bytes on disk are wrong */
  STAVE_RESOURCE_EXHAUSTED = 6,  /* the disk, or the memory, is full */
  STAVE_UNAVAILABLE = 7,         /* another process has the store open */
  STAVE_FAILED_PRECONDITION = 8, /* closed, read-only, or latched */
  STAVE_PERMISSION_DENIED = 9,   /* the operating system refused */
  STAVE_CANCELLED = 10,          /* the store was closed meanwhile */
  STAVE_INTERNAL = 11            /* any other error */
} stave_code;

/* "not found" and so on; "unknown" for what is no code. Never NULL, and lasts
   as long as the program. */
STAVE_EXPORT const char* stave_code_name(stave_code code);

/* What the last call of this thread that failed has to say, with file and
   offset if there are any. Ends with a zero byte; may be empty, as for a key
   that is not there. Valid until the next call of this thread that fails.
   Never NULL. */
STAVE_EXPORT const char* stave_last_error(void);

/* Gives back memory that a call has returned. */
STAVE_EXPORT void stave_free(void* memory);

/* ---- Options, see options.h ---- */

/* As a time to live or a time of expiry in milliseconds: never. */
#define STAVE_NEVER INT64_MAX

/* The defaults, to be changed. NULL stands for them, too, in each call that
   takes options. Times are milliseconds, flags 0 or 1. */
STAVE_EXPORT stave_options* stave_options_new(void);
STAVE_EXPORT void stave_options_free(stave_options* options);
STAVE_EXPORT void stave_options_set_create_if_missing(stave_options* options,
                                                      int flag);
STAVE_EXPORT void stave_options_set_error_if_exists(stave_options* options,
                                                    int flag);
STAVE_EXPORT void stave_options_set_read_only(stave_options* options, int flag);
STAVE_EXPORT void stave_options_set_open_damaged(stave_options* options,
                                                 int flag);
/* 0: every write. STAVE_NEVER: only when it is asked for. */
STAVE_EXPORT void stave_options_set_sync_interval_ms(stave_options* options,
                                                     int64_t interval);
STAVE_EXPORT void stave_options_set_max_space_amplification(
    stave_options* options, double bound);
STAVE_EXPORT void stave_options_set_background_merge(stave_options* options,
                                                     int flag);
/* What merges read and write a second at most; 0: as much as they can. */
STAVE_EXPORT void stave_options_set_merge_bytes_per_second(
    stave_options* options, uint64_t bytes);
STAVE_EXPORT void stave_options_set_segment_size_bytes(stave_options* options,
                                                       uint64_t size);
STAVE_EXPORT void stave_options_set_reserve_bytes(stave_options* options,
                                                  uint64_t size);
/* 0: as much as the system gives. */
STAVE_EXPORT void stave_options_set_memory_budget_bytes(stave_options* options,
                                                        uint64_t size);
/* How new values are compressed. */
typedef enum stave_compression {
  STAVE_COMPRESSION_NONE = 0,
  STAVE_COMPRESSION_ZSTD = 1,
  STAVE_COMPRESSION_LZ4 = 2
} stave_compression;
STAVE_EXPORT void stave_options_set_compression(stave_options* options,
                                                stave_compression method);
STAVE_EXPORT void stave_options_set_compression_threshold_bytes(
    stave_options* options, uint64_t size);
STAVE_EXPORT void stave_options_set_compression_level(stave_options* options,
                                                      int level);
STAVE_EXPORT void stave_options_set_compression_dictionary_bytes(
    stave_options* options, size_t size);
STAVE_EXPORT void stave_options_set_recovery_threads(stave_options* options,
                                                     int threads);
/* What a snapshot file looks like. */
typedef enum stave_snapshot_format {
  STAVE_SNAPSHOT_JSON = 0,
  STAVE_SNAPSHOT_BINARY = 1,
  STAVE_SNAPSHOT_BINARY_V1 = 2
} stave_snapshot_format;
/* Saves all of the store to a file each time that the interval has passed, if
   anything was written. The name is copied; NULL: no snapshots. */
STAVE_EXPORT void stave_options_set_snapshot_file(stave_options* options,
                                                  const char* file,
                                                  stave_snapshot_format format,
                                                  int64_t interval);

STAVE_EXPORT stave_write_options* stave_write_options_new(void);
STAVE_EXPORT void stave_write_options_free(stave_write_options* options);
STAVE_EXPORT void stave_write_options_set_sync(stave_write_options* options,
                                               int flag);
STAVE_EXPORT void stave_write_options_set_ttl_ms(stave_write_options* options,
                                                 int64_t ttl);
/* Unix time. */
STAVE_EXPORT void stave_write_options_set_expire_at_ms(
    stave_write_options* options, int64_t when);

STAVE_EXPORT stave_read_options* stave_read_options_new(void);
STAVE_EXPORT void stave_read_options_free(stave_read_options* options);
/* The options share in owning the snapshot, which may be freed. NULL: what is
   there now. */
STAVE_EXPORT void stave_read_options_set_snapshot(
    stave_read_options* options, const stave_snapshot* snapshot);
STAVE_EXPORT void stave_read_options_set_verify_checksums(
    stave_read_options* options, int flag);
/* STAVE_NEVER: expiries go away. */
STAVE_EXPORT void stave_read_options_set_refresh_ttl_ms(
    stave_read_options* options, int64_t ttl);
/* For iterators; the bytes are copied. Size 0: no bound. */
STAVE_EXPORT void stave_read_options_set_prefix(stave_read_options* options,
                                                const void* prefix,
                                                size_t size);
STAVE_EXPORT void stave_read_options_set_lower_bound(
    stave_read_options* options, const void* bound, size_t size);
STAVE_EXPORT void stave_read_options_set_upper_bound(
    stave_read_options* options, const void* bound, size_t size);

/* ---- Stores ---- */

/* Store::Open. */
STAVE_EXPORT stave_code stave_open(const char* directory,
                                   const stave_options* options,
                                   stave_store** store);
/* Closes the store and frees it, also where it returns an error. No other call
   with it may be running, or come later. NULL is allowed. */
STAVE_EXPORT stave_code stave_close(stave_store* store);

STAVE_EXPORT stave_code stave_put(stave_store* store, const void* key,
                                  size_t key_size, const void* value,
                                  size_t value_size,
                                  const stave_write_options* options);
/* `*existed`, unless it is NULL, becomes 1 or 0. */
STAVE_EXPORT stave_code stave_delete(stave_store* store, const void* key,
                                     size_t key_size,
                                     const stave_write_options* options,
                                     int* existed);
/* All of the batch, or nothing. */
STAVE_EXPORT stave_code stave_write(stave_store* store,
                                    const stave_batch* batch,
                                    const stave_write_options* options);
/* Brings all that was written to the device. */
STAVE_EXPORT stave_code stave_sync(stave_store* store);

/* A copy, to be given to stave_free. A zero byte that is not counted in
   `*value_size` follows it. */
STAVE_EXPORT stave_code stave_get(stave_store* store, const void* key,
                                  size_t key_size,
                                  const stave_read_options* options,
                                  char** value, size_t* value_size);
/* The same without a copy; see pinned_value.h for what it holds. */
STAVE_EXPORT stave_code stave_get_pinned(stave_store* store, const void* key,
                                         size_t key_size,
                                         const stave_read_options* options,
                                         stave_pinned_value** value);
/* The bytes, which stay as they are until the handle is freed. */
STAVE_EXPORT const char* stave_pinned_value_bytes(
    const stave_pinned_value* value, size_t* size);
STAVE_EXPORT void stave_pinned_value_free(stave_pinned_value* value);
STAVE_EXPORT stave_code stave_exists(stave_store* store, const void* key,
                                     size_t key_size,
                                     const stave_read_options* options,
                                     int* exists);

/* Is told what a key has: the number of the key, STAVE_OK and its value, or the
   error, NULL and 0. The value is there until it returns. May call the store;
   must return (no longjmp, no exception). */
typedef void (*stave_visitor)(void* context, size_t index, stave_code code,
                              const char* value, size_t value_size);
/* Reads `count` keys as of one instant, and calls `visit` once for each, in any
   order, on this thread; `context` is handed on. */
STAVE_EXPORT void stave_multi_get(stave_store* store, size_t count,
                                  const void* const* keys,
                                  const size_t* key_sizes,
                                  const stave_read_options* options,
                                  stave_visitor visit, void* context);

/* ---- Writes that depend on what their key has ---- */

/* `expected` NULL: adds the key if there is none. For an empty value give any
   other pointer, and size 0. STAVE_ABORTED: it has another value. */
STAVE_EXPORT stave_code stave_compare_and_set(
    stave_store* store, const void* key, size_t key_size, const void* expected,
    size_t expected_size, const void* desired, size_t desired_size,
    const stave_write_options* options);
/* `*sum`, unless it is NULL, becomes the key's new number. */
STAVE_EXPORT stave_code stave_increment(stave_store* store, const void* key,
                                        size_t key_size, int64_t delta,
                                        const stave_write_options* options,
                                        int64_t* sum);
/* Makes the key expire at a Unix time in milliseconds. STAVE_NEVER takes its
   expiry away. */
STAVE_EXPORT stave_code stave_expire_at(stave_store* store, const void* key,
                                        size_t key_size, int64_t when_ms,
                                        const stave_write_options* options);
/* The same, so long from now. */
STAVE_EXPORT stave_code stave_expire(stave_store* store, const void* key,
                                     size_t key_size, int64_t ttl_ms,
                                     const stave_write_options* options);
/* `*ttl_ms` becomes what is left, STAVE_NEVER where there is no expiry. */
STAVE_EXPORT stave_code stave_ttl(stave_store* store, const void* key,
                                  size_t key_size, int64_t* ttl_ms);

/* ---- Upkeep ---- */

/* `all`: segments of which only a little is dead, too. */
STAVE_EXPORT stave_code stave_merge(stave_store* store, int all);
STAVE_EXPORT void stave_pause_merge(stave_store* store);
STAVE_EXPORT void stave_resume_merge(stave_store* store);
STAVE_EXPORT stave_code stave_backup(stave_store* store, const char* directory);
STAVE_EXPORT stave_code stave_save_snapshot(stave_store* store,
                                            const char* file,
                                            stave_snapshot_format format);
/* All numbers of statistics.h in Prometheus' text format. Ends with a zero
   byte, and is to be given to stave_free. */
STAVE_EXPORT stave_code stave_statistics(stave_store* store, char** text);

/* ---- Batches, see write_batch.h ---- */

STAVE_EXPORT stave_batch* stave_batch_new(void);
STAVE_EXPORT void stave_batch_free(stave_batch* batch);
/* Keys and values are copied; stave_write checks them. STAVE_NEVER: the key
   does not expire. */
STAVE_EXPORT void stave_batch_put(stave_batch* batch, const void* key,
                                  size_t key_size, const void* value,
                                  size_t value_size, int64_t ttl_ms);
/* The same with a Unix time. */
STAVE_EXPORT void stave_batch_put_until(stave_batch* batch, const void* key,
                                        size_t key_size, const void* value,
                                        size_t value_size,
                                        int64_t expire_at_ms);
STAVE_EXPORT void stave_batch_delete(stave_batch* batch, const void* key,
                                     size_t key_size);
STAVE_EXPORT void stave_batch_clear(stave_batch* batch);
/* Operations. */
STAVE_EXPORT size_t stave_batch_size(const stave_batch* batch);

/* ---- Snapshots, see snapshot.h ---- */

/* The store as it is now, for stave_read_options_set_snapshot. Never NULL. */
STAVE_EXPORT stave_snapshot* stave_snapshot_new(stave_store* store);
STAVE_EXPORT void stave_snapshot_free(stave_snapshot* snapshot);

/* ---- Iterators, see iterator.h ----

     for (stave_iterator_seek_to_first(it); stave_iterator_valid(it);
          stave_iterator_next(it)) ...
     if (stave_iterator_status(it) != STAVE_OK) ...                         */

STAVE_EXPORT stave_code stave_iterator_new(stave_store* store,
                                           const stave_read_options* options,
                                           stave_iterator** iterator);
STAVE_EXPORT void stave_iterator_free(stave_iterator* iterator);
STAVE_EXPORT void stave_iterator_seek_to_first(stave_iterator* iterator);
STAVE_EXPORT void stave_iterator_seek_to_last(stave_iterator* iterator);
STAVE_EXPORT void stave_iterator_seek(stave_iterator* iterator, const void* key,
                                      size_t key_size);
/* These two, too, do nothing unless there is a key here. */
STAVE_EXPORT void stave_iterator_next(stave_iterator* iterator);
STAVE_EXPORT void stave_iterator_prev(stave_iterator* iterator);
/* 1 where there is a key. */
STAVE_EXPORT int stave_iterator_valid(const stave_iterator* iterator);
/* Of the key here; they live until the iterator moves. Without one: NULL and
   size 0, and no expiry. */
STAVE_EXPORT const char* stave_iterator_key(const stave_iterator* iterator,
                                            size_t* size);
STAVE_EXPORT const char* stave_iterator_value(const stave_iterator* iterator,
                                              size_t* size);
/* Unix time; STAVE_NEVER: it doesn't expire. */
STAVE_EXPORT int64_t
stave_iterator_expire_at_ms(const stave_iterator* iterator);
/* Tells the end (STAVE_OK) from an error. */
STAVE_EXPORT stave_code stave_iterator_status(const stave_iterator* iterator);

/* ---- Transactions, see transaction.h ----

   Where the commit is STAVE_ABORTED, begin a new one and do it all again. */

/* Never NULL; where the store can't be read, the transaction's calls say so. */
STAVE_EXPORT stave_transaction* stave_begin(stave_store* store);
/* Rolls back unless it has been committed. */
STAVE_EXPORT void stave_transaction_free(stave_transaction* transaction);
/* As stave_get. */
STAVE_EXPORT stave_code
stave_transaction_get(const stave_transaction* transaction, const void* key,
                      size_t key_size, char** value, size_t* value_size);
STAVE_EXPORT stave_code
stave_transaction_exists(const stave_transaction* transaction, const void* key,
                         size_t key_size, int* exists);
STAVE_EXPORT stave_code stave_transaction_put(stave_transaction* transaction,
                                              const void* key, size_t key_size,
                                              const void* value,
                                              size_t value_size,
                                              int64_t ttl_ms);
STAVE_EXPORT stave_code stave_transaction_put_until(
    stave_transaction* transaction, const void* key, size_t key_size,
    const void* value, size_t value_size, int64_t expire_at_ms);
STAVE_EXPORT stave_code stave_transaction_delete(stave_transaction* transaction,
                                                 const void* key,
                                                 size_t key_size);
/* Over the store and the transaction's own writes. */
STAVE_EXPORT stave_code stave_transaction_iterator_new(
    const stave_transaction* transaction, const stave_read_options* options,
    stave_iterator** iterator);
/* Both end it; the handle remains to be freed. */
STAVE_EXPORT stave_code stave_transaction_commit(
    stave_transaction* transaction, const stave_write_options* options);
STAVE_EXPORT stave_code
stave_transaction_rollback(stave_transaction* transaction);

#ifdef __cplusplus
}
#endif

#endif /* STAVE_C_H_ */
