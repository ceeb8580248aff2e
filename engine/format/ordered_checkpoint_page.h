#ifndef STAVE_ENGINE_FORMAT_ORDERED_CHECKPOINT_PAGE_H_
#define STAVE_ENGINE_FORMAT_ORDERED_CHECKPOINT_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace stave {

// Bytes <-> structs of what a checkpoint of an ordered keydir has in a page;
// FORMAT.md, "Ordered page", draws them: a row a key, and behind these what
// each key doesn't share with the one before it.

// What a key takes beside its bytes.
inline constexpr size_t kOrderedCheckpointRowBytes = 10;

// Makes a page of keys that come in byte order.
class OrderedCheckpointPageBuilder {
 public:
  // `entry` has 48 bits. The key is greater than the one before it, and not
  // empty.
  void Add(std::string_view key, uint64_t entry);

  uint32_t keys() const { return keys_; }

  // Appends the page, and begins another one. Returns its size.
  uint64_t AppendTo(std::string* to);

 private:
  uint32_t keys_ = 0;
  std::string rows_;
  std::string rests_;
  std::string last_;
};

struct OrderedCheckpointKey {
  uint64_t entry = 0;
  size_t shared = 0;  // so many bytes it has in common with the one before it
  std::string_view rest;  // its others
};

// Visits the keys of a page that is said to have `keys` of them. DataLoss where
// there can't be so many in it, or other bytes are left; else the first error
// of `visit`. How keys compare, nobody has looked at.
absl::Status VisitOrderedCheckpointPage(
    std::string_view page, uint32_t keys,
    absl::FunctionRef<absl::Status(const OrderedCheckpointKey&)> visit);

}  // namespace stave

#endif  // STAVE_ENGINE_FORMAT_ORDERED_CHECKPOINT_PAGE_H_
