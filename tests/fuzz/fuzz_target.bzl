load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def fuzz_target(name, deps, runs = 200000):
    """NAME.cc, as a library and as what runs it.

    NAME_test runs the seeds and `runs` mutations of them, with sanitizers a
    twentieth of that. NAME_libfuzzer goes on until something is found; it is
    built with --config=fuzz.
    """
    cc_library(
        name = name,
        testonly = True,
        srcs = [name + ".cc"],
        deps = deps + [":fuzz_target"],
        alwayslink = True,
    )
    for suffix, count, tags in [
        ("_test", runs, ["no-sanitizers"]),
        ("_sanitizer_test", runs // 20, ["sanitizers-only"]),
    ]:
        cc_test(
            name = name + suffix,
            size = "medium",
            env = {"STAVE_FUZZ_RUNS": str(count)},
            tags = tags,
            deps = [
                ":" + name,
                ":fuzz_main",
            ],
        )
    cc_binary(
        name = name + "_libfuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name],
    )
