#include "clotho/sim/internal/settings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clotho/sim/schedule.h"
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

absl::StatusOr<std::uint64_t> Number(std::string_view source,
                                     std::string_view value,
                                     std::uint64_t least,
                                     std::uint64_t most = UINT64_MAX) {
  std::uint64_t number = 0;
  const std::string text(value);
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

// "pct:3" is strategy pct with the parameter 3.
std::string_view StrategyName(std::string_view value) {
  return value.substr(0, value.find(':'));
}
std::string_view StrategyParameters(std::string_view value) {
  const std::size_t colon = value.find(':');
  return colon == value.npos ? std::string_view() : value.substr(colon + 1);
}

struct Setting {
  std::string_view name;  // Of the flag after "--clotho_".
  std::string_view value;
  std::string_view meaning;
  absl::Status (*set)(Settings&, std::string_view source,
                      std::string_view value);
};

constexpr Setting kSettings[] = {
    {"cases", "N", "how many inputs to try, of properties",
     [](Settings& settings, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 1);
       if (number.ok()) settings.cases = *number;
       return number.status();
     }},
    {"debug", "1", "debug mode of the loop: warns of what runs for long",
     [](Settings& settings, std::string_view source, std::string_view value) {
       return SetBool(settings.debug, source, value);
     }},
    {"isolate", "1",
     "search in child processes: a crash is shrunk and reported",
     [](Settings& settings, std::string_view source, std::string_view value) {
       return SetBool(settings.isolate, source, value);
     }},
    {"kept", "DIR", "where kept schedules are, in place of testdata/clotho",
     [](Settings& settings, std::string_view source, std::string_view value) {
       settings.kept = std::string(value);
       std::error_code error;
       if (std::filesystem::is_directory(settings.kept, error)) {
         return absl::OkStatus();
       }
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), "=", Quote(value),
                        ": expected a folder that is there"));
     }},
    {"out", "DIR", "where to write reports and traces of what fails",
     [](Settings& settings, std::string_view source, std::string_view value) {
       settings.out = std::string(value);
       if (!value.empty()) return absl::OkStatus();
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), " is empty: expected a folder"));
     }},
    {"replay", "STRING", "run this schedule, as a report's AGAIN gives it",
     [](Settings& settings, std::string_view source, std::string_view value) {
       settings.replay = std::string(value);
       if (value.empty()) {
         return absl::InvalidArgumentError(absl::StrCat(
             std::string(source),
             " is empty: expected a replay string such as c1/0/4:1"));
       }
       return ParseReplay(value).status();
     }},
    {"schedules", "N",
     "how many executions to search, of tests that are searched",
     [](Settings& settings, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 1);
       if (number.ok()) settings.schedules = *number;
       return number.status();
     }},
    {"seed", "N", "the base seed of the search",
     [](Settings& settings, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 0);
       if (number.ok()) settings.seed = *number;
       return number.status();
     }},
    {"size", "N", "how large the inputs become, of properties",
     [](Settings& settings, std::string_view source, std::string_view value) {
       const auto number = Number(source, value, 0, kInputSizeMax);
       if (number.ok()) settings.size = *number;
       return number.status();
     }},
    {"strategy", "NAME",
     "fuzz, random, pct:DEPTH, ... in place of the test's own",
     [](Settings& settings, std::string_view source, std::string_view value) {
       settings.strategy = std::string(value);
       const absl::Status status =
           StrategyByName(StrategyName(value), StrategyParameters(value))
               .status();
       if (status.ok()) return status;
       return absl::InvalidArgumentError(
           absl::StrCat(std::string(source), "=", Quote(value), ": ",
                        std::string(status.message())));
     }},
};

std::string Variable(std::string_view name) {
  std::string variable = "CLOTHO_";
  for (const char c : name) {
    variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

// How many characters to change, add or drop to make one of the other.
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
  for (const Setting& setting : kSettings) {
    const std::string name = spell(setting.name);
    const std::size_t distance = Distance(shortened, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown ", std::string(what), " ", Quote(text),
                   ": the nearest that exists is ", nearest));
}

std::string Flag(std::string_view name) {
  return absl::StrCat("--clotho_", std::string(name));
}

}  // namespace

