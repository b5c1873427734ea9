#include "clotho/sim/flags/flags.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/defaults.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/search/search.h"
#include "clotho/sim/search/shard.h"
#include "clotho/sim/strategies/by_name.h"

extern char** environ;

namespace clotho::sim::internal {
namespace {

std::string Quote(std::string_view text) {
  static constexpr std::size_t kShown = 40;
  std::string shown = absl::CHexEscape(std::string(text.substr(0, kShown)));
  if (text.size() > kShown) shown += "...";
  return absl::StrCat("\"", shown, "\"");
}

// "1e6" is 1000000; other text stays as it is.
std::string WithoutExponent(const std::string& value) {
  const std::size_t e = value.find_first_of("eE");
  if (e == value.npos || e == 0) return value;
  const std::string exponent = value.substr(e + 1);
  int zeros = 0;
  if (exponent.size() > 2 ||
      exponent.find_first_not_of("0123456789") != exponent.npos ||
      !absl::SimpleAtoi(exponent, &zeros)) {
    return value;
  }
  return value.substr(0, e) + std::string(zeros, '0');
}

absl::StatusOr<std::uint64_t> Number(std::string_view source,
                                     std::string_view value,
                                     std::uint64_t least,
                                     std::uint64_t most = UINT64_MAX) {
  std::uint64_t number = 0;
  const std::string text = WithoutExponent(std::string(value));
  const bool digits =
      !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !absl::SimpleAtoi(text, &number) || number < least ||
      number > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(source), "=", Quote(value),
                     " is not a number: expected a whole number from ", least,
                     " to ", most));
  }
  return number;
}

absl::Status SetBool(std::optional<bool>& setting, std::string_view source,
                     std::string_view value) {
  setting = value == "1";
  if (value == "0" || value == "1") return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      std::string(source), "=", Quote(value), ": expected 0 or 1"));
}

// "30s", "1h30m".
absl::StatusOr<Delay> Duration(std::string_view source, std::string_view value,
                               bool may_be_zero) {
  absl::Duration duration;
  if (!absl::ParseDuration(std::string(value), &duration) ||
      duration < absl::ZeroDuration() ||
      (duration == absl::ZeroDuration() && !may_be_zero) ||
      duration > absl::Hours(100 * 366 * 24)) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(source), "=", Quote(value),
        " is not a duration: expected one such as 500ms, 30s or 8h",
        may_be_zero ? ", or 0" : "", ", up to 100 years"));
  }
  return Delay(duration);
}

// "0.001" is one in 1000.
absl::StatusOr<std::uint64_t> EveryHowMany(std::string_view source,
                                           std::string_view value) {
  constexpr double kLeast = 1e-9;
  double fraction = 0;
  const bool digits = value.find_first_not_of("0123456789.e-") == value.npos;
  if (!digits || !absl::SimpleAtod(std::string(value), &fraction) ||
      fraction < 0 || fraction > 1 || (fraction > 0 && fraction < kLeast)) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(source), "=", Quote(value),
        " is not a fraction: expected 0, or a number from 1e-9 to 1"));
  }
  if (fraction == 0) return std::uint64_t{0};
  // Rounds so that executions are checked more often, not less. (The epsilon
  // keeps the double closest to 1/3 from becoming 1/2.)
  return static_cast<std::uint64_t>(1 / fraction + 1e-6);
}

std::uint64_t RandomSeed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

// "pct:3" is strategy pct with the parameter 3.
std::string_view StrategyName(std::string_view value) {
  return value.substr(0, value.find(':'));
}
std::string_view StrategyParameters(std::string_view value) {
  const std::size_t colon = value.find(':');
  return colon == value.npos ? std::string_view() : value.substr(colon + 1);
}

// For example, the input that a fuzzer found.
absl::Status ReadBytes(std::string& bytes, std::string_view source,
                       std::string_view path) {
  std::ifstream in{std::string(path), std::ios::binary};
  std::stringstream content;
  // Inserting an empty buffer would set failbit.
  if (in.peek() != std::ifstream::traits_type::eof()) content << in.rdbuf();
  bytes = content.str();
  if (in.is_open() && !in.bad() && content.good()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      std::string(source), "=",
      Quote(absl::StrCat("bytes:", std::string(path))),
      ": cannot read the file: expected one whose bytes are a schedule, such "
      "as the input that a fuzzer wrote"));
}

