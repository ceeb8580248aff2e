"""The packages and targets of Abseil, over the distribution's libabsl-dev."""

# Folder to target to headers, as in Abseil's own BUILD files, where every
# folder is a package. Only what libabsl-dev 20220623 and the current releases
# both have is listed.
_PACKAGES = {
    "algorithm": {
        "algorithm": ["algorithm.h"],
        "container": ["container.h"],
    },
    "base": {
        "base": ["call_once.h", "casts.h"],
        "config": ["config.h", "options.h", "policy_checks.h"],
        "core_headers": [
            "attributes.h",
            "const_init.h",
            "macros.h",
            "optimization.h",
            "port.h",
            "thread_annotations.h",
        ],
        "dynamic_annotations": ["dynamic_annotations.h"],
        "log_severity": ["log_severity.h"],
    },
    "cleanup": {
        "cleanup": ["cleanup.h"],
    },
    "container": {
        "btree": ["btree_map.h", "btree_set.h"],
        "fixed_array": ["fixed_array.h"],
        "flat_hash_map": ["flat_hash_map.h"],
        "flat_hash_set": ["flat_hash_set.h"],
        "inlined_vector": ["inlined_vector.h"],
        "node_hash_map": ["node_hash_map.h"],
        "node_hash_set": ["node_hash_set.h"],
    },
    "debugging": {
        "failure_signal_handler": ["failure_signal_handler.h"],
        "leak_check": ["leak_check.h"],
        "stacktrace": ["stacktrace.h"],
        "symbolize": ["symbolize.h"],
    },
    "flags": {
        "commandlineflag": ["commandlineflag.h"],
        "config": ["config.h", "usage_config.h"],
        "flag": ["declare.h", "flag.h"],
        "marshalling": ["marshalling.h"],
        "parse": ["parse.h"],
        "reflection": ["reflection.h"],
        "usage": ["usage.h"],
    },
    "functional": {
        "any_invocable": ["any_invocable.h"],
        "bind_front": ["bind_front.h"],
        "function_ref": ["function_ref.h"],
    },
    "hash": {
        "hash": ["hash.h"],
        "hash_testing": ["hash_testing.h"],
    },
    "memory": {
        "memory": ["memory.h"],
    },
    "meta": {
        "type_traits": ["type_traits.h"],
    },
    "numeric": {
        "bits": ["bits.h"],
        "int128": ["int128.h"],
    },
    "random": {
        "bit_gen_ref": ["bit_gen_ref.h"],
        "distributions": [
            "bernoulli_distribution.h",
            "beta_distribution.h",
            "discrete_distribution.h",
            "distributions.h",
            "exponential_distribution.h",
            "gaussian_distribution.h",
            "log_uniform_int_distribution.h",
            "poisson_distribution.h",
            "uniform_int_distribution.h",
            "uniform_real_distribution.h",
            "zipf_distribution.h",
        ],
        "random": ["random.h"],
        "seed_sequences": ["seed_gen_exception.h", "seed_sequences.h"],
    },
    "status": {
        "status": ["status.h", "status_payload_printer.h"],
        "statusor": ["statusor.h"],
    },
    "strings": {
        "cord": ["cord.h", "cord_buffer.h"],
        "str_format": ["str_format.h"],
        "string_view": ["string_view.h"],
        "strings": [
            "ascii.h",
            "charconv.h",
            "escaping.h",
            "match.h",
            "numbers.h",
            "str_cat.h",
            "str_join.h",
            "str_replace.h",
            "str_split.h",
            "string_view.h",
            "strip.h",
            "substitute.h",
        ],
    },
    "synchronization": {
        "synchronization": [
            "barrier.h",
            "blocking_counter.h",
            "mutex.h",
            "notification.h",
        ],
    },
    "time": {
        "time": ["civil_time.h", "clock.h", "time.h"],
    },
    "types": {
        "any": ["any.h"],
        "compare": ["compare.h"],
        "optional": ["optional.h"],
        "span": ["span.h"],
        "variant": ["variant.h"],
    },
    "utility": {
        "utility": ["utility.h"],
    },
}

