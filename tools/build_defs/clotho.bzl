"""The rules that every BUILD file of this repository uses for C++.

They are Bazel's rules with three things added: the project's include paths, its
warnings, and the requirement that a target names all its dependencies. As
everywhere in Bazel, targets are private unless they say otherwise.
"""

# With Clang, an undeclared dependency is an error. The toolchain that Bazel
# configures for GCC ignores these features.
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
    # Headers that are not ours, in case one of these is built from source.
    "--system-header-prefix=absl/",
    "--system-header-prefix=gmock/",
    "--system-header-prefix=gtest/",
    "-Wimplicit-fallthrough",
    "-Wshadow",
]

# g++ 12 has false positives for these.
_GCC_WARNINGS = [
    "-Wno-maybe-uninitialized",
    "-Wno-restrict",
    "-Wno-stringop-overflow",
    "-Wno-stringop-overread",
    "-Wno-stringop-truncation",
]

def _copts():
    # In another workspace, with a compiler that we have not tested, a warning
    # must not stop the build.
    werror = ["-Werror"] if native.repository_name() == "@" else []
    return _WARNINGS + select({
        str(Label("//tools/build_defs:clang")): _CLANG_WARNINGS,
        "//conditions:default": _GCC_WARNINGS,
    }) + werror

def _settings(kwargs):
    """The settings that all rules share; those of the target override them."""
    settings = dict(kwargs)
    settings["copts"] = _copts() + kwargs.get("copts", [])
    settings["features"] = _FEATURES + kwargs.get("features", [])
    return settings

def clotho_cc_library(name, **kwargs):
    """A cc_library whose header `runtime/task.h` is "clotho/runtime/task.h".

    This holds inside and outside this repository, so that a user's own
    `runtime/` folder never shadows ours.

    Args:
      name: the name of the target.
      **kwargs: as for cc_library.
    """
    settings = _settings(kwargs)
    settings["include_prefix"] = "/".join(["clotho", native.package_name()])
    native.cc_library(name = name, **settings)

def clotho_cc_test(
        name,
        main = "@com_google_googletest//:gtest_main",
        **kwargs):
    """A cc_test with GoogleTest. Small by default: one minute, one core.

    Args:
      name: the name of the target.
      main: the library with the main function: //sim:testing_main for tests
        that use CLOTHO_TEST.
      **kwargs: as for cc_test. `deps` need not name GoogleTest.
    """
    kwargs.setdefault("size", "small")
    settings = _settings(kwargs)
    settings["deps"] = kwargs.get("deps", []) + [
        "@com_google_googletest//:gtest",
        main,
    ]
    native.cc_test(name = name, **settings)

def clotho_cc_binary(name, **kwargs):
    """A cc_binary.

    Args:
      name: the name of the target.
      **kwargs: as for cc_binary.
    """
    native.cc_binary(name = name, **_settings(kwargs))

def _campaign_impl(ctx):
    program = ctx.attr.test[DefaultInfo]
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = executable,
        target_file = program.files_to_run.executable,
        is_executable = True,
    )
    env = {
        # Bazel provides the shard and the number of the run (--runs_per_test).
        "CLOTHO_SHARD": "auto",
        "CLOTHO_SHARD_BY": "schedules",
        "CLOTHO_FAILURES": "0",
        "CLOTHO_SCHEDULES": ctx.attr.schedules,
    }
    if ctx.attr.strategy:
        env["CLOTHO_STRATEGY"] = ctx.attr.strategy
    if ctx.attr.seed:
        env["CLOTHO_SEED"] = ctx.attr.seed
    if ctx.attr.tests:
        env["GTEST_FILTER"] = ctx.attr.tests
    return [
        DefaultInfo(
            executable = executable,
            runfiles = ctx.runfiles(files = [executable]).merge(
                program.default_runfiles,
            ),
        ),
        testing.TestEnvironment(env),
    ]

_campaign_test = rule(
    implementation = _campaign_impl,
    test = True,
    attrs = {
        # (A string, because Bazel's integers have 32 bits.)
        "schedules": attr.string(mandatory = True),
        "seed": attr.string(),
        "strategy": attr.string(),
        "test": attr.label(
            mandatory = True,
            executable = True,
            cfg = "target",
        ),
        "tests": attr.string(),
    },
)

def clotho_campaign(
        name,
        test,
        schedules,
        shards = 50,
        strategy = None,
        seed = None,
        tests = None,
        **kwargs):
    """A campaign over a test's executions, divided into shards that Bazel runs.

    Each shard runs its share of the executions of every test. With
    --runs_per_test=R there are R times as many, all different.
    `clotho merge bazel-testlogs/...` combines the results.

    Args:
      name: the name of the target. It runs only if it is requested by name.
      test: a clotho_cc_test, or a binary with the same contents.
      schedules: the number of executions of each test, over all shards.
      shards: the number of shards; Bazel allows at most 50.
      strategy: as --clotho_strategy; None: each test's own.
      seed: as --clotho_seed.
      tests: as --gtest_filter; None: all.
      **kwargs: as for any test.
    """
    if shards < 1 or shards > 50:
        fail(("clotho_campaign %s: shards = %d: expected 1 to 50, the maximum " +
              "of Bazel; for more, use --runs_per_test") % (name, shards))
    kwargs.setdefault("size", "enormous")
    _campaign_test(
        name = name,
        test = test,
        schedules = str(schedules),
        strategy = strategy,
        seed = None if seed == None else str(seed),
        tests = tests,
        shard_count = shards,
        tags = ["clotho-campaign", "manual"] + kwargs.pop("tags", []),
        testonly = True,
        **kwargs
    )
