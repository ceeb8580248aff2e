#include "tests/simulation/crash_states.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace stave {
namespace {

using InodePtr = std::shared_ptr<const SimulatedInode>;

constexpr uint64_t kSectorsOfPage =
    SimulatedInode::kPageBytes / SimulatedInode::kSectorBytes;

class Enumeration {
 public:
  Enumeration(const SimulatedDisk& disk, std::mt19937_64* random,
              const std::function<void(CrashState)>& visit)
      : disk_(disk),
        random_(*random),
        visit_(visit),
        dirty_(disk.DirtyInodes()),
        names_(disk.UnsyncedNames()) {}

  void Run(int random_states) {
    AllOrNothing();
    LastWriteCut();
    for (const InodePtr& inode : dirty_) {
      OneFile(*inode);
      for (const uint64_t page : DirtyPages(*inode)) OnePage(*inode, page);
    }
    for (const ChangeTime name : names_) OneName(name);
    DataOrLengths();
    if (dirty_.empty() && names_.empty()) return;
    for (int i = 0; i < random_states; ++i) Random(i);
  }

 private:
  void Visit(const Writeback& writeback, std::string name) {
    visit_({disk_.AfterPowerLoss(writeback), History::End::kPowerLoss,
            std::move(name), writeback.garbage != 0});
  }
  // Nothing but the order of changes limits what is there: so a process that
  // was killed may have left it, too.
  void VisitKilled(const Writeback& writeback, std::string name) {
    visit_({disk_.AfterPowerLoss(writeback),
            disk_.has_lost_pages() ? History::End::kPowerLoss
                                   : History::End::kKill,
            std::move(name)});
  }

  void AllOrNothing() {
    Visit(Writeback::OfNothing(), "nothing unsynced");
    VisitKilled({}, "everything");
    if (!disk_.has_lost_pages()) return;
    visit_({disk_.AfterKill(), History::End::kKill, "the page cache"});
  }

  void LastWriteCut() {
    const SimulatedDisk::LastChange last = disk_.last_change();
    if (last.inode == nullptr || last.part_sizes.empty()) return;
    for (const size_t bytes : CutsOf(last)) {
      VisitKilled({.cut_time = last.time, .cut_bytes = bytes},
                  absl::StrCat("the last write cut at ", bytes));
    }
  }

  // Fields of records and edits are multiples of 4 long, but for keys, values
  // and padding, which are parts of their own.
  static std::set<size_t> CutsOf(const SimulatedDisk::LastChange& last) {
    constexpr size_t kFieldBytes = 4;
    constexpr size_t kHeaderBytes = 32;
    std::set<size_t> cuts;
    size_t end = 0;
    for (const size_t part : last.part_sizes) end += part;
    for (size_t at = kFieldBytes; at <= kHeaderBytes; at += kFieldBytes) {
      cuts.insert(at);
    }
    size_t at = 0;
    for (const size_t part : last.part_sizes) cuts.insert(at += part);
    const uint64_t offset = last.inode->unsynced().back().offset;
    for (uint64_t sector = offset / SimulatedInode::kSectorBytes + 1;
         sector * SimulatedInode::kSectorBytes < offset + end; ++sector) {
      cuts.insert(sector * SimulatedInode::kSectorBytes - offset);
    }
    cuts.erase(cuts.lower_bound(end), cuts.end());
    cuts.erase(0);
    return cuts;
  }

  void OneFile(const SimulatedInode& file) {
    const uint64_t number = file.number();
    const auto only = [number](uint64_t inode) {
      return inode == number ? kEverything : kNothing;
    };
    Visit({.data = [only](uint64_t inode, uint64_t) { return only(inode); },
           .length = only},
          absl::StrCat("file ", number, " alone kept"));
    const auto but = [number](uint64_t inode) {
      return inode == number ? kNothing : kEverything;
    };
    Visit({.data = [but](uint64_t inode, uint64_t) { return but(inode); },
           .length = but},
          absl::StrCat("file ", number, " alone lost"));
  }

