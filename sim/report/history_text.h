// How histories are printed and drawn, and how a wrong one fails the test.

#ifndef CLOTHO_SIM_REPORT_HISTORY_TEXT_H_
#define CLOTHO_SIM_REPORT_HISTORY_TEXT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <locale>
#include <optional>
#include <ostream>
#include <source_location>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/linearize.h"

namespace clotho::sim::internal {

// When something happened, for the reader. Step 0: outside a simulation.
struct Moment {
  std::int64_t time_ns = 0;
  std::uint64_t step = 0;
};

// The time of the simulation, else of the loop that runs in this thread, else
// 0.
Moment Now();

// "Get(x) -> 1"; without an arrow if the result has no text.
std::string OperationText(std::string_view operation, std::string_view result);

// One operation of a drawing.
struct HistoryRow {
  std::string client = {};
  std::string text = {};
  std::uint64_t called = 0;
  std::uint64_t returned = kNever;
  Moment called_at = {};
  Moment returned_at = {};
  bool is_context = false;
  bool is_stuck = false;
};

// A contradiction, in words. See `Contradiction` for what it is.
struct HistoryDrawing {
  std::string history;
  std::string key;             // Of the partition; may be empty.
  std::size_t operations = 0;  // Of the partition.
  bool minimal = true;
  std::vector<HistoryRow> rows;  // In any order.
  // A longest valid order, the state after it, the operation that cannot come
  // next, and the results that would be valid for it.
  std::vector<std::string> order;
  std::string state;
  std::string stuck;
  std::vector<std::string> right_results;
};

// The drawing, in lines no longer than a report's.
std::string Draw(HistoryDrawing drawing);

// For a search that exceeded its step budget.
std::string UnknownText(std::string_view history, std::string_view key,
                        std::size_t operations, std::uint64_t steps_max);

// Whether an explanation of the failure will be read: always true outside an
// execution.
bool IsRead();

// Fails the execution that runs in this thread, and throws AssertionFailed;
// outside an execution, throws RuntimeError. `shown` goes into the trace.
[[noreturn]] void FailHistory(TraceHistory shown,
                              const std::string& explanation,
                              const std::source_location& location);

// For an operation that ends twice.
[[noreturn]] void ThrowEnded();

// ---- The text of a value. ----

template <typename T>
concept Streamable =
    requires(std::ostream& out, const T& value) { out << value; };

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVariant = false;
template <typename... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;

template <typename T>
concept TupleLike = requires { std::tuple_size<T>::value; };
// Excludes hash containers: their order differs from run to run.
template <typename T>
concept Container =
    !requires { typename T::hasher; } && requires(const T& value) {
      value.begin();
      value.end();
    };

template <typename T>
std::string ToText(const T& value);

template <typename Tuple, std::size_t... kIndex>
std::string TupleText(const Tuple& tuple, std::index_sequence<kIndex...>) {
  std::string text = "(";
  ((text += (kIndex == 0 ? "" : ", ") + ToText(std::get<kIndex>(tuple))), ...);
  return text + ")";
}

// Prints numbers, strings and whatever has operator<<, which takes precedence,
// and types composed of these. Prints nothing for a std::monostate.
template <typename T>
std::string ToText(const T& value) {
  if constexpr (std::same_as<T, std::monostate>) {
    return "";
  } else if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (Streamable<T>) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << value;
    return std::move(out).str();
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (kIsOptional<T>) {
    return value.has_value() ? ToText(*value) : "none";
  } else if constexpr (kIsVariant<T>) {
    return std::visit([](const auto& part) { return ToText(part); }, value);
  } else if constexpr (TupleLike<T>) {
    return TupleText(value, std::make_index_sequence<std::tuple_size_v<T>>());
  } else if constexpr (Container<T>) {
    constexpr bool kIsSorted = requires { typename T::key_type; };
    std::string text = kIsSorted ? "{" : "[";
    for (const auto& part : value) {
      if (text.size() > 1) text += ", ";
      if constexpr (requires { typename T::mapped_type; }) {
        text += ToText(part.first) + "=" + ToText(part.second);
      } else {
        text += ToText(part);
      }
    }
    return text + (kIsSorted ? "}" : "]");
  } else {
    static_assert(sizeof(T) == 0,
                  "a History prints the states, operations, results and keys "
                  "of its model: give this one an operator<<");
  }
}

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_HISTORY_TEXT_H_
