#ifndef STAVE_ENGINE_CORE_DICTIONARY_FILE_H_
#define STAVE_ENGINE_CORE_DICTIONARY_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/dictionary.h"
#include "engine/format/manifest_edit.h"
#include "engine/fs/file_system.h"

namespace stave {

// The dictionaries of a store, as files of its directory. One that is sound
// never changes and is never removed: who meets a value that needs it may read
// it at any time. What is not sound, and not listed, was not finished.

// The one of this id. NotFound: there is no such file; DataLoss: it is not
// sound. Errors name the file.
absl::StatusOr<std::unique_ptr<const Dictionary>> ReadDictionary(
    Directory* directory, uint64_t id);

// The one that the manifest lists so; DataLoss also if it is missing, or
// another one.
absl::StatusOr<std::unique_ptr<const Dictionary>> ReadListedDictionary(
    Directory* directory, const DictionaryChange& listed);

// The ids of which there are files among `names`.
std::vector<uint64_t> DictionariesAmong(const std::vector<std::string>& names);

// Makes the dictionary's file, in place of what was not finished. When this
// returns OK it is on the device, under its name, also if it was there before:
// then its bytes are written once more, since an error of writing them back may
// have been told to a process that is gone. AlreadyExists if there is a sound
// one of this id that differs. After any other error there is no file, if that
// can be.
absl::Status WriteDictionary(Directory* directory,
                             const Dictionary& dictionary);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_DICTIONARY_FILE_H_
