#ifndef STAVE_TESTS_TOOLS_STAVE_PROGRAM_FIXTURE_H_
#define STAVE_TESTS_TOOLS_STAVE_PROGRAM_FIXTURE_H_

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/tools/stave/process.h"
#include "tools/stave/file_descriptor.h"

namespace stave::tool {

// What a run of the program left behind.
struct Ran {
  int exit_code;
  std::string out;
  std::string error;
};

std::ostream& operator<<(std::ostream& stream, const Ran& ran);

MATCHER_P(Prints, out, "") {
  return arg.exit_code == 0 && arg.out == out && arg.error.empty();
}

MATCHER_P2(Fails, exit_code, message, "") {
  return arg.exit_code == exit_code &&
         arg.error.find(message) != std::string::npos;
}

// Tests that run the program as a user does, on a store of their own, which
// STAVE_STORE names.
class ProgramTest : public testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  ProgramTest();

  std::string Path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  std::string Store() const { return Path("store"); }
  // Variables are those of this fixture alone.
  void Set(const std::string& name, const std::string& value) {
    variables_[name] = value;
  }
  void Unset(const std::string& name) { variables_.erase(name); }

  std::string WriteFile(const std::string& name, std::string_view bytes) const;
  static std::string BytesOf(const std::string& path);

  Ran Run(const Arguments& arguments, std::string_view input = "") const;
  // With the file `in` as standard input.
  Ran RunFrom(const std::string& in, const Arguments& arguments) const;
  // With `input` as standard input, and then an error in place of its end.
  Ran RunFromFailing(std::string_view input, const Arguments& arguments) const;
  // With the file `out` as standard output, or none when that is empty.
  Ran RunInto(const std::string& out, const Arguments& arguments,
              std::string_view input = "") const;

  // Runs it in the background, with pipes to talk with it.
  struct Running {
    std::unique_ptr<Conversation> pipes;
    std::unique_ptr<Process> process;
  };
  Running Start(const Arguments& arguments) const;
  // The same, with a terminal instead of the pipes.
  Running StartOnTerminal(const Arguments& arguments) const;

 private:
  Ran RunWith(const FileDescriptor& in, const std::string& out,
              const Arguments& arguments) const;

  const TemporaryDirectory directory_;
  Variables variables_;
};

}  // namespace stave::tool

#endif  // STAVE_TESTS_TOOLS_STAVE_PROGRAM_FIXTURE_H_
