"""@com_google_absl, made from an installed Abseil.

It has upstream's packages and targets, each with upstream's headers: a BUILD
file that is correct here is also correct with a checkout of Abseil.
"""

load("//third_party:system.bzl", "copy_header", "find_header", "find_library_dir")

# The public headers of each public target, by package. A header that the
# installed version does not have is left out.
_TARGETS = {
    "algorithm": {
        "algorithm": ["algorithm.h"],
        "container": ["container.h"],
    },
    "base": {
        "base": ["call_once.h", "casts.h"],
        "config": ["config.h", "options.h", "policy_checks.h"],
        "core_headers": [
            "attributes.h",
            "const_init.h",
            "macros.h",
            "optimization.h",
            "port.h",
            "thread_annotations.h",
        ],
        "dynamic_annotations": ["dynamic_annotations.h"],
        "log_severity": ["log_severity.h"],
        "no_destructor": ["no_destructor.h"],
        "nullability": ["nullability.h"],
        "prefetch": ["prefetch.h"],
    },
    "cleanup": {
        "cleanup": ["cleanup.h"],
    },
    "container": {
        "btree": ["btree_map.h", "btree_set.h"],
        "fixed_array": ["fixed_array.h"],
        "flat_hash_map": ["flat_hash_map.h"],
        "flat_hash_set": ["flat_hash_set.h"],
        "inlined_vector": ["inlined_vector.h"],
        "node_hash_map": ["node_hash_map.h"],
        "node_hash_set": ["node_hash_set.h"],
    },
    "crc": {
        "crc32c": ["crc32c.h"],
    },
    "debugging": {
        "failure_signal_handler": ["failure_signal_handler.h"],
        "leak_check": ["leak_check.h"],
        "stacktrace": ["stacktrace.h"],
        "symbolize": ["symbolize.h"],
    },
    "flags": {
        "commandlineflag": ["commandlineflag.h"],
        "config": ["config.h", "usage_config.h"],
        "flag": ["declare.h", "flag.h"],
        "marshalling": ["marshalling.h"],
        "parse": ["parse.h"],
        "reflection": ["reflection.h"],
        "usage": ["usage.h"],
    },
    "functional": {
        "any_invocable": ["any_invocable.h"],
        "bind_front": ["bind_front.h"],
        "function_ref": ["function_ref.h"],
        "overload": ["overload.h"],
    },
    "hash": {
        "hash": ["hash.h"],
    },
    "memory": {
        "memory": ["memory.h"],
    },
    "meta": {
        "type_traits": ["type_traits.h"],
    },
    "numeric": {
        "bits": ["bits.h"],
        "int128": ["int128.h"],
    },
    "random": {
        "bit_gen_ref": ["bit_gen_ref.h"],
        "distributions": [
            "bernoulli_distribution.h",
            "beta_distribution.h",
            "discrete_distribution.h",
            "distributions.h",
            "exponential_distribution.h",
            "gaussian_distribution.h",
            "log_uniform_int_distribution.h",
            "poisson_distribution.h",
            "uniform_int_distribution.h",
            "uniform_real_distribution.h",
            "zipf_distribution.h",
        ],
        "random": ["random.h"],
        "seed_gen_exception": ["seed_gen_exception.h"],
        "seed_sequences": ["seed_sequences.h"],
    },
    "status": {
        "status": ["status.h", "status_payload_printer.h"],
        "statusor": ["statusor.h"],
    },
    "strings": {
        "cord": ["cord.h", "cord_analysis.h", "cord_buffer.h"],
        "str_format": ["str_format.h"],
        "strings": [
            "ascii.h",
            "charconv.h",
            "escaping.h",
            "has_absl_stringify.h",
            "match.h",
            "numbers.h",
            "str_cat.h",
            "str_join.h",
            "str_replace.h",
            "str_split.h",
            "string_view.h",
            "strip.h",
            "substitute.h",
        ],
    },
    "synchronization": {
        "synchronization": [
            "barrier.h",
            "blocking_counter.h",
            "mutex.h",
            "notification.h",
        ],
    },
    "time": {
        "time": ["civil_time.h", "clock.h", "time.h"],
    },
    "types": {
        "any": ["any.h"],
        "bad_any_cast": ["bad_any_cast.h"],
        "bad_optional_access": ["bad_optional_access.h"],
        "bad_variant_access": ["bad_variant_access.h"],
        "compare": ["compare.h"],
        "optional": ["optional.h"],
        "span": ["span.h"],
        "variant": ["variant.h"],
    },
    "utility": {
        "utility": ["utility.h"],
    },
}

