"""The shell rule that is part of Bazel, under the name of rules_shell."""

def sh_library(**kwargs):
    native.sh_library(**kwargs)
