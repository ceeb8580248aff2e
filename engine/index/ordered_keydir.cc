#include "engine/index/ordered_keydir.h"

#include <algorithm>
#include <utility>

#include "engine/base/status_macros.h"
#include "engine/index/ordered_leaves.h"
#include "engine/index/ordered_limits.h"

namespace stave {
namespace {

void DestroyTree(OrderedPage* page) {
  if (page == nullptr) return;
  const OrderedPage::Owner owner(page);
  if (page->level() == 0) return;
  for (size_t i = 0; i <= page->count(); ++i) DestroyTree(page->child(i));
}

KeydirEntry EntryAt(const OrderedPage& leaf, size_t index) {
  return KeydirEntry::FromBits(leaf.value(index));
}

void AppendPartings(const OrderedPage& page, std::vector<std::string>* to) {
  for (size_t i = 0; i <= page.count(); ++i) {
    if (page.level() > 2) AppendPartings(*page.child(i), to);
    if (i < page.count()) to->push_back(page.KeyAt(i));
  }
}

// Appends the keys from `begin` to `end` that have an entry.
void Copy(const OrderedPage& leaf, size_t begin, size_t end, KeyRun* run) {
  if (begin == end) return;
  if (run->empty()) run->SetFirst(leaf.KeyAt(begin));
  if (run->has_all_keys()) {
    std::string key = leaf.KeyAt(begin);
    for (size_t i = begin; i < end; ++i) {
      if (i != begin) leaf.Advance(i, &key);
      const KeydirEntry entry = EntryAt(leaf, i);
      if (!entry.absent()) run->Append(key, entry);
    }
  } else {
    for (size_t i = begin; i < end; ++i) {
      const KeydirEntry entry = EntryAt(leaf, i);
      if (!entry.absent()) run->Append(entry);
    }
  }
  run->SetLast(leaf.KeyAt(end - 1));
}

}  // namespace

OrderedKeydir::~OrderedKeydir() {
  DestroyTree(root_.load(std::memory_order_relaxed));
}

OrderedKeydir::Position OrderedKeydir::Seek(std::string_view key) const {
  Position position;
  OrderedPage* page = root_.load(std::memory_order_acquire);
  if (page == nullptr) return position;
  while (page->level() != 0) {
    const size_t child = page->ChildIndex(key);
    position.path.push_back({page, child});
    page = page->child(child);
    page->Prefetch();
  }
  position.leaf = page;
  position.place = page->LowerBound(key);
  if (position.place.is_equal) {
    position.present = EntryAt(*page, position.place.index);
  }
  return position;
}

const OrderedPage* OrderedKeydir::LeafOf(std::string_view key) const {
  const OrderedPage* page = root_.load(std::memory_order_acquire);
  while (page != nullptr && page->level() != 0) {
    page = page->child(page->ChildIndex(key));
    // All of its lines at once, instead of one after another.
    page->Prefetch();
  }
  return page;
}

void OrderedKeydir::Prefetch(const KeyRef& key) const { LeafOf(key.bytes); }

KeydirEntry OrderedKeydir::Find(const KeyRef& key) const {
  const OrderedPage* const leaf = LeafOf(key.bytes);
  if (leaf == nullptr) return KeydirEntry();
  const OrderedPage::Place place = leaf->LowerBound(key.bytes);
  return place.is_equal ? EntryAt(*leaf, place.index) : KeydirEntry();
}

absl::StatusOr<KeydirEntry> OrderedKeydir::Put(const KeyRef& key,
                                               KeydirEntry entry) {
  MutexLock lock(&mutex_);
  const Position position = Seek(key.bytes);
  absl::Status status = Set(position, key.bytes, entry);
  if (!status.ok()) return status;
  return position.present;
}

KeydirEntry OrderedKeydir::Remove(const KeyRef& key) {
  MutexLock lock(&mutex_);
  const Position position = Seek(key.bytes);
  if (!position.present.absent()) Erase(position);
  return position.present;
}

bool OrderedKeydir::CompareAndSwap(const KeyRef& key, KeydirEntry expected,
                                   KeydirEntry desired) {
  MutexLock lock(&mutex_);
  const Position position = Seek(key.bytes);
  if (position.present.absent() || position.present != expected) return false;
  if (desired.absent()) {
    Erase(position);
  } else {
    position.leaf->set_value(position.place.index, desired.bits());
  }
  return true;
}

absl::Status OrderedKeydir::Offer(
    const KeyRef& key, KeydirEntry candidate,
    absl::FunctionRef<bool(KeydirEntry present)> supersedes) {
  MutexLock lock(&mutex_);
  const Position position = Seek(key.bytes);
  const KeydirEntry present = position.present;
  if (!present.absent() && !supersedes(present)) return absl::OkStatus();
  return Set(position, key.bytes, candidate);
}

void OrderedKeydir::Sweep(size_t part, size_t,
                          absl::FunctionRef<bool(KeydirEntry)> keep) {
  if (part != 0) return;
  std::string from;
  while (SweepLeaf(&from, keep)) {
  }
}

bool OrderedKeydir::SweepLeaf(std::string* from,
                              absl::FunctionRef<bool(KeydirEntry)> keep) {
  MutexLock lock(&mutex_);
  const Position position = Seek(*from);
  if (position.leaf == nullptr) return false;
  OrderedPage& leaf = *position.leaf;
  std::optional<std::string> end = EndOfLeaf(position.path);
  items_.ClearAll();
  bool erases_any = false;
  for (size_t i = leaf.count(); i-- > position.place.index;) {
    const KeydirEntry entry = EntryAt(leaf, i);
    if (!entry.absent()) {
      if (keep(entry)) continue;
      leaf.set_value(i, KeydirEntry().bits());
      CountKey(-1);
    }
    if (!erases_any) items_.Append(leaf);
    erases_any = true;
    items_.Erase(i);
  }
  if (erases_any) {
    // Without memory keys stay there, without an entry.
    Install(position.path, &leaf, Change::kErased).IgnoreError();
  }
  if (!end.has_value()) return false;
  *from = *std::move(end);
  return true;
}

std::optional<std::string> OrderedKeydir::EndOfLeaf(const Path& path) {
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    if (step->child < step->page->count()) {
      return step->page->KeyAt(step->child);
    }
  }
  return std::nullopt;
}