absl::StatusOr<Settings> ReadSettings(int argc, char** argv) {
  Settings settings;
  if (const char* const bazel = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    settings.out = bazel;
  }
  // In the order of their names: which error comes first must not depend on the
  // order of the environment.
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    // CLOTHO_DEBUG belongs to the runtime.
    if (text.substr(0, 7) == "CLOTHO_" &&
        text.substr(0, 13) != "CLOTHO_DEBUG=") {
      variables.emplace_back(text);
    }
  }
  std::sort(variables.begin(), variables.end());
  const auto set = [&settings](std::string_view name, std::string_view source,
                               std::string_view value,
                               std::string (*spell)(std::string_view),
                               bool& known) {
    for (const Setting& setting : kSettings) {
      if (spell(setting.name) != name) continue;
      known = true;
      return setting.set(settings, source, value);
    }
    known = false;
    return absl::OkStatus();
  };
  for (const std::string_view text : variables) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    bool known = false;
    const absl::Status status =
        set(name, name, text.substr(equals + 1), &Variable, known);
    if (!known) return Unknown("variable", name, &Variable);
    if (!status.ok()) return status;
  }
  for (int i = 1; i < argc; ++i) {
    std::string_view text = argv[i];
    std::string name(text.substr(0, text.find('=')));
    if (text.substr(0, 2) != "--") {
      if (text.substr(0, 1) != "-") {
        return absl::InvalidArgumentError(absl::StrCat(
            "unexpected argument ", Quote(text), ": only flags are expected"));
      }
      name.insert(0, "-");  // One dash is as good as two.
    }
    std::string_view value;
    if (const std::size_t equals = text.find('='); equals != text.npos) {
      value = text.substr(equals + 1);
    } else if (i + 1 < argc) {
      bool known = false;
      for (const Setting& setting : kSettings) {
        known = known || Flag(setting.name) == name;
      }
      if (known) value = argv[++i];
    }
    bool known = false;
    const absl::Status status = set(name, name, value, &Flag, known);
    if (!known) return Unknown("flag", name, &Flag);
    if (!status.ok()) return status;
  }
  return settings;
}

void ApplySettings(const Settings& settings, Search& search) {
  if (settings.strategy == "plain") {
    Plain().Apply(search);
  } else if (settings.strategy.has_value()) {
    // Of a test that is not searched, as many as a search has if it is not
    // told.
    if (search.schedules == 1) search.schedules = Fuzz().schedules;
    search.strategy = StrategyName(*settings.strategy);
    search.strategy_parameters = StrategyParameters(*settings.strategy);
    search.make_strategy =
        *StrategyByName(search.strategy, search.strategy_parameters);
    search.exhaustive = search.strategy == "exhaustive";
    if (search.exhaustive) search.schedules = Exhaustive().schedules;
  }
  // Plain order has one execution.
  if (settings.schedules.has_value() && search.strategy != "plain") {
    search.schedules = *settings.schedules;
  }
  if (settings.cases.has_value()) search.cases = *settings.cases;
  if (settings.size.has_value()) search.size_max = *settings.size;
  if (settings.seed.has_value()) search.seed = *settings.seed;
  if (settings.debug.has_value()) search.debug = *settings.debug;
  if (settings.isolate.has_value()) search.isolate = *settings.isolate;
}

std::string SettingsUsage() {
  std::string usage =
      "Clotho's flags; each has a variable, CLOTHO_REPLAY for "
      "--clotho_replay:\n";
  for (const Setting& setting : kSettings) {
    std::string flag =
        absl::StrCat("  ", Flag(setting.name), "=", std::string(setting.value));
    flag.resize(std::max<std::size_t>(flag.size() + 2, 30), ' ');
    absl::StrAppend(&usage, flag, std::string(setting.meaning), "\n");
  }
  return usage;
}

}  // namespace clotho::sim::internal
