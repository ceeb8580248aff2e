#ifndef STAVE_ENGINE_FS_FILE_SYSTEM_H_
#define STAVE_ENGINE_FS_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace stave {

// All that the engine asks of files, so that a simulated disk can take the
// operating system's place. Messages name the operation, the file, the offset
// where there is one, and what the system said:
//   write /data/store/00000000000000a1.seg at 4096: Input/output error
// The codes are
//   NotFound            no such file or directory
//   AlreadyExists       something of that name is there
//   PermissionDenied    EACCES, EPERM, EROFS
//   ResourceExhausted   ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM
//   InvalidArgument     not a regular file, not a directory, or no file's name
//   Unimplemented       the file system can't do it
//   Unavailable         locked by another
//   Internal            EIO and everything else
// EINTR and short reads and writes are dealt with below this interface.
//
// What survives: a process's end, all that a call which returned OK has done,
// stores to mappings included. Loss of power, the bytes and the length that a
// file had when SyncData returned OK, under the names that its directory had
// when Sync returned OK.

// A view of a file in memory. Reads are plain loads from data(). All stores go
// through Store, so that a simulated disk sees them. Stays valid when the File
// that made it is closed. Thread-compatible; loads may run beside stores to
// other bytes.
class FileMapping {
 public:
  virtual ~FileMapping() = default;

  const char* data() const { return data_; }
  size_t size() const { return size_; }

  // Copies `parts`, one after another, to `offset`. The mapping is writable,
  // and the range lies within it and within what Allocate has reserved.
  virtual void Store(size_t offset,
                     absl::Span<const std::string_view> parts) = 0;

  // Makes the pages of [offset, offset + size), a range of a writable mapping
  // and of the file, present and writable, so that the first Store to each
  // takes no page fault; only a hint.
  virtual void Populate(size_t offset, size_t size) = 0;

  // Forbids stores from now on.
  virtual absl::Status MakeReadOnly() = 0;

 protected:
  // `data` stays the business of the subclass.
  FileMapping(char* data, size_t size) : data_(data), size_(size) {}

  char* mutable_data() { return data_; }

 private:
  char* const data_;
  const size_t size_;
};

// An open regular file. Thread-safe. Nothing that it does is durable before
// SyncData.
class File {
 public:
  // Closes. Errors are ignored: what matters has been synced.
  virtual ~File() = default;

  virtual absl::StatusOr<uint64_t> Size() const = 0;

  // Fills `to`, or as much of it as the file has from `offset` on; returns the
  // number of bytes.
  virtual absl::StatusOr<size_t> Read(uint64_t offset,
                                      absl::Span<char> to) const = 0;

  // The same of what is in memory already: never waits for a device, and
  // returns the number of bytes up to where it would have to, or where it can't
  // tell, or where something fails, which Read is to be asked for then.
  virtual size_t ReadCached(uint64_t offset, absl::Span<char> to) const {
    static_cast<void>(offset);
    static_cast<void>(to);
    return 0;
  }

  // Says that [offset, offset + size) will be read soon, so that the device can
  // begin with many such ranges at a time; does not wait. Only a hint.
  virtual void WillNeed(uint64_t offset, uint64_t size) const {
    static_cast<void>(offset);
    static_cast<void>(size);
  }

  // Has the kernel keep [offset, offset + size) of the file, which nobody has
  // read or written since it was allocated, in huge pages, where it has such
  // for files: loads from mappings made of them wait less. `offset` and `size`
  // are multiples of kHugePageBytes. But each byte that is stored there makes a
  // huge page wait for SyncData. Only a hint.
  static constexpr uint64_t kHugePageBytes = uint64_t{2} << 20;
  virtual void CacheInHugePages(uint64_t offset, uint64_t size) const {
    static_cast<void>(offset);
    static_cast<void>(size);
  }

  // Begins to bring what is in [offset, offset + size) to the device, so that
  // the next SyncData has less to wait for; does not wait. Only a hint: nothing
  // is durable before that SyncData, which tells what went wrong here too.
  virtual void StartSync(uint64_t offset, uint64_t size) const {
    static_cast<void>(offset);
    static_cast<void>(size);
  }