// One of the names, which are in the order of the enumerators.
template <typename Choice>
absl::Status SetChoice(Choice& setting, std::string_view source,
                       std::string_view value,
                       std::initializer_list<const char*> names) {
  const auto found = std::find(names.begin(), names.end(), value);
  if (found != names.end()) {
    setting = static_cast<Choice>(found - names.begin());
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(std::string(source), "=",
                                                 Quote(value), ": expected ",
                                                 absl::StrJoin(names, " or ")));
}

struct Setting {
  std::string_view name;  // The flag without "--clotho_".
  std::string_view value;
  std::string_view meaning;
  absl::Status (*set)(Flags&, std::string_view source, std::string_view value);
};

constexpr Setting kFlags[] = {
    {"break_before", "STEP",
     "for a debugger: stop before this step of a replay",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 1, kStepMax);
       if (number.ok()) flags.break_before = *number;
       return number.status();
     }},
    {"cases", "N", "for properties: how many inputs to try",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 1);
       if (number.ok()) flags.cases = *number;
       return number.status();
     }},
    {"check_determinism", "F",
     "fraction of executions to run twice, such as 0.001",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto every = EveryHowMany(source, value);
       if (every.ok()) flags.check_every = *every;
       return every.status();
     }},
    {"color", "WHEN", "colours in reports: auto (on a terminal), always, never",
     [](Flags& flags, std::string_view source, std::string_view value) {
       return SetChoice(flags.color, source, value,
                        {"auto", "always", "never"});
     }},
    {"debug", "1", "debug mode of the loop: warns of slow steps",
     [](Flags& flags, std::string_view source, std::string_view value) {
       return SetBool(flags.debug, source, value);
     }},
    {"exit_zero", "1",
     "exit with 0 whatever the records say: clotho merge decides",
     [](Flags& flags, std::string_view source, std::string_view value) {
       std::optional<bool> exit_zero;
       const absl::Status status = SetBool(exit_zero, source, value);
       flags.exit_zero = exit_zero.value_or(false);
       return status;
     }},
    {"failures", "N",
     "stop after this many distinct failures of a test; 0: do not stop",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 0);
       if (number.ok()) flags.failures = *number;
       return number.status();
     }},
    {"for", "TIME", "real time to search for, such as 30s or 8h",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto budget = Duration(source, value, /*may_be_zero=*/false);
       if (budget.ok()) flags.budget = *budget;
       return budget.status();
     }},
    {"format", "HOW",
     "text; github: annotations, too; json: only lines of JSON",
     [](Flags& flags, std::string_view source, std::string_view value) {
       return SetChoice(flags.format, source, value,
                        {"text", "json", "github"});
     }},
    {"isolate", "1",
     "search in child processes: a crash is shrunk and reported",
     [](Flags& flags, std::string_view source, std::string_view value) {
       return SetBool(flags.isolate, source, value);
     }},
    {"saved", "DIR", "folder of saved schedules, instead of testdata/clotho",
     [](Flags& flags, std::string_view source, std::string_view value) {
       flags.saved = std::string(value);
       std::error_code error;
       if (std::filesystem::is_directory(flags.saved, error)) {
         return absl::OkStatus();
       }
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), "=", Quote(value),
                        ": expected a folder that is there"));
     }},
    {"max_steps", "N", "steps per execution; one that takes more is a livelock",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 1, kStepMax);
       if (number.ok()) flags.max_steps = *number;
       return number.status();
     }},
    {"max_virtual_time", "TIME",
     "virtual time per execution; one that takes more fails",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto most = Duration(source, value, /*may_be_zero=*/false);
       if (most.ok()) flags.max_virtual_time = *most;
       return most.status();
     }},
    {"out", "DIR", "where to write reports and traces of failures",
     [](Flags& flags, std::string_view source, std::string_view value) {
       flags.out = std::string(value);
       if (!value.empty()) return absl::OkStatus();
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), " is empty: expected a folder"));
     }},
    {"rate", "R",
     "watch a replay: virtual seconds per real second; 0: full speed",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const bool digits = value.find_first_not_of("0123456789.") == value.npos;
       if (digits && absl::SimpleAtod(std::string(value), &flags.rate)) {
         return absl::OkStatus();
       }
       return absl::InvalidArgumentError(absl::StrCat(
           std::string(source), "=", Quote(value),
           " is not a rate: expected 0, or a number such as 1 or 0.5"));
     }},
    {"replay", "STRING",
     "run this schedule: the string after REPLAY in a report",
     [](Flags& flags, std::string_view source, std::string_view value) {
       std::string replay(value);
       absl::StripAsciiWhitespace(&replay);  // From pasting.
       flags.replay = replay;
       if (replay.empty()) {
         return absl::InvalidArgumentError(absl::StrCat(
             std::string(source),
             " is empty: expected a replay string such as c1/0/4:1"));
       }
       return ParseReplay(replay).status();
     }},
    {"resume", "1", "resume where the records in --clotho_out end",
     [](Flags& flags, std::string_view source, std::string_view value) {
       std::optional<bool> resume;
       const absl::Status status = SetBool(resume, source, value);
       flags.resume = resume.value_or(false);
       return status;
     }},
    {"schedules", "N",
     "for tests that are searched: how many executions to run",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 1);
       if (number.ok()) flags.schedules = *number;
       return number.status();
     }},
    {"seed", "N", "base seed of the search; random: draw one and print it",
     [](Flags& flags, std::string_view source, std::string_view value) {
       if (value == "random") {
         flags.seed = RandomSeed();
         return absl::OkStatus();
       }
       const auto number = Number(source, value, 0);
       if (number.ok()) flags.seed = *number;
       return number.status();
     }},
    {"shard", "I/N",
     "which part to run, from 0; auto: read it from the environment",
     [](Flags&, std::string_view source, std::string_view value) {
       // It is evaluated later, together with the environment.
       if (value == "auto") return absl::OkStatus();
       const auto shard = ParseShard(value);
       if (shard.ok()) return absl::OkStatus();
       return absl::InvalidArgumentError(absl::StrCat(
           std::string(source), "=", std::string(shard.status().message())));
     }},
    {"shard_by", "WHAT",
     "what to divide: tests (the list), or schedules (of each test)",
     [](Flags& flags, std::string_view source, std::string_view value) {
       flags.shard_by_schedules = value == "schedules";
       if (value == "schedules" || value == "tests") return absl::OkStatus();
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), "=", Quote(value),
                        ": expected tests or schedules"));
     }},
    {"shrink_for", "TIME",
     "real time for shrinking a failure; 0: do not shrink",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto time = Duration(source, value, /*may_be_zero=*/true);
       if (time.ok()) flags.shrink_for = *time;
       return time.status();
     }},
    {"size", "N", "for properties: the maximum size of inputs",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 0, kInputSizeMax);
       if (number.ok()) flags.size = *number;
       return number.status();
     }},
    {"step_watchdog", "TIME",
     "abort if a step takes longer in real time; 0: never",
     [](Flags& flags, std::string_view source, std::string_view value) {
       const auto time = Duration(source, value, /*may_be_zero=*/true);
       if (time.ok()) flags.step_watchdog = *time;
       return time.status();
     }},
    {"strategy", "NAME",
     "fuzz, random, pct:DEPTH, bytes:FILE, ... instead of the test's own",
     [](Flags& flags, std::string_view source, std::string_view value) {
       flags.strategy = std::string(value);
       if (StrategyName(value) == "bytes") {
         return ReadBytes(flags.bytes, source, StrategyParameters(value));
       }
       const absl::Status status =
           StrategyByName(StrategyName(value), StrategyParameters(value))
               .status();
       if (status.ok()) return status;
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), "=", Quote(value), ": ",
                        std::string(status.message())));
     }},
    {"test", "NAME", "run only this test; in a fuzz target: fuzz it",
     [](Flags& flags, std::string_view source, std::string_view value) {
       flags.test = std::string(value);
       if (!value.empty()) return absl::OkStatus();
       return absl::InvalidArgumentError(absl::StrCat(
           std::string(source), " is empty: expected a test, as Suite.Name"));
     }},
    {"trace", "WHEN",
     "write traces: on-failure, never, or always (of passing replays, too)",
     [](Flags& flags, std::string_view source, std::string_view value) {
       return SetChoice(flags.traces, source, value,
                        {"never", "on-failure", "always"});
     }},
};

