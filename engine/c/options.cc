#include "engine/c/handles.h"

using stave::c::DurationOf;
using stave::c::TimeOf;
using stave::c::View;

stave_options* stave_options_new(void) { return new stave_options(); }

void stave_options_free(stave_options* options) { delete options; }

void stave_options_set_create_if_missing(stave_options* options, int flag) {
  options->options.create_if_missing = flag != 0;
}

void stave_options_set_error_if_exists(stave_options* options, int flag) {
  options->options.error_if_exists = flag != 0;
}

void stave_options_set_read_only(stave_options* options, int flag) {
  options->options.read_only = flag != 0;
}

void stave_options_set_open_damaged(stave_options* options, int flag) {
  options->options.open_damaged = flag != 0;
}

void stave_options_set_sync_interval_ms(stave_options* options,
                                        int64_t interval) {
  options->options.sync_interval = DurationOf(interval);
}

void stave_options_set_max_space_amplification(stave_options* options,
                                               double bound) {
  options->options.max_space_amplification = bound;
}

void stave_options_set_background_merge(stave_options* options, int flag) {
  options->options.background_merge = flag != 0;
}

void stave_options_set_merge_bytes_per_second(stave_options* options,
                                              uint64_t bytes) {
  options->options.merge_bytes_per_second = bytes;
}

void stave_options_set_segment_size_bytes(stave_options* options,
                                          uint64_t size) {
  options->options.segment_size_bytes = size;
}

void stave_options_set_reserve_bytes(stave_options* options, uint64_t size) {
  options->options.reserve_bytes = size;
}

void stave_options_set_memory_budget_bytes(stave_options* options,
                                           uint64_t size) {
  options->options.memory_budget_bytes = size;
}

void stave_options_set_compression(stave_options* options,
                                   stave_compression method) {
  options->options.compression = static_cast<stave::Compression>(method);
}

void stave_options_set_compression_threshold_bytes(stave_options* options,
                                                   uint64_t size) {
  options->options.compression_threshold_bytes = size;
}

void stave_options_set_compression_level(stave_options* options, int level) {
  options->options.compression_level = level;
}

void stave_options_set_compression_dictionary_bytes(stave_options* options,
                                                    size_t size) {
  options->options.compression_dictionary_bytes = size;
}

void stave_options_set_snapshot_file(stave_options* options, const char* file,
                                     stave_snapshot_format format,
                                     int64_t interval) {
  options->options.snapshot_file = file == nullptr ? "" : file;
  options->options.snapshot_format = static_cast<stave::SnapshotFormat>(format);
  options->options.snapshot_interval = DurationOf(interval);
}

void stave_options_set_recovery_threads(stave_options* options, int threads) {
  options->options.recovery_threads = threads;
}

stave_write_options* stave_write_options_new(void) {
  return new stave_write_options();
}

void stave_write_options_free(stave_write_options* options) { delete options; }

void stave_write_options_set_sync(stave_write_options* options, int flag) {
  options->options.sync = flag != 0;
}

void stave_write_options_set_ttl_ms(stave_write_options* options, int64_t ttl) {
  options->options.ttl = DurationOf(ttl);
}

void stave_write_options_set_expire_at_ms(stave_write_options* options,
                                          int64_t when) {
  options->options.expire_at = TimeOf(when);
}

stave_read_options* stave_read_options_new(void) {
  return new stave_read_options();
}

void stave_read_options_free(stave_read_options* options) { delete options; }

void stave_read_options_set_snapshot(stave_read_options* options,
                                     const stave_snapshot* snapshot) {
  options->snapshot = snapshot == nullptr ? nullptr : snapshot->snapshot;
}

void stave_read_options_set_verify_checksums(stave_read_options* options,
                                             int flag) {
  options->options.verify_checksums = flag != 0;
}

void stave_read_options_set_refresh_ttl_ms(stave_read_options* options,
                                           int64_t ttl) {
  options->options.refresh_ttl = DurationOf(ttl);
}

void stave_read_options_set_prefix(stave_read_options* options,
                                   const void* prefix, size_t size) {
  options->prefix = View(prefix, size);
}

void stave_read_options_set_lower_bound(stave_read_options* options,
                                        const void* bound, size_t size) {
  options->lower_bound = View(bound, size);
}

void stave_read_options_set_upper_bound(stave_read_options* options,
                                        const void* bound, size_t size) {
  options->upper_bound = View(bound, size);
}