  // Writes `parts`, one after another, to `offset`, and makes the file longer
  // if need be. After an error any part of them may have been written.
  virtual absl::Status Write(uint64_t offset,
                             absl::Span<const std::string_view> parts) = 0;
  absl::Status Write(uint64_t offset, std::string_view bytes) {
    return Write(offset, absl::MakeConstSpan(&bytes, 1));
  }

  // Reserves space for [offset, offset + size), and makes the file that long
  // if it is shorter; what is new reads as zeros. Later stores there can't
  // fail for want of space. Unimplemented where this can't be promised. After
  // an error the file may be longer than before, by zeros.
  virtual absl::Status Allocate(uint64_t offset, uint64_t size) = 0;

  // Sets the length; what lies beyond it is given back. The file must not end
  // below what is still read through a mapping.
  virtual absl::Status Truncate(uint64_t size) = 0;

  // Makes the contents, and the length as far as reading needs it, durable
  // (fdatasync), mapped stores included. After an error nothing is known about
  // what is on disk, and a second call that returns OK doesn't change that.
  virtual absl::Status SyncData() = 0;

  // Maps [0, size), which may reach beyond the end of the file: bytes there
  // must not be touched before Allocate or Write has made the file longer.
  // PermissionDenied if `writable` and the file isn't.
  virtual absl::StatusOr<std::unique_ptr<FileMapping>> Map(size_t size,
                                                           bool writable) = 0;
};

// An open directory; its files are named relative to it, so it may be renamed
// meanwhile. A name with a '/' is InvalidArgument. Thread-safe. Names that are
// made, changed and removed are durable from the next Sync on, not before.
class Directory {
 public:
  virtual ~Directory() = default;

  // Makes a new empty file, mode 0600, open for reading and writing.
  // AlreadyExists if there is something of that name.
  virtual absl::StatusOr<std::unique_ptr<File>> CreateFile(
      std::string_view name) = 0;

  // Opens a regular file; symbolic links are not followed.
  virtual absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                         bool writable) = 0;

  // Gives the file that is called `name` in `from` that name here, too (a hard
  // link). `from` was opened by the same FileSystem. AlreadyExists if there is
  // something of that name here; Unimplemented where it can't be done, as
  // between two file systems.
  virtual absl::Status Link(Directory* from, std::string_view name) = 0;

  // Removes a file's name; Files and FileMappings of it stay valid.
  virtual absl::Status Unlink(std::string_view name) = 0;

  // Gives the file that is called `from` the name `to`, in place of what has
  // it, at one instant: nobody finds `to` missing, nor does who comes after a
  // loss of power, whichever of the two files it is then. InvalidArgument if
  // `to` is a directory.
  virtual absl::Status Rename(std::string_view from, std::string_view to) = 0;

  // Names of everything in the directory but "." and "..", in no order.
  virtual absl::StatusOr<std::vector<std::string>> List() = 0;

  // Makes the names that were made, changed and removed before durably so
  // (fsync).
  virtual absl::Status Sync() = 0;

  // Takes the exclusive lock of file `name`, which is created if need be and
  // gets `contents`, for information. The lock is held until the result is
  // destroyed, or until the process has ended and with it every forked child
  // that did not exec; the file stays. Unavailable, with the first line of the
  // file in the message, when somebody else has the lock, be it in this
  // process.
  virtual absl::StatusOr<std::unique_ptr<File>> Lock(
      std::string_view name, std::string_view contents) = 0;

  // Whether stores to mapped files are safe here: space that Allocate has
  // reserved is there to be written. True for ext4, xfs and tmpfs.
  virtual bool SupportsMappedAppends() const = 0;

  // The path as it was opened, for messages.
  virtual const std::string& path() const = 0;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) = 0;

  // Makes a directory, mode 0700, and makes its name durable. Its parent
  // exists. AlreadyExists if there is something of that name, which is durable
  // then too. After another error the directory may be there.
  virtual absl::Status CreateDirectory(std::string_view path) = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_FILE_SYSTEM_H_