std::string Variable(std::string_view name) {
  std::string variable = "CLOTHO_";
  for (const char c : name) {
    variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

// The edit distance: how many characters to change, add or remove.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

absl::Status Unknown(std::string_view what, std::string_view text,
                     std::string (*spell)(std::string_view name)) {
  std::string nearest;
  std::size_t least = SIZE_MAX;
  const std::string_view shortened = text.substr(0, 80);
  for (const Setting& setting : kFlags) {
    const std::string name = spell(setting.name);
    const std::size_t distance = Distance(shortened, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  // A name that has little in common with the text is no help.
  const bool is_near = 3 * least <= shortened.size();
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown ", std::string(what), " ", Quote(text),
      is_near ? absl::StrCat(": the nearest that exists is ", nearest)
              : ": --help lists those that exist"));
}

std::string Flag(std::string_view name) {
  return absl::StrCat("--clotho_", std::string(name));
}

// A flag or variable that was given: as what, and its value.
struct GivenFlag {
  std::string source;
  std::string value;
};
// By the names of flags. Of a flag that was given several times, the last.
using GivenFlags = std::map<std::string_view, GivenFlag>;

// Finds out which shard this is, from the flag and from the variables of
// others. See shard.h.
absl::Status ResolveShard(GivenFlags& given, Flags& flags) {
  const auto variables = [](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
  const auto flag = given.find("shard");
  const bool has_flag = flag != given.end();
  const absl::StatusOr<Shard> shard =
      ReadShard(has_flag ? flag->second.value : "",
                has_flag ? flag->second.source : "", variables);
  if (!shard.ok()) return shard.status();
  flags.shard = *shard;
  if (has_flag || (flags.shard_by_schedules && shard->count > 1)) {
    given["shard"].value = ShardText(*shard);
    if (shard->block != 0) given["block"].value = absl::StrCat(shard->block);
  }
  return absl::OkStatus();
}

// Flags that contradict each other, or need another one.
absl::Status CheckCombinations(const GivenFlags& given, const Flags& flags) {
  const auto seed = given.find("seed");
  if (seed != given.end() && seed->second.value == "random" &&
      flags.shard_by_schedules &&
      (flags.shard.count > 1 || flags.shard.block != 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        seed->second.source,
        "=random: each shard would have its own: expected a number"));
  }
  if (flags.resume && flags.out.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        given.at("resume").source,
        "=1: where is the record? It is expected in --clotho_out=DIR"));
  }
  if (flags.exit_zero && (flags.out.empty() || !flags.campaign())) {
    return absl::InvalidArgumentError(absl::StrCat(
        given.at("exit_zero").source,
        "=1 would lose what is found: expected a campaign that writes records, "
        "as with --clotho_shard_by=schedules --clotho_out=DIR"));
  }
  return absl::OkStatus();
}