  static std::set<uint64_t> DirtyPages(const SimulatedInode& file) {
    std::set<uint64_t> pages;
    for (const SimulatedInode::Change& change : file.unsynced()) {
      const uint64_t end = change.offset + change.bytes.size();
      for (uint64_t page = change.offset / SimulatedInode::kPageBytes;
           page * SimulatedInode::kPageBytes < end; ++page) {
        pages.insert(page);
      }
    }
    return pages;
  }

  void OnePage(const SimulatedInode& file, uint64_t page) {
    const auto is_it = [number = file.number(), page](uint64_t inode,
                                                      uint64_t sector) {
      return inode == number && sector / kSectorsOfPage == page;
    };
    Visit(
        {.data =
             [is_it](uint64_t inode, uint64_t sector) {
               return is_it(inode, sector) ? kNothing : kEverything;
             }},
        absl::StrCat("page ", page, " of file ", file.number(), " alone lost"));
    Visit(
        {.data =
             [is_it](uint64_t inode, uint64_t sector) {
               return is_it(inode, sector) ? kEverything : kNothing;
             }},
        absl::StrCat("page ", page, " of file ", file.number(), " alone kept"));
  }

  void OneName(ChangeTime name) {
    Visit({.name = [name](ChangeTime time) { return time != name; }},
          absl::StrCat("the name of change ", name, " alone lost"));
    Writeback only = Writeback::OfNothing();
    only.name = [name](ChangeTime time) { return time == name; };
    Visit(only, absl::StrCat("the name of change ", name, " alone kept"));
  }

  void DataOrLengths() {
    if (dirty_.empty()) return;
    Writeback lengths;
    lengths.data = [](uint64_t, uint64_t) { return kNothing; };
    Visit(lengths, "lengths without data, zeros");
    lengths.garbage = 1 + random_() % 1'000'000;
    Visit(lengths, "lengths without data, garbage");
    Writeback data;
    data.length = [](uint64_t) { return kNothing; };
    Visit(data, "data without lengths");
  }

  void Random(int number) {
    const uint64_t seed = random_();
    const uint64_t kept_in_8 = 1 + random_() % 7;
    const ChangeTime now = disk_.last_change().time;
    const ChangeTime first = FirstUnsynced(now);
    // The same question has always the same answer.
    const auto any = [=](uint64_t what, uint64_t where) {
      const uint64_t mixed =
          (seed + what * 0x9e3779b97f4a7c15 + where) * 0xbf58476d1ce4e5b9;
      if ((mixed >> 61) < kept_in_8) return kEverything;
      if ((mixed >> 60) % 2 == 0) return kNothing;
      return first + (mixed >> 32) % (now - first + 1);
    };
    Visit(
        {.data = [any](uint64_t inode,
                       uint64_t sector) { return any(inode, sector); },
         .length = [any](uint64_t inode) { return any(inode, 1 << 30); },
         .name = [any](ChangeTime time) { return any(time, 0) == kEverything; },
         .garbage = seed % 4 == 0 ? seed : 0},
        absl::StrCat("random selection ", number));
  }

  ChangeTime FirstUnsynced(ChangeTime now) const {
    ChangeTime first = now;
    for (const InodePtr& inode : dirty_) {
      first = std::min(first, inode->unsynced().front().time);
    }
    return first;
  }

  const SimulatedDisk& disk_;
  std::mt19937_64& random_;
  const std::function<void(CrashState)>& visit_;
  const std::vector<InodePtr> dirty_;
  const std::vector<ChangeTime> names_;
};

}  // namespace

void ForEachCrashState(const SimulatedDisk& disk, int random_states,
                       std::mt19937_64* random,
                       const std::function<void(CrashState)>& visit) {
  Enumeration(disk, random, visit).Run(random_states);
}

}  // namespace stave
