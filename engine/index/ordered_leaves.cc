#include "engine/index/ordered_leaves.h"

#include <algorithm>
#include <utility>

#include "engine/base/status_macros.h"
#include "engine/index/ordered_limits.h"
#include "stave/limits.h"

namespace stave {
namespace {

bool IsLess(char a, char b) {
  return static_cast<unsigned char>(a) < static_cast<unsigned char>(b);
}

}  // namespace

absl::Status OrderedLeaves::Add(size_t shared, std::string_view rest,
                                KeydirEntry entry) {
  if (shared > last_.size()) {
    return absl::DataLossError("a key shares more than the last one has");
  }
  const size_t more = CommonBytes(std::string_view(last_).substr(shared), rest);
  shared += more;
  rest.remove_prefix(more);
  const bool is_greater = !rest.empty() && (shared == last_.size() ||
                                            IsLess(last_[shared], rest[0]));
  if (!is_greater) return absl::DataLossError("keys out of order");
  if (rest.size() > kMaxKeyBytes - shared) {
    return absl::DataLossError("a key that is too long");
  }
  last_.resize(shared);
  last_.append(rest);
  if (first_.empty()) first_ = last_;
  common_ = std::min(common_, shared);
  if (entry.absent()) return absl::OkStatus();

  OrderedItems::Extent extent = extent_;
  extent.last_offset =
      extent.bytes - items_.size() * OrderedItems::kBytesPerKey;
  extent.bytes += last_.size() - common_ + OrderedItems::kBytesPerKey;
  if (!items_.empty() && IsTooLarge(0, items_.size() + 1, extent)) {
    RETURN_IF_ERROR(MakeLeaf());
  }
  if (items_.empty()) {
    // As short as tells the two sides apart. The key itself is whole.
    separator_ = last_.substr(0, common_ + 1);
    common_ = 0;
    extent = {last_.size() + OrderedItems::kBytesPerKey, 0};
  }
  if (common_ != shared || items_.empty()) {
    rest = kept_.emplace_back(last_, common_);
  }
  items_.push_back({entry.bits(), rest.data(),
                    static_cast<uint32_t>(rest.size()),
                    static_cast<uint16_t>(common_)});
  extent_ = extent;
  common_ = last_.size();
  return absl::OkStatus();
}

absl::Status OrderedLeaves::MakeLeaf() {
  if (items_.empty()) return absl::OkStatus();
  OrderedPage::Owner page = OrderedPage::New(/*level=*/0, /*before=*/0, items_);
  if (page == nullptr) {
    return absl::ResourceExhaustedError("no memory left for the keydir");
  }
  leaves_.push_back({std::move(separator_), std::move(page)});
  keys_ += items_.size();
  items_.clear();
  kept_.clear();
  return absl::OkStatus();
}

}  // namespace stave