// All that was given, for people: "strategy=pct:3 seed=7".
std::string DescribeGivenFlags(GivenFlags given, const Flags& flags) {
  if (const auto seed = given.find("seed");
      seed != given.end() && seed->second.value == "random") {
    seed->second.value = absl::StrCat(*flags.seed);
  }
  std::string text;
  const auto add = [&](std::string_view name) {
    const auto flag = given.find(name);
    if (flag == given.end()) return;
    constexpr std::size_t kShown = 60;
    std::string value = absl::CHexEscape(flag->second.value.substr(0, kShown));
    if (flag->second.value.size() > kShown) value += "...";
    absl::StrAppend(&text, text.empty() ? "" : " ", std::string(name), "=",
                    value);
    given.erase(flag);
  };
  // The most interesting ones first.
  for (const char* name : {"strategy", "schedules", "seed", "shard"}) {
    add(name);
  }
  while (!given.empty()) add(given.begin()->first);
  return text;
}

// Null: there is no flag that `spell` spells so.
const Setting* FindSetting(std::string_view text,
                           std::string (*spell)(std::string_view)) {
  for (const Setting& setting : kFlags) {
    if (spell(setting.name) == text) return &setting;
  }
  return nullptr;
}

// Sets a flag that was given as `source`.
absl::Status SetFlag(const Setting& setting, std::string_view source,
                     std::string_view value, GivenFlags& given, Flags& flags) {
  given[setting.name] = {.source = std::string(source),
                         .value = std::string(value)};
  return setting.set(flags, source, value);
}

