"""The object files of a C++ library and all that it stands on."""

load("@rules_cc//cc:defs.bzl", "CcInfo")

def _objects_impl(ctx):
    own = []
    foreign = []
    for input in ctx.attr.library[CcInfo].linking_context.linker_inputs.to_list():
        objects = foreign if input.owner.workspace_name else own
        for library in input.libraries:
            # For programs that may lie anywhere, which is gcc's default.
            objects.extend(library.pic_objects or library.objects or [])
    origin = ctx.actions.declare_file(ctx.label.name + ".origin")
    ctx.actions.write(origin, "built\n" if foreign else "system\n")
    return [
        DefaultInfo(files = depset(own)),
        OutputGroupInfo(origin = depset([origin])),
    ]

objects = rule(
    implementation = _objects_impl,
    attrs = {
        "library": attr.label(
            doc = "A cc_library.",
            mandatory = True,
            providers = [CcInfo],
        ),
    },
    doc = """The objects of this project's own code in a library, position-independent.

    The output group "origin" is a file that says where the code of others
    comes from: "system", so that a dependent finds it there too, or "built",
    so that nobody has it but this build.""",
)
