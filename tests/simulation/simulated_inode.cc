#include "tests/simulation/simulated_inode.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

namespace stave {

std::shared_ptr<SimulatedInode> SimulatedInode::Copy() const {
  auto copy = std::make_shared<SimulatedInode>(number_, device_);
  copy->cache_ = cache_;
  copy->unsynced_ = unsynced_;
  copy->lost_sectors_ = lost_sectors_;
  return copy;
}

void SimulatedInode::Write(ChangeTime time, uint64_t offset,
                           absl::Span<const std::string_view> parts) {
  Change change{time, offset, {}, 0};
  for (const std::string_view part : parts) change.bytes += part;
  const uint64_t size = change.bytes.size();
  WriteLostSectorsAgain(time, offset, size);
  change.length = std::max<uint64_t>(cache_.size(), offset + size);
  Resize(change.length);
  cache_.replace(offset, size, change.bytes);
  RefreshAll(offset, size);
  unsynced_.push_back(std::move(change));
}

void SimulatedInode::SetLength(ChangeTime time, uint64_t length) {
  Resize(length);
  unsynced_.push_back({time, length, {}, length});
}

void SimulatedInode::Sync() {
  for (const Change& change : unsynced_) Apply(change, &device_);
  unsynced_.clear();
}

void SimulatedInode::LoseDirtyPages() {
  for (const Change& change : unsynced_) {
    const uint64_t end = change.offset + change.bytes.size();
    for (uint64_t sector = change.offset / kSectorBytes;
         sector * kSectorBytes < end; ++sector) {
      lost_sectors_.insert(sector);
    }
    // Lengths are the journal's business, which is another matter.
    device_.resize(change.length);
  }
  unsynced_.clear();
}

void SimulatedInode::RevertDirtyPages() {
  LoseDirtyPages();
  lost_sectors_.clear();
  cache_ = device_;
  RefreshAll(0, cache_.size());
}

// A sector, the least block that file systems have, is written back whole: who
// changes a byte of one that was lost brings the others to the device too.
void SimulatedInode::WriteLostSectorsAgain(ChangeTime time, uint64_t offset,
                                           uint64_t size) {
  if (lost_sectors_.empty()) return;
  for (uint64_t sector = offset / kSectorBytes;
       sector * kSectorBytes < offset + size; ++sector) {
    const uint64_t begin = sector * kSectorBytes;
    if (lost_sectors_.erase(sector) == 0 || begin >= cache_.size()) continue;
    unsynced_.push_back(
        {time, begin, cache_.substr(begin, kSectorBytes), cache_.size()});
  }
}

void SimulatedInode::Apply(const Change& change, std::string* bytes) {
  bytes->resize(change.length);
  bytes->replace(change.offset, change.bytes.size(), change.bytes);
}

std::string SimulatedInode::AfterPowerLoss(const Writeback& writeback) const {
  if (unsynced_.empty()) return device_;
  const ChangeTime length_through = writeback.length(number_);
  uint64_t length = device_.size();
  std::string bytes = device_;
  std::minstd_rand random(static_cast<uint32_t>(writeback.garbage));
  uint64_t length_before = device_.size();
  for (const Change& change : unsynced_) {
    size_t size = change.bytes.size();
    uint64_t length_after = change.length;
    const bool is_cut =
        change.time == writeback.cut_time && &change == &unsynced_.back();
    if (is_cut) {
      size = std::min(size, writeback.cut_bytes);
      length_after = std::max<uint64_t>(length_before, change.offset + size);
    }
    if (change.time <= length_through) {
      // What is cut off is gone, and reads as zeros if the file grows again.
      if (length_after < length) bytes.resize(length_after);
      length = length_after;
    }
    if (bytes.size() < length_after) bytes.resize(length_after);
    // Space that was allocated reads as zeros in any case.
    if (writeback.garbage != 0 && size > 0) {
      for (size_t i = length_before; i < length_after; ++i) {
        bytes[i] = static_cast<char>(random() >> 8);
      }
    }
    length_before = length_after;
    for (size_t at = 0; at < size;) {
      const uint64_t sector = (change.offset + at) / kSectorBytes;
      const size_t next =
          std::min<size_t>(size, (sector + 1) * kSectorBytes - change.offset);
      if (change.time <= writeback.data(number_, sector)) {
        bytes.replace(change.offset + at, next - at, change.bytes, at,
                      next - at);
      }
      at = next;
    }
  }
  bytes.resize(length);
  return bytes;
}

void SimulatedInode::Attach(char* bytes, size_t size) {
  windows_.push_back({bytes, size});
  std::memset(bytes, kUntouchable, size);
  Refresh(windows_.back(), 0, cache_.size());
}

void SimulatedInode::Detach(const char* bytes) {
  windows_.erase(
      std::remove_if(windows_.begin(), windows_.end(),
                     [&](const Window& each) { return each.bytes == bytes; }),
      windows_.end());
}

void SimulatedInode::Resize(uint64_t length) {
  const uint64_t old = cache_.size();
  cache_.resize(length);
  if (length > old) RefreshAll(old, length - old);
  for (const Window& window : windows_) {
    if (length >= std::min<uint64_t>(old, window.size)) continue;
    std::memset(window.bytes + length, kUntouchable,
                std::min<uint64_t>(old, window.size) - length);
  }
}

void SimulatedInode::Refresh(const Window& window, uint64_t offset,
                             uint64_t size) const {
  if (offset >= window.size || size == 0) return;
  std::memcpy(window.bytes + offset, cache_.data() + offset,
              std::min<uint64_t>(size, window.size - offset));
}

void SimulatedInode::RefreshAll(uint64_t offset, uint64_t size) const {
  for (const Window& window : windows_) Refresh(window, offset, size);
}

}  // namespace stave
