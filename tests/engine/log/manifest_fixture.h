#ifndef STAVE_TESTS_ENGINE_LOG_MANIFEST_FIXTURE_H_
#define STAVE_TESTS_ENGINE_LOG_MANIFEST_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/types.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/manifest.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {

using Ids = std::vector<SegmentId>;

// Whether the message has this in it.
inline bool Says(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

inline ManifestEdit Add(SegmentId id) {
  return {AddSegmentChange{{SegmentKind::kLog, id, /*salt=*/id * 31}, 0}};
}
inline ManifestEdit Seal(SegmentId id, Sequence greatest_sequence) {
  return {SealSegmentChange{id, {4096, 1, greatest_sequence, 9, 0}}};
}
inline ManifestEdit Remove(SegmentId id) { return {RemoveSegmentChange{id}}; }
inline ManifestEdit Close(SegmentId id) {
  return {CleanCloseChange{id, {4096, 1, 9, 9, 0}}};
}

// A manifest in a directory of its own.
class ManifestFixture : public testing::Test {
 protected:
  using Files = FaultyFileSystem;

  ManifestFixture()
      : directory_(files_.OpenDirectory(temporary_.path()).value()) {}

  void Create() {
    ManifestState state;
    state.base.store_id = 0xabc;
    state.base.hash_secret.fill('s');
    auto manifest = Manifest::Create(directory_.get(), state);
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    manifest_ = *std::move(manifest);
  }
  void Append(const ManifestEdit& edit) {
    ASSERT_EQ(manifest_->Append(edit), absl::OkStatus());
  }
  void Resume() {
    auto manifest = Manifest::Resume(directory_.get(), Load());
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    manifest_ = *std::move(manifest);
  }
  absl::Status Replace() {
    auto manifest = Manifest::Replace(directory_.get(), Load());
    if (manifest.ok()) manifest_ = *std::move(manifest);
    return manifest.status();
  }
  LoadedManifest Load() { return Manifest::Load(directory_.get()).value(); }
  absl::Status LoadStatus() {
    return Manifest::Load(directory_.get()).status();
  }

  // The ids of the segments that the files list.
  Ids Segments() {
    Ids ids;
    for (const auto& each : Load().state.segments) {
      ids.push_back(each.header.id);
    }
    return ids;
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names = directory_->List().value();
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string BytesOf(std::string_view name) {
    auto file = directory_->OpenFile(name, /*writable=*/false).value();
    std::string bytes(file->Size().value(), 'x');
    EXPECT_TRUE(file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())).ok());
    return bytes;
  }
  void SetBytes(std::string_view name, std::string_view bytes) {
    directory_->Unlink(name).IgnoreError();
    auto file = directory_->CreateFile(name).value();
    ASSERT_EQ(file->Write(0, bytes), absl::OkStatus());
  }
  // The valid bytes of MANIFEST-1.
  std::string FirstManifest() {
    return BytesOf("MANIFEST-1").substr(0, Load().length);
  }

  const TemporaryDirectory temporary_;
  FaultyFileSystem files_{PosixFileSystem()};
  const std::unique_ptr<Directory> directory_;
  std::unique_ptr<Manifest> manifest_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_LOG_MANIFEST_FIXTURE_H_
