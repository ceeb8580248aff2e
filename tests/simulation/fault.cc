#include "tests/simulation/fault.h"

#include <cstddef>
#include <iterator>

namespace stave {

bool Applies(Fault fault, Call call) {
  switch (fault) {
    case Fault::kIoError:
      return true;
    case Fault::kDiskFull:
    case Fault::kQuotaExceeded:
      return call == Call::kCreateDirectory || call == Call::kCreateFile ||
             call == Call::kExtend || call == Call::kAllocate ||
             call == Call::kLink || call == Call::kRename;
    case Fault::kTooManyFiles:
      return call == Call::kOpenDirectory || call == Call::kCreateFile ||
             call == Call::kOpenFile || call == Call::kList ||
             call == Call::kLock;
    case Fault::kWriteCutShort:
      return call == Call::kOverwrite || call == Call::kExtend;
    case Fault::kFullDiskMidWrite:
      return call == Call::kExtend;
    case Fault::kSyncKeepsPages:
      return call == Call::kSyncData || call == Call::kSyncDirectory;
    case Fault::kSyncLosesPages:
    case Fault::kSyncRevertsPages:
    case Fault::kSyncReportedLate:
      return call == Call::kSyncData;
    case Fault::kNone:
    case Fault::kFaults:
      return false;
  }
  return false;
}

const char* NameOf(Call call) {
  constexpr const char* kNames[] = {"open directory",
                                    "create directory",
                                    "create",
                                    "open",
                                    "link",
                                    "unlink",
                                    "rename",
                                    "list",
                                    "fsync",
                                    "lock",
                                    "size",
                                    "read",
                                    "write",
                                    "write",
                                    "allocate",
                                    "allocate",
                                    "truncate",
                                    "fdatasync",
                                    "map",
                                    "protect"};
  static_assert(std::size(kNames) == static_cast<size_t>(Call::kCalls));
  return kNames[static_cast<size_t>(call)];
}

const char* NameOf(Fault fault) {
  constexpr const char* kNames[] = {"none",
                                    "an I/O error",
                                    "a full disk",
                                    "an exceeded quota",
                                    "too many open files",
                                    "a write cut short",
                                    "a disk full in the midst of a write",
                                    "a failed sync that keeps the pages",
                                    "a failed sync that loses the pages",
                                    "a failed sync that reverts the pages",
                                    "a failed sync that is reported late"};
  static_assert(std::size(kNames) == static_cast<size_t>(Fault::kFaults));
  return kNames[static_cast<size_t>(fault)];
}

}  // namespace stave
