// Shared by the C++ peers of cross_runtime: the real clock, the memory of the
// process, the random numbers for sleep durations, and the output format. Uses
// only the standard library: compare.py builds each peer with a single compiler
// call.

#ifndef CLOTHO_BENCHMARKS_PEERS_COMMON_H_
#define CLOTHO_BENCHMARKS_PEERS_COMMON_H_

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace peers {

// The real time, in nanoseconds.
inline double Now() {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

// The resident memory of this process, in bytes.
inline double ResidentBytes() {
  long pages = 0;
  if (FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) *
         static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Prints one figure: what is measured, possibly with a parameter, and its unit.
inline void Emit(const char* key, double value, const char* unit) {
  std::printf("%s\t%.6g\t%s\n", key, value, unit);
  std::fflush(stdout);
}

inline void Emit(const char* key, std::int64_t parameter, double value,
                 const char* unit) {
  std::printf("%s%lld\t%.6g\t%s\n", key, static_cast<long long>(parameter),
              value, unit);
  std::fflush(stdout);
}

// A figure for incorrect work is worse than no figure.
inline void Check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// The same generator in all languages, so that sleeps have the same durations.
inline std::uint32_t NextRandom(std::uint32_t& seed) {
  seed = seed * 1664525 + 1013904223;
  return seed >> 8;
}

// Runs the workload named by the single argument, from a table of names and
// functions. Returns the exit code of the program.
struct Workload {
  const char* name;
  void (*run)();
};

template <int kCount>
int RunWorkload(const Workload (&workloads)[kCount], int argc, char** argv) {
  for (const Workload& workload : workloads) {
    if (argc != 2 || std::strcmp(argv[1], workload.name) != 0) continue;
    workload.run();
    return 0;
  }
  std::fprintf(stderr, "%s: expected one of W1 to %s\n", argv[0],
               workloads[kCount - 1].name);
  return 2;
}

}  // namespace peers

#endif  // CLOTHO_BENCHMARKS_PEERS_COMMON_H_
