"""Providers that are part of Bazel, under names that defs.bzl can load."""

builtin_cc_info = CcInfo
