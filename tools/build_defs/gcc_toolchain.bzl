"""A toolchain for GCC beside the default one for Clang.

Bazel configures one compiler, the one that CC names. If --config=gcc changed CC,
every switch of compilers would configure it again. So GCC has a repository of
its own, and both remain configured.
"""

load("@bazel_tools//tools/cpp:cc_configure.bzl", "cc_autoconf_impl")

def _gcc_toolchain_impl(rctx):
    name = rctx.os.environ.get("CLOTHO_GCC", "gcc")
    gcc = rctx.which(name)
    if not gcc:
        fail("--config=gcc: there is no %s on PATH; for another, pass " % name +
             "--repo_env=CLOTHO_GCC=gcc-13")
    cc_autoconf_impl(rctx, overriden_tools = {"gcc": str(gcc)})

gcc_toolchain = repository_rule(
    implementation = _gcc_toolchain_impl,
    configure = True,
    environ = ["CLOTHO_GCC"],
)