# The .pc files whose names, which are CMake's, do not follow from Bazel's.
_MODULES = {
    "flags:flag": "absl_flags",
}

_HEADER = 'package(default_visibility = ["//visibility:public"])\n'

# Abseil's headers include each other's internal headers, and no installed file
# records which: every target may read all of them.
_ROOT = _HEADER + """
cc_library(
    name = "headers",
    hdrs = glob(["include/absl/**"]),
    includes = ["include"],
    linkopts = ["-pthread"],
)

exports_files(glob(["include/absl/**"]))
"""

_LIBRARY = """
cc_library(
    name = "{name}",
    srcs = {srcs},
    hdrs = {hdrs},
    deps = {deps},
)
"""

def _requires(pc):
    """The modules that a .pc file requires.

    Args:
      pc: the text of the file.

    Returns:
      Their names.
    """
    for line in pc.split("\n"):
        if line.startswith("Requires:"):
            # "a = 1, b = 1"
            parts = line[len("Requires:"):].split(",")
            return [p.split("=")[0].strip() for p in parts if p.strip()]
    return []

def _libraries(rctx):
    """Writes @com_google_absl//lib, a target for every module of pkg-config.

    The .pc files record which archive needs which others; a linker needs that order.

    Args:
      rctx: the repository context.

    Returns:
      The names of the modules, as a dict.
    """
    lib_dir = find_library_dir(rctx, "absl_base")
    modules = {}
    build = [_HEADER]
    for pc in lib_dir.get_child("pkgconfig").readdir():
        if not (pc.basename.startswith("absl_") and pc.basename.endswith(".pc")):
            continue
        name = pc.basename[:-len(".pc")]
        modules[name] = True
        archive = "lib%s.a" % name
        if lib_dir.get_child(archive).exists:
            rctx.symlink(lib_dir.get_child(archive), "lib/" + archive)
            srcs = [archive]
        else:
            srcs = []  # Headers only.
        build.append(_LIBRARY.format(
            name = name,
            srcs = srcs,
            hdrs = [],
            deps = [":" + required for required in _requires(rctx.read(pc))],
        ))
    rctx.file("lib/BUILD.bazel", "".join(build), executable = False)
    return modules

def _package(rctx, include, package, targets, modules):
    """Writes @com_google_absl//absl/<package>."""
    build = [_HEADER]
    folder = include.get_child(package)
    for name, hdrs in targets.items():
        hdrs = [
            "//:include/absl/%s/%s" % (package, hdr)
            for hdr in hdrs
            if folder.get_child(hdr).exists
        ]
        if not hdrs:
            continue
        deps = ["//:headers"]
        for module in [
            _MODULES.get("%s:%s" % (package, name), ""),
            "absl_%s_%s" % (package, name),
            "absl_" + name,
        ]:
            if module in modules:
                deps.append("//lib:" + module)
                break
        build.append(_LIBRARY.format(
            name = name,
            srcs = [],
            hdrs = hdrs,
            deps = deps,
        ))
    path = "absl/%s/BUILD.bazel" % package
    rctx.file(path, "".join(build), executable = False)

def _abseil_repository_impl(rctx):
    include = find_header(rctx, "absl")

    # Under include/, not at the top: there, a quoted include would find them as
    # ordinary headers, and the compiler would report their warnings.
    copy_header(rctx, "absl")
    rctx.file("BUILD.bazel", _ROOT, executable = False)
    modules = _libraries(rctx)
    for package, targets in _TARGETS.items():
        _package(rctx, include, package, targets, modules)

abseil_repository = repository_rule(
    implementation = _abseil_repository_impl,
    local = True,  # Evaluated again by every Bazel server.
    attrs = {
        "packages": attr.string_list(
            mandatory = True,
            doc = "The Debian packages that hold it.",
        ),
    },
)
