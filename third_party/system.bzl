"""Repositories made from packages that the system's package manager installed.

Bazel sees the headers and static libraries as files: it passes exactly these to
the compiler, and rebuilds when a new version of a package replaces them.
"""

_PREFIXES = ["/usr", "/usr/local"]

def missing(rctx, what):
    """Stops with a message that says how to get the dependency.

    Args:
      rctx: the repository context; its rule has the attribute `packages`.
      what: what was not found, and where.
    """
    packages = " ".join(rctx.attr.packages)
    fail(
        ("@{name}: {what} is not installed.\n" +
         "    On Debian 12, run `tools/bazel` instead of `bazel`: it installs " +
         "{packages} and whatever else is missing.\n" +
         "    Elsewhere, install your system's package, or build it from " +
         "source: --override_repository={name}=<a source checkout>")
            .format(name = rctx.name, what = what, packages = packages),
    )

def find_header(rctx, name):
    """The path of a header or a folder of headers, which must exist."""
    for prefix in _PREFIXES:
        path = rctx.path(prefix + "/include/" + name)
        if path.exists:
            return path
    return missing(rctx, "include/" + name)

def find_library_dir(rctx, library):
    """The folder of lib<library>.a, which must exist."""
    multiarch = rctx.execute(["uname", "-m"]).stdout.strip() + "-linux-gnu"
    for prefix in _PREFIXES:
        for lib in ["lib/" + multiarch, "lib64", "lib"]:
            path = rctx.path("%s/%s" % (prefix, lib))
            if path.get_child("lib%s.a" % library).exists:
                return path
    return missing(rctx, "lib%s.a" % library)

def copy_header(rctx, name):
    """Copies a header, or a folder of headers, to include/.

    Links would not do, because Clang's layering_check follows them to the
    system's include folder, where every target may read everything.

    Args:
      rctx: the repository context.
      name: the path under the include folder.
    """
    command = ["cp", "-R", str(find_header(rctx, name)), "include/" + name]
    rctx.file("include/.copied")  # Makes the folder.
    result = rctx.execute(command)
    if result.return_code:
        fail("@%s: %s" % (rctx.name, result.stderr))

def _system_repository_impl(rctx):
    for name in rctx.attr.headers:
        copy_header(rctx, name)
    for name in rctx.attr.libraries:
        archive = "lib%s.a" % name
        path = find_library_dir(rctx, name).get_child(archive)
        rctx.symlink(path, "lib/" + archive)
    rctx.symlink(rctx.attr.build_file, "BUILD.bazel")

system_repository = repository_rule(
    implementation = _system_repository_impl,
    doc = "Headers under include/, static libraries under lib/, one BUILD file.",
    local = True,  # Evaluated again by every Bazel server.
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "headers": attr.string_list(
            doc = "Files or folders under the system's include folder.",
        ),
        "libraries": attr.string_list(doc = "`foo` for libfoo.a."),
        "packages": attr.string_list(
            mandatory = True,
            doc = "The Debian packages that hold them.",
        ),
    },
)

def _system_folder_impl(rctx):
    folder = rctx.path(rctx.attr.path)
    if not folder.exists:
        missing(rctx, rctx.attr.path)
    for entry in folder.readdir():
        rctx.symlink(entry, entry.basename)

system_folder = repository_rule(
    implementation = _system_folder_impl,
    doc = "A folder that a package installed, as it is.",
    local = True,
    attrs = {
        "packages": attr.string_list(mandatory = True),
        "path": attr.string(mandatory = True),
    },
)

def _stub_repository_impl(rctx):
    for label, path in rctx.attr.files.items():
        rctx.symlink(label, path)

stub_repository = repository_rule(
    implementation = _stub_repository_impl,
    doc = "A repository of a few files of our own.",
    attrs = {
        "files": attr.label_keyed_string_dict(
            mandatory = True,
            allow_files = True,
            doc = "Where in the repository each file goes.",
        ),
    },
)
