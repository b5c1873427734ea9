"""The rules that every BUILD file of this repository uses for C++.

Those of Bazel, with three things settled once: the project's own include paths,
its warnings, and that a target names all that it uses. Targets are private
unless they say otherwise, as everywhere in Bazel.
"""

# Clang reports a dependency that is used but not declared; the toolchain that
# Bazel configures for GCC cannot, and ignores these.
_FEATURES = [
    "layering_check",
    "parse_headers",
]

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wcast-qual",
    "-Woverloaded-virtual",
    "-Wreturn-type",
    "-Wvla",
]

_CLANG_WARNINGS = [
    # Headers that are not ours, should somebody build one of these from source.
    "--system-header-prefix=absl/",
    "--system-header-prefix=gmock/",
    "--system-header-prefix=gtest/",
    "-Wimplicit-fallthrough",
    "-Wshadow",
]

# g++ 12 reports these where there is nothing to report.
_GCC_WARNINGS = [
    "-Wno-maybe-uninitialized",
    "-Wno-restrict",
    "-Wno-stringop-overflow",
    "-Wno-stringop-overread",
    "-Wno-stringop-truncation",
]

def _copts():
    # In somebody else's workspace, with a compiler that we have not met, a
    # warning must not stop the build.
    werror = ["-Werror"] if native.repository_name() == "@" else []
    return _WARNINGS + select({
        str(Label("//tools/build_defs:clang")): _CLANG_WARNINGS,
        "//conditions:default": _GCC_WARNINGS,
    }) + werror

def _settings(kwargs):
    """What all rules share; what the target says itself comes last and wins."""
    settings = dict(kwargs)
    settings["copts"] = _copts() + kwargs.get("copts", [])
    settings["features"] = _FEATURES + kwargs.get("features", [])
    return settings

def clotho_cc_library(name, **kwargs):
    """A cc_library whose header `runtime/task.h` is "clotho/runtime/task.h".

    Inside this repository and outside, so that a user's own `runtime/` folder
    never captures ours.

    Args:
      name: the name of the target.
      **kwargs: as for cc_library.
    """
    settings = _settings(kwargs)
    settings["include_prefix"] = "/".join(["clotho", native.package_name()])
    native.cc_library(name = name, **settings)

def clotho_cc_test(name, **kwargs):
    """A cc_test. Small, unless it says otherwise: one minute, one core.

    Args:
      name: the name of the target.
      **kwargs: as for cc_test.
    """
    kwargs.setdefault("size", "small")
    native.cc_test(name = name, **_settings(kwargs))

def clotho_cc_binary(name, **kwargs):
    """A cc_binary.

    Args:
      name: the name of the target.
      **kwargs: as for cc_binary.
    """
    native.cc_binary(name = name, **_settings(kwargs))
