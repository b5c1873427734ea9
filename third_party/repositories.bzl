"""The dependencies of Clotho, under the names that upstream's builds use.

A BUILD file says @com_google_absl//absl/time, as it would elsewhere. Here
these repositories are made from the system's packages. To build one from source
instead, name a checkout of it, and change nothing else:

    --override_repository=com_google_absl=/path/to/abseil-cpp

A workspace that uses Clotho loads `clotho_dependencies`. What it has already
declared under one of the names is kept.
"""

load("//third_party:abseil.bzl", "abseil_repository")
load(
    "//third_party:system.bzl",
    "stub_repository",
    "system_folder",
    "system_repository",
)

def _maybe(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def clotho_dependencies():
    """Declares the libraries that Clotho and its tests are built with."""
    declare_dependencies(_maybe)

def declare_dependencies(declare):
    """The same, for WORKSPACE and MODULE.bazel.

    Args:
      declare: a function that calls a rule: declare(rule, name, **kwargs).
    """
    declare(
        abseil_repository,
        name = "com_google_absl",
        packages = ["libabsl-dev"],
    )
    declare(
        system_repository,
        name = "com_google_googletest",
        build_file = Label("//third_party:googletest.BUILD"),
        headers = ["gmock", "gtest"],
        libraries = ["gmock", "gmock_main", "gtest"],
        packages = ["libgmock-dev", "libgtest-dev"],
    )
    declare(
        system_repository,
        name = "rapidcheck",
        build_file = Label("//third_party:rapidcheck.BUILD"),
        headers = ["rapidcheck", "rapidcheck.h"],
        libraries = ["rapidcheck"],
        packages = ["librapidcheck-dev"],
    )
    declare(
        system_repository,
        name = "com_github_google_benchmark",
        build_file = Label("//third_party:benchmark.BUILD"),
        headers = ["benchmark"],
        # Debian has the library itself only as a shared library.
        libraries = ["benchmark_main"],
        packages = ["libbenchmark-dev"],
    )
    declare(
        system_repository,
        name = "nlohmann_json",
        build_file = Label("//third_party:nlohmann_json.BUILD"),
        headers = ["nlohmann"],
        packages = ["nlohmann-json3-dev"],
    )

def clotho_build_tools():
    """Declares repositories that Bazel itself would otherwise download.

    None of them is part of Clotho. Bazel 4 loads these repositories for any
    build, and the coverage tools for any test.
    """
    _maybe(
        stub_repository,
        name = "rules_cc",
        files = {
            Label("//third_party:rules_cc/BUILD.overlay"): "cc/BUILD",
            Label("//third_party:rules_cc/defs.bzl"): "cc/defs.bzl",
        },
    )
    _maybe(
        system_folder,
        name = "rules_java",
        packages = ["bazel-rules-java"],
        path = "/usr/share/bazel/rules/java",
    )
    _maybe(
        system_folder,
        name = "rules_proto",
        packages = ["bazel-rules-proto"],
        path = "/usr/share/bazel/rules/proto",
    )
    _maybe(
        stub_repository,
        name = "remote_coverage_tools",
        files = {
            Label("//third_party:remote_coverage_tools/BUILD.overlay"): "BUILD",
            Label("//third_party:remote_coverage_tools/unsupported.sh"): "unsupported.sh",
        },
    )