absl::Status ReadVariables(GivenFlags& given, Flags& flags) {
  // Sorted: which error comes first must not depend on the order of the
  // environment.
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    // CLOTHO_TOTAL_SHARDS belongs to the shard: see ReadShard.
    if (text.substr(0, 7) == "CLOTHO_" &&
        text.substr(0, 20) != "CLOTHO_TOTAL_SHARDS=") {
      variables.emplace_back(text);
    }
  }
  std::sort(variables.begin(), variables.end());
  for (const std::string_view text : variables) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const Setting* const setting = FindSetting(name, &Variable);
    if (setting == nullptr) return Unknown("variable", name, &Variable);
    const absl::Status status =
        SetFlag(*setting, name, text.substr(equals + 1), given, flags);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadArguments(int argc, char** argv, GivenFlags& given,
                           Flags& flags) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    const std::size_t equals = text.find('=');
    std::string name(text.substr(0, equals));
    if (text.substr(0, 2) != "--") {
      if (text.substr(0, 1) != "-") {
        return absl::InvalidArgumentError(absl::StrCat(
            "unexpected argument ", Quote(text), ": only flags are expected"));
      }
      name.insert(0, "-");  // One dash is as good as two.
    }
    const Setting* const setting = FindSetting(name, &Flag);
    if (setting == nullptr) return Unknown("flag", name, &Flag);
    std::string_view value;
    if (equals != text.npos) {
      value = text.substr(equals + 1);
    } else if (i + 1 < argc) {
      value = argv[++i];
    }
    const absl::Status status = SetFlag(*setting, name, value, given, flags);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Flags> ReadFlags(int argc, char** argv) {
  Flags flags;
  if (const char* const bazel = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    flags.out = bazel;
  }
  GivenFlags given;
  absl::Status status = ReadVariables(given, flags);
  if (status.ok()) status = ReadArguments(argc, argv, given, flags);
  if (status.ok()) status = ResolveShard(given, flags);
  if (status.ok()) status = CheckCombinations(given, flags);
  if (!status.ok()) return status;
  // Many programs understand NO_COLOR. Clotho's own flag wins.
  if (const char* const no_color = std::getenv("NO_COLOR");
      no_color != nullptr && *no_color != '\0' && !given.contains("color")) {
    flags.color = Color::kNever;
  }
  flags.changes = DescribeGivenFlags(std::move(given), flags);
  return flags;
}

void ApplyFlags(const Flags& flags, Search& search) {
  if (flags.strategy == "fifo") {
    UseStrategy(search, "fifo", /*schedules=*/1, search.seed);
  } else if (flags.strategy.has_value() &&
             StrategyName(*flags.strategy) == "bytes") {
    UseBytes(search, flags.bytes);
  } else if (flags.strategy.has_value()) {
    // A test that is not searched gets the default number of a search.
    if (search.schedules == 1) search.schedules = kSchedules;
    search.strategy = StrategyName(*flags.strategy);
    search.strategy_parameters = StrategyParameters(*flags.strategy);
    search.make_strategy = {};
    search.exhaustive = search.strategy == "exhaustive";
    if (search.exhaustive) search.schedules = kExhaustiveSchedules;
  }
  // FIFO order has one execution, and so has a fuzzer's input.
  if (flags.schedules.has_value() && search.strategy != "fifo" &&
      search.strategy != "bytes") {
    search.schedules = *flags.schedules;
  }
  if (flags.cases.has_value()) search.cases = *flags.cases;
  if (flags.size.has_value()) search.size_max = *flags.size;
  if (flags.seed.has_value()) search.seed = *flags.seed;
  search.break_before = flags.break_before;
  search.rate = flags.rate;
  search.trace_passes = flags.traces == Traces::kAlways;
  if (flags.debug.has_value()) search.debug = *flags.debug;
  if (flags.isolate.has_value()) search.isolate = *flags.isolate;
  if (flags.max_steps.has_value()) search.steps_max = *flags.max_steps;
  if (flags.max_virtual_time.has_value()) {
    search.virtual_time_max = *flags.max_virtual_time;
  }
  if (flags.shrink_for.has_value()) {
    search.shrink_for = *flags.shrink_for;
    if (search.shrink_for == Delay()) search.shrink_runs_max = 0;
  }
  if (flags.check_every.has_value()) {
    search.check_every = *flags.check_every;
  }
}

std::string FlagsUsage() {
  std::string usage =
      "Clotho's flags. Each can also be set by a variable, such as "
      "CLOTHO_REPLAY for --clotho_replay:\n";
  for (const Setting& setting : kFlags) {
    std::string flag =
        absl::StrCat("  ", Flag(setting.name), "=", std::string(setting.value));
    flag.resize(std::max<std::size_t>(flag.size() + 2, 34), ' ');
    absl::StrAppend(&usage, flag, std::string(setting.meaning), "\n");
  }
  absl::StrAppend(
      &usage,
      "\nExit codes:\n"
      "  0   nothing was found\n"
      "  1   a failure was found, and it is reproducible\n"
      "  2   a flag, a variable, a replay string or a record is invalid\n"
      "  3   not deterministic, or the program does not follow a replay\n"
      "  4   no test was selected (under Bazel: 0)\n"
      "  5   nothing was found, but less was done than requested\n"
      "  70  internal error in Clotho\n"
      "  75  results cannot be written: try again\n"
      "  130, 143  interrupted; findings so far have been written\n");
  return usage;
}

}  // namespace clotho::sim::internal
