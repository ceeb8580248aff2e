#include "engine/core/staying_segments.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "engine/base/durability_site.h"

namespace stave {
namespace {

// A search takes as long as a walk past so many entries.
constexpr uint64_t kEntriesPerSearch = 64;
// Of hint files that are read by calls so much is kept for the next search.
constexpr uint64_t kMostCopiedBytes = uint64_t{64} << 20;

}  // namespace

void StayingSegments::FindHolders(absl::Span<Tombstone> tombstones,
                                  const std::atomic<bool>& cancelled) {
  Open open;
  open.reserve(tombstones.size());
  Sequence latest = 0;
  for (Tombstone& tombstone : tombstones) {
    open.push_back({HintEntry::LeastOf(tombstone.hash), &tombstone});
    latest = std::max(latest, tombstone.sequence);
  }
  std::sort(open.begin(), open.end(), [](const Question& a, const Question& b) {
    return a.least < b.least;
  });
  for (Staying& each : segments_) {
    if (cancelled.load(std::memory_order_relaxed) || open.empty()) return;
    // Whatever it holds is newer.
    if (each.summary.least_sequence >= latest) continue;
    const HintFile* const hint = HintOf(&each);
    if (hint == nullptr) {
      // It may hold anything.
      for (const Question& question : open) {
        if (DURABILITY_SITE(kUnknownHolder, true)) {
          Answer(each, question.tombstone);
        }
      }
    } else if (open.size() * kEntriesPerSearch < hint->entries()) {
      AskEach(each, open);
    } else {
      AskTogether(each, open);
    }
    GiveUpCopyOfHint(&each);
    open.erase(std::remove_if(open.begin(), open.end(),
                              [](const Question& question) {
                                return question.tombstone->holder != 0;
                              }),
               open.end());
  }
}

const HintFile* StayingSegments::HintOf(Staying* staying) {
  if (!staying->hint_was_asked_for) {
    staying->hint_was_asked_for = true;
    auto hint = HintFile::Open(directory_, staying->header, staying->summary,
                               hasher_, read_mode_);
    if (hint.ok()) staying->hint = *std::move(hint);
    if (hint.ok() && read_mode_ == ReadMode::kPread) {
      copied_bytes_ += staying->hint->file_bytes();
    }
  }
  return staying->hint.get();
}

// Unless all of them together are few bytes.
void StayingSegments::GiveUpCopyOfHint(Staying* staying) {
  if (staying->hint == nullptr || copied_bytes_ <= kMostCopiedBytes) return;
  copied_bytes_ -= staying->hint->file_bytes();
  staying->hint = nullptr;
  staying->hint_was_asked_for = false;
}

void StayingSegments::Answer(const Staying& staying, Tombstone* tombstone) {
  if (staying.summary.least_sequence < tombstone->sequence) {
    tombstone->holder = staying.header.id;
  }
}

void StayingSegments::AskEach(const Staying& staying, const Open& open) {
  for (const auto& [least, tombstone] : open) {
    if (staying.hint->MayContain(tombstone->hash)) Answer(staying, tombstone);
  }
}

void StayingSegments::AskTogether(const Staying& staying, const Open& open) {
  auto next = open.begin();
  const absl::Status status = staying.hint->Visit(
      open.front().least.prefix(), open.back().least.prefix(),
      [&](absl::Span<const HintEntry> entries) {
        for (const HintEntry& entry : entries) {
          for (; next != open.end() && next->least <= entry; ++next) {
            if (entry.IsOfSameKeyAs(next->least)) {
              Answer(staying, next->tombstone);
            }
          }
        }
        return absl::OkStatus();
      });
  if (status.ok()) return;
  for (; next != open.end(); ++next) Answer(staying, next->tombstone);
}

}  // namespace stave
