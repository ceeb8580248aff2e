#include "engine/index/page_directory.h"

#include <algorithm>
#include <memory>
#include <new>

namespace stave {

PageDirectory PageDirectory::New(int depth) {
  void* memory = ::operator new(BytesFor(depth));
  const PageDirectory directory(reinterpret_cast<uintptr_t>(memory) |
                                static_cast<uintptr_t>(depth));
  std::uninitialized_value_construct_n(directory.pages(), directory.size());
  std::uninitialized_value_construct_n(directory.uses(), directory.size());
  return directory;
}

void PageDirectory::Destroy(PageDirectory directory) {
  if (directory.exists()) ::operator delete(directory.pages());
}

PageDirectory PageDirectory::CopyWithDepth(int depth) const {
  const PageDirectory copy = New(depth);
  for (size_t index = 0; index < size(); index += EntriesOf(page(index))) {
    copy.SetPage((index << depth) >> this->depth(), page(index), use(index));
  }
  return copy;
}

int PageDirectory::MaxPageDepth() const {
  int depth = 0;
  for (size_t index = 0; index < size(); index += EntriesOf(page(index))) {
    depth = std::max(depth, page(index).depth());
  }
  return depth;
}

void PageDirectory::SetPage(size_t index, PageRef page, PageUse use) const {
  this->use(index) = use;
  for (size_t entry = index; entry < index + EntriesOf(page); ++entry) {
    pages()[entry].store(page, std::memory_order_release);
  }
}

}  // namespace stave
