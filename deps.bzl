"""What stave depends on, for builds that use a WORKSPACE file.

    load("@stave//:deps.bzl", "stave_dependencies")
    stave_dependencies()

A name that the workspace has defined before is left alone, so that it may
bring its own Abseil, xxHash, zstd, lz4 or rules. MODULE.bazel is the other way to the
same labels, for Bazel 7 and later.
"""

load("//third_party:abseil-cpp.bzl", "abseil_files")
load("//third_party:stand_in.bzl", "stand_in_repository")

def _maybe(rule, name, **kwargs):
    if name not in native.existing_rules():
        rule(name = name, **kwargs)

def _library(name, package, headers):
    """A stand-in of one BUILD file over headers of the system."""
    _maybe(
        stand_in_repository,
        name = name,
        headers = headers,
        links = {
            Label("//third_party:libraries/%s.BUILD" % name): "BUILD.bazel",
        },
        package = package,
    )

def _rules():
    """The rules that Bazel 6 and older have built in or look for online."""
    _maybe(
        stand_in_repository,
        name = "rules_cc",
        files = {"cc/BUILD.bazel": ""},
        links = {
            Label("//third_party:rules_cc/%s.bzl" % name): "cc/%s.bzl" % name
            for name in ["builtin", "defs"]
        },
    )
    _maybe(
        stand_in_repository,
        name = "rules_shell",
        files = {"shell/BUILD.bazel": ""},
        links = {
            Label("//third_party:rules_shell/sh_%s.bzl" % kind): "shell/sh_%s.bzl" % kind
            for kind in ["binary", "library", "test"]
        },
    )
    _maybe(
        native.local_repository,
        name = "rules_java",
        path = "/usr/share/bazel/rules/java",
    )
    _maybe(
        stand_in_repository,
        name = "remote_coverage_tools",
        links = {
            Label("//third_party:libraries/remote_coverage_tools.BUILD"): "BUILD.bazel",
        },
    )

def stave_dependencies():
    """Defines those repositories stave needs that do not exist yet."""
    _rules()
    _maybe(
        stand_in_repository,
        name = "abseil-cpp",
        files = abseil_files(),
        headers = {"/usr/include/absl": "include/absl"},
        package = "libabsl-dev",
    )
    _library(
        name = "xxhash",
        headers = {"/usr/include/xxhash.h": "include/xxhash.h"},
        package = "libxxhash-dev",
    )
    _library(
        name = "zstd",
        headers = {
            "/usr/include/zdict.h": "include/zdict.h",
            "/usr/include/zstd.h": "include/zstd.h",
            "/usr/include/zstd_errors.h": "include/zstd_errors.h",
        },
        package = "libzstd-dev",
    )
    _library(
        name = "lz4",
        headers = {"/usr/include/lz4.h": "include/lz4.h"},
        package = "liblz4-dev",
    )
    _library(
        name = "googletest",
        headers = {
            "/usr/include/gmock": "include/gmock",
            "/usr/include/gtest": "include/gtest",
        },
        package = "libgtest-dev and libgmock-dev",
    )
    _library(
        name = "google_benchmark",
        headers = {"/usr/include/benchmark": "include/benchmark"},
        package = "libbenchmark-dev",
    )
    _library(
        name = "cli11",
        headers = {"/usr/include/CLI": "include/CLI"},
        package = "libcli11-dev",
    )
    _library(
        name = "nlohmann_json",
        headers = {"/usr/include/nlohmann": "include/nlohmann"},
        package = "nlohmann-json3-dev",
    )
    _library(
        name = "readline",
        headers = {
            "/usr/include/editline/history.h": "include/readline/history.h",
            "/usr/include/editline/readline.h": "include/readline/readline.h",
        },
        package = "libedit-dev",
    )
