#include "tests/damage/allocations.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

thread_local size_t largest = 0;

}  // namespace

namespace stave {

size_t TakeLargestAllocation() { return std::exchange(largest, 0); }

}  // namespace stave

// The other forms of new and delete come back to these, but with sanitizers
// what is given back below must come from here.

void* operator new(size_t size) {
  largest = std::max(largest, size);
  void* const memory = std::malloc(std::max<size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* operator new(size_t size, const std::nothrow_t&) noexcept {
  largest = std::max(largest, size);
  return std::malloc(std::max<size_t>(size, 1));
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
