"""The dependencies of Clotho as an extension of MODULE.bazel (Bazel 7 and newer)."""

load("//third_party:repositories.bzl", "declare_dependencies")

def _declare(rule, name, **kwargs):
    rule(name = name, **kwargs)

def _system_packages_impl(_):
    declare_dependencies(_declare)

system_packages = module_extension(
    implementation = _system_packages_impl,
    doc = "Repositories made from packages that the system has installed.",
)
