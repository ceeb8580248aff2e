"""The shell rule that is part of Bazel, under the name of rules_shell."""

def sh_binary(**kwargs):
    native.sh_binary(**kwargs)