# Dependents before what they depend on, the order of
# `pkg-config --libs absl_...`, so that static archives link too.
_LIBRARIES = [
    "absl_bad_any_cast_impl",
    "absl_cordz_sample_token",
    "absl_failure_signal_handler",
    "absl_examine_stack",
    "absl_flags_parse",
    "absl_flags_usage",
    "absl_flags_usage_internal",
    "absl_flags_internal",
    "absl_flags_marshalling",
    "absl_flags_reflection",
    "absl_flags_private_handle_accessor",
    "absl_flags_commandlineflag",
    "absl_flags_commandlineflag_internal",
    "absl_flags_config",
    "absl_flags_program_name",
    "absl_leak_check",
    "absl_hash",
    "absl_city",
    "absl_low_level_hash",
    "absl_periodic_sampler",
    "absl_random_distributions",
    "absl_random_seed_sequences",
    "absl_random_internal_pool_urbg",
    "absl_random_internal_randen",
    "absl_random_internal_randen_hwaes",
    "absl_random_internal_randen_hwaes_impl",
    "absl_random_internal_randen_slow",
    "absl_random_internal_platform",
    "absl_random_internal_seed_material",
    "absl_random_seed_gen_exception",
    "absl_raw_hash_set",
    "absl_hashtablez_sampler",
    "absl_scoped_set_env",
    "absl_statusor",
    "absl_status",
    "absl_cord",
    "absl_cordz_info",
    "absl_cord_internal",
    "absl_cordz_functions",
    "absl_exponential_biased",
    "absl_cordz_handle",
    "absl_bad_optional_access",
    "absl_str_format_internal",
    "absl_strerror",
    "absl_synchronization",
    "absl_graphcycles_internal",
    "absl_stacktrace",
    "absl_symbolize",
    "absl_debugging_internal",
    "absl_demangle_internal",
    "absl_malloc_internal",
    "absl_time",
    "absl_civil_time",
    "absl_strings",
    "absl_strings_internal",
    "absl_base",
    "absl_spinlock_wait",
    "absl_int128",
    "absl_throw_delegate",
    "absl_time_zone",
    "absl_bad_variant_access",
    "absl_raw_logging_internal",
    "absl_log_severity",
]

_HEADER = """
load("@rules_cc//cc:defs.bzl", "cc_library")

package(
    default_visibility = ["//visibility:public"],
    features = ["-layering_check", "-parse_headers"],
)

licenses(["notice"])
"""

# Every header, Abseil's own internal ones too, and every library. Where all of
# a program's own code is in the program, the linker leaves out the libraries
# that nothing uses. Where it is in shared libraries (tests, by Bazel's
# default), gold would leave out too many.
_ALL = """
exports_files(glob(["absl/**"]))

cc_library(
    name = "abseil",
    textual_hdrs = glob(["absl/**"]),
    includes = ["."],
    linkopts = select({
        ":own_code_is_static": ["-Wl,--push-state,--as-needed"],
        "//conditions:default": ["-Wl,--push-state,--no-as-needed"],
    }) + [
        %s
        "-Wl,--pop-state",
        "-pthread",
    ],
)

config_setting(
    name = "own_code_is_static",
    values = {"dynamic_mode": "off"},
)
"""

_TARGET = """
cc_library(
    name = "%s",
    hdrs = [%s],
    deps = ["//include:abseil"],
)
"""

def _package_text(folder, targets):
    text = _HEADER
    for name, headers in targets.items():
        labels = ['"//include:absl/%s/%s"' % (folder, h) for h in headers]
        text += _TARGET % (name, ", ".join(labels))
    return text

def abseil_files():
    """The BUILD files of a stand-in whose headers lie in include/absl."""
    linkopts = "\n        ".join(['"-l%s",' % name for name in _LIBRARIES])
    files = {"include/BUILD.bazel": _HEADER + _ALL % linkopts}
    for folder, targets in _PACKAGES.items():
        path = "absl/%s/BUILD.bazel" % folder
        files[path] = _package_text(folder, targets)
    return files
