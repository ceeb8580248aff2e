"""The shell rule that is part of Bazel, under the name of rules_shell."""

def sh_test(**kwargs):
    native.sh_test(**kwargs)
