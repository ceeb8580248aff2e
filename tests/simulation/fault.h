#ifndef STAVE_TESTS_SIMULATION_FAULT_H_
#define STAVE_TESTS_SIMULATION_FAULT_H_

namespace stave {

// The calls of FileSystem, by what can go wrong with them.
enum class Call {
  kOpenDirectory,
  kCreateDirectory,
  kCreateFile,
  kOpenFile,
  kLink,
  kUnlink,
  kRename,
  kList,
  kSyncDirectory,
  kLock,
  kSize,
  kRead,
  kOverwrite,
  kExtend,         // a write that makes a file longer
  kAllocate,       // which does, too
  kAllocateAgain,  // which does not
  kTruncate,
  kSyncData,
  kMap,
  kMakeReadOnly,
  kCalls,  // their number
};

enum class Fault {
  kNone,
  kIoError,           // EIO, and nothing was done
  kDiskFull,          // ENOSPC where more space is needed
  kQuotaExceeded,     // EDQUOT there
  kTooManyFiles,      // EMFILE where a descriptor is needed
  kWriteCutShort,     // EIO after a part of the bytes
  kFullDiskMidWrite,  // ENOSPC after a part of the bytes
  // fsync fails, and the dirty pages
  kSyncKeepsPages,    // stay dirty
  kSyncLosesPages,    // are taken for clean, though they are not written
  kSyncRevertsPages,  // get back what the device has
  kSyncReportedLate,  // are lost, and the next sync of the file reports it
  kFaults,            // their number
};

// Whether a call of this kind can meet the fault.
bool Applies(Fault fault, Call call);

const char* NameOf(Call call);
const char* NameOf(Fault fault);

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_FAULT_H_
