#ifndef STAVE_TOOLS_STAVE_VERSION_H_
#define STAVE_TOOLS_STAVE_VERSION_H_

namespace stave::tool {

// The same as in MODULE.bazel; a test compares them.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_VERSION_H_
