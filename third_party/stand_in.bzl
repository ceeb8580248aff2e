"""Repositories made of what the machine already has.

A stand-in takes the name of a repository that the build refers to, and fills
it from the distribution's packages instead of from the network.
"""

def _stand_in_impl(ctx):
    for source, target in ctx.attr.headers.items():
        if not ctx.path(source).exists:
            fail(("\n@%s stands for the system's %s, and %s is not there.\n" +
                  "Install the package (./bazelw does), or define a " +
                  "repository @%s before stave_dependencies().") %
                 (ctx.name, ctx.attr.package, source, ctx.name))

        # A copy, not a link: clang tells headers apart by inode, and would
        # take a linked one for a system header that any target may include.
        target = ctx.path(target)
        parent = str(target.dirname)
        for command in [["mkdir", "-p", parent], ["cp", "-RL", source, str(target)]]:
            result = ctx.execute(command)
            if result.return_code != 0:
                fail("@%s: %s: %s" % (ctx.name, " ".join(command), result.stderr))
    for label, target in ctx.attr.links.items():
        ctx.symlink(label, target)
    for path, content in ctx.attr.files.items():
        ctx.file(path, content, executable = False)

stand_in_repository = repository_rule(
    implementation = _stand_in_impl,
    local = True,
    attrs = {
        "files": attr.string_dict(
            doc = "Path in the repository to the text of the file there.",
        ),
        "headers": attr.string_dict(
            doc = "File or folder of the system to its place here.",
        ),
        "links": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "File of this project to its place in the repository.",
        ),
        "package": attr.string(
            doc = "The distribution's package that brings the headers.",
        ),
    },
    doc = "A repository filled from the system's headers and given files.",
)