absl::Status OrderedKeydir::OfferInOrder(
    absl::Span<const Offered> offers,
    absl::FunctionRef<bool(KeydirEntry, KeydirEntry)> supersedes) {
  while (!offers.empty()) {
    ASSIGN_OR_RETURN(const size_t taken, OfferToLeaf(offers, supersedes));
    offers.remove_prefix(taken);
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> OrderedKeydir::OfferToLeaf(
    absl::Span<const Offered> offers,
    absl::FunctionRef<bool(KeydirEntry, KeydirEntry)> supersedes) {
  MutexLock lock(&mutex_);
  const Position position = Seek(offers.front().key.bytes);
  OrderedPage* const leaf = position.leaf;
  const std::optional<std::string> end = EndOfLeaf(position.path);
  items_.ClearAll();
  if (leaf != nullptr) items_.Append(*leaf);
  size_t taken = 0;
  size_t added = 0;  // to items_, all of them in front of what is offered next
  for (; taken < offers.size() && added < kMostKeysInLeaf; ++taken) {
    const auto& [key, entry] = offers[taken];
    if (end.has_value() && key.bytes >= *end) break;
    const OrderedPage::Place place =
        leaf == nullptr ? OrderedPage::Place() : leaf->LowerBound(key.bytes);
    const size_t index = place.index + added;
    const bool is_repeated =
        taken > 0 && offers[taken - 1].key.bytes == key.bytes;
    if (!place.is_equal && !is_repeated) {
      items_.Insert(index, key.bytes, entry.bits());
      ++added;
      continue;
    }
    const size_t known = place.is_equal ? index : index - 1;
    const auto present = KeydirEntry::FromBits(items_.value(known));
    if (!present.absent() && !supersedes(entry, present)) continue;
    items_.set_value(known, entry.bits());
    if (!place.is_equal) continue;
    leaf->set_value(place.index, entry.bits());
    if (present.absent()) CountKey(1);
  }
  if (added > 0) {
    RETURN_IF_ERROR(Install(position.path, leaf, Change::kInserted));
    CountKey(static_cast<int64_t>(added));
  }
  return taken;
}

absl::Status OrderedKeydir::Set(const Position& position, std::string_view key,
                                KeydirEntry entry) {
  if (position.place.is_equal) {
    position.leaf->set_value(position.place.index, entry.bits());
  } else {
    items_.ClearAll();
    if (position.leaf != nullptr) items_.Append(*position.leaf);
    items_.Insert(position.place.index, key, entry.bits());
    const bool is_last = position.place.index + 1 == items_.size();
    absl::Status status =
        Install(position.path, position.leaf,
                is_last ? Change::kAppended : Change::kInserted);
    if (!status.ok()) return status;
  }
  if (position.present.absent()) CountKey(1);
  return absl::OkStatus();
}

void OrderedKeydir::Erase(const Position& position) {
  position.leaf->set_value(position.place.index, KeydirEntry().bits());
  CountKey(-1);
  items_.ClearAll();
  items_.Append(*position.leaf);
  items_.Erase(position.place.index);
  // Without memory the key stays there, without an entry.
  Install(position.path, position.leaf, Change::kErased).IgnoreError();
}

absl::Status OrderedKeydir::Install(Path path, OrderedPage* leaf,
                                    Change change) {
  fresh_.clear();
  replaced_.clear();
  if (leaf != nullptr) replaced_.push_back(leaf);
  Target target;
  target.grows_at_end = change == Change::kAppended;
  while (true) {
    if (!path.empty()) {
      target.first = target.last = path.back().child;
      if (change == Change::kErased) TakeInNeighbour(path.back(), &target);
    }
    made_.clear();
    if (!MakePages(target)) {
      return absl::ResourceExhaustedError("no memory left for the keydir");
    }
    if (path.empty()) {
      if (made_.size() <= 1) break;
      target.before = PutAboveAll();
    } else {
      OrderedPage* const parent = path.back().page;
      if (made_.size() == 1 && target.first == target.last) {
        parent->set_child(target.first, made_.front().page);
        Retire();
        return absl::OkStatus();
      }
      target.before = PutIntoParent(*parent, target);
      replaced_.push_back(parent);
      path.pop_back();
    }
    ++target.level;
  }
  OrderedPage* root = made_.empty() ? nullptr : made_.front().page;
  if (root != nullptr && root->level() != 0 && root->count() == 0) {
    root = root->child(0);
    fresh_.pop_back();
  }
  root_.store(root, std::memory_order_release);
  Retire();
  return absl::OkStatus();
}

void OrderedKeydir::TakeInNeighbour(const Step& parent, Target* target) {
  const OrderedPage& page = *parent.page;
  const bool is_leaf = target->level == 0;
  if (is_leaf ? items_.size() == 0 : target->before == nullptr) return;
  const bool has_right = parent.child < page.count();
  if (!has_right && parent.child == 0) return;
  const size_t right = has_right ? parent.child + 1 : parent.child;
  OrderedPage* const neighbour = page.child(has_right ? right : right - 1);
  const size_t bytes = items_.ExtentOf(0, items_.size()).bytes;
  if (!IsSmall(target->level, items_.size(), bytes) ||
      !IsSmall(target->level, neighbour->count(), neighbour->bytes())) {
    return;
  }
  const std::string_view kept = items_.Keep(page.KeyAt(right - 1));
  replaced_.push_back(neighbour);
  if (has_right) {
    target->last = right;
    if (!is_leaf) {
      items_.Append(kept, OrderedPage::ValueOf(neighbour->child(0)));
    }
    items_.Append(*neighbour);
    return;
  }
  target->first = right - 1;
  const std::vector<OrderedItems::Item> own(items_.all().begin(),
                                            items_.all().end());
  items_.Clear();
  items_.Append(*neighbour);
  if (!is_leaf) {
    items_.Append(kept, OrderedPage::ValueOf(target->before));
    target->before = neighbour->child(0);
  }
  items_.Append(own);
}

bool OrderedKeydir::MakePages(const Target& target) {
  // The last key, or the last page, has gone.
  if (items_.size() == 0 && target.before == nullptr) return true;
  struct Piece {
    std::string_view separator;
    OrderedPage* before = nullptr;
    size_t begin = 0;
    size_t end = 0;
  };
  // Those that are still to be made, the first one last.
  std::vector<Piece> pieces = {{{}, target.before, 0, items_.size()}};
  while (!pieces.empty()) {
    const Piece piece = pieces.back();
    pieces.pop_back();
    const size_t keys = piece.end - piece.begin;
    if (!IsTooLarge(target.level, keys,
                    items_.ExtentOf(piece.begin, piece.end))) {
      OrderedPage::Owner page =
          OrderedPage::New(target.level, OrderedPage::ValueOf(piece.before),
                           items_.PageItems(piece.begin, piece.end));
      if (page == nullptr) return false;
      made_.push_back({piece.separator, page.get()});
      fresh_.push_back(std::move(page));
      continue;
    }
    const bool is_leaf = target.level == 0;
    // Where keys come in their order pages become full.
    const bool is_just_full =
        is_leaf && target.grows_at_end && keys == kMostKeysInLeaf + 1;
    const size_t middle =
        is_just_full
            ? piece.end - 1
            : std::clamp(items_.MiddleOf(piece.begin, piece.end),
                         piece.begin + 1, piece.end - (is_leaf ? 1 : 2));
    std::string separator = items_.KeyAt(middle);
    if (is_leaf) {
      // As short as tells the two sides apart.
      separator.resize(items_.all()[middle].shared + 1);
    }
    const std::string_view kept = items_.Keep(std::move(separator));
    if (is_leaf) {
      pieces.push_back({kept, nullptr, middle, piece.end});
    } else {
      pieces.push_back({kept, OrderedPage::PageOf(items_.value(middle)),
                        middle + 1, piece.end});
    }
    pieces.push_back({piece.separator, piece.before, piece.begin, middle});
  }
  return true;
}

OrderedPage* OrderedKeydir::PutIntoParent(const OrderedPage& parent,
                                          const Target& target) {
  items_.Clear();
  items_.Append(parent);
  OrderedPage* before = parent.child(0);
  const size_t first = target.first;
  if (made_.empty()) {
    if (first != 0) {
      items_.Erase(first - 1);
    } else if (items_.size() == 0) {
      before = nullptr;
    } else {
      before = OrderedPage::PageOf(items_.value(0));
      items_.Erase(0);
    }
    return before;
  }
  if (first == 0) {
    before = made_.front().page;
  } else {
    items_.set_value(first - 1, OrderedPage::ValueOf(made_.front().page));
  }
  for (size_t i = first; i < target.last; ++i) items_.Erase(first);
  for (size_t i = 1; i < made_.size(); ++i) {
    items_.Insert(first + i - 1, made_[i].separator,
                  OrderedPage::ValueOf(made_[i].page));
  }
  return before;
}

OrderedPage* OrderedKeydir::PutAboveAll() {
  items_.Clear();
  std::string_view last;
  for (size_t i = 1; i < made_.size(); ++i) {
    const auto& [separator, page] = made_[i];
    items_.AppendBehind(last, separator, OrderedPage::ValueOf(page));
    last = separator;
  }
  return made_.front().page;
}

// The change is seen now.
void OrderedKeydir::Retire() {
  uint64_t bytes = bytes_.load(std::memory_order_relaxed);
  for (OrderedPage::Owner& page : fresh_) bytes += page.release()->bytes();
  for (OrderedPage* page : replaced_) retired_.Add(page);
  bytes_.store(bytes - retired_.TakeFreedBytes(), std::memory_order_relaxed);
}

std::vector<std::string> OrderedKeydir::Partings() const {
  std::vector<std::string> keys;
  const OrderedPage* const root = root_.load(std::memory_order_acquire);
  if (root != nullptr && root->level() >= 2) AppendPartings(*root, &keys);
  return keys;
}

absl::Status OrderedKeydir::Restore(absl::Span<OrderedLeaves> stretches) {
  MutexLock lock(&mutex_);
  items_.ClearAll();
  made_.clear();
  fresh_.clear();
  replaced_.clear();
  std::string_view last;
  for (OrderedLeaves& stretch : stretches) {
    if (stretch.last().empty()) continue;
    if (stretch.first() <= last)
      return absl::DataLossError("keys out of order");
    for (OrderedLeaves::Leaf& leaf : stretch.leaves()) {
      std::string separator = std::move(leaf.separator);
      if (&leaf == &stretch.leaves().front()) {
        separator = leaf.page->KeyAt(0);
        separator.resize(CommonBytes(last, separator) + 1);
      }
      made_.push_back({items_.Keep(std::move(separator)), leaf.page.get()});
      fresh_.push_back(std::move(leaf.page));
    }
    CountKey(static_cast<int64_t>(stretch.keys()));
    last = stretch.last();
  }
  for (Target target; made_.size() > 1;) {
    target.before = PutAboveAll();
    ++target.level;
    made_.clear();
    if (!MakePages(target)) {
      return absl::ResourceExhaustedError("no memory left for the keydir");
    }
  }
  if (!made_.empty()) {
    root_.store(made_.front().page, std::memory_order_release);
  }
  Retire();
  items_ = OrderedItems();  // that was much memory
  fresh_.clear();
  fresh_.shrink_to_fit();
  return absl::OkStatus();
}

Keydir::Statistics OrderedKeydir::GetStatistics() const {
  return {keys_.load(std::memory_order_relaxed),
          sizeof(*this) + bytes_.load(std::memory_order_relaxed)};
}

void OrderedKeydir::CopyFrom(std::string_view from, size_t most,
                             KeyRun* run) const {
  Position position = Seek(from);
  if (position.leaf == nullptr) return;
  Path& path = position.path;
  const OrderedPage* leaf = position.leaf;
  size_t begin = position.place.index;
  while (true) {
    const size_t wanted = most - run->size();
    const size_t end = begin + std::min(leaf->count() - begin, wanted);
    Copy(*leaf, begin, end, run);
    if (run->size() == most) return;
    if (end < leaf->count()) {
      begin = end;
      continue;
    }
    while (!path.empty() && path.back().child == path.back().page->count()) {
      path.pop_back();
    }
    if (path.empty()) return;
    OrderedPage* page = path.back().page->child(++path.back().child);
    while (page->level() != 0) {
      path.push_back({page, 0});
      page = page->child(0);
    }
    page->Prefetch();
    leaf = page;
    begin = 0;
  }
}

void OrderedKeydir::CopyBefore(std::optional<std::string_view> before,
                               size_t most, KeyRun* run) const {
  Position position;
  if (before.has_value()) {
    position = Seek(*before);
  } else {
    OrderedPage* page = root_.load(std::memory_order_acquire);
    while (page != nullptr && page->level() != 0) {
      position.path.push_back({page, page->count()});
      page = page->child(page->count());
    }
    position.leaf = page;
    if (page != nullptr) position.place.index = page->count();
  }
  if (position.leaf == nullptr) return;
  Path& path = position.path;
  const OrderedPage* leaf = position.leaf;
  size_t end = position.place.index;
  while (true) {
    const size_t begin = end - std::min(end, most);
    Copy(*leaf, begin, end, run);
    if (!run->empty()) return;
    if (begin > 0) {
      end = begin;
      continue;
    }
    while (!path.empty() && path.back().child == 0) path.pop_back();
    if (path.empty()) return;
    OrderedPage* page = path.back().page->child(--path.back().child);
    while (page->level() != 0) {
      path.push_back({page, page->count()});
      page = page->child(page->count());
    }
    leaf = page;
    end = page->count();
  }
}

}  // namespace stave
