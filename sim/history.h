// History: the operations of concurrent clients on an object, and their
// results. Is there an order of the operations that explains the results?
//
//   struct Put { std::string key; int value; };   // With operator<<.
//   struct Get { std::string key; };
//
//   struct Register {                             // What the object should do.
//     using State = int;                          // At first State().
//     using Operation = std::variant<Put, Get>;
//     using Result = int;
//     static Result Apply(State& state, const Operation& operation) {
//       if (const auto* put = std::get_if<Put>(&operation)) state = put->value;
//       return state;
//     }
//     // If there are many such objects: which one this operation uses.
//     static std::string Partition(const Operation& operation) { ... }
//   };
//
//   CLOTHO_TEST(KvTest, IsLinearizable, sim::Random{.schedules = 1'000}) {
//     sim::History<Register> history("kv");
//     ...                                         // In each client, one of:
//     auto get = history.Begin(client, Get{"x"});
//     get.End(co_await store.Get("x"));
//     co_await history.Do(client, Put{"x", 1}, store.Put("x", 1));
//     ...
//     history.Check();                            // Fails the execution.
//   }
//
// A history is *linearizable* if each operation can be given one moment between
// its call and its return such that the model, applied in the order of these
// moments, gives the same results. An operation that has not returned, was
// cancelled or threw has an unknown outcome: it may take effect at any later
// time, or never.
//
// A nondeterministic model picks among alternatives:
//
//   static Result Apply(State& state, const Operation& operation,
//                       sim::Alternatives& alternatives) {
//     if (alternatives.Pick(2) == 1) return Busy();  // Or performs it.
//
// State, Operation and Result are values. States are compared and hashed
// (AbslHashValue), results are compared. For failures all three are printed:
// with operator<<, or part by part if they are optionals, variants, pairs,
// tuples or ordered containers. Use std::monostate for a result without
// information.

#ifndef CLOTHO_SIM_HISTORY_H_
#define CLOTHO_SIM_HISTORY_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <ostream>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/internal/sync.h"
#include "clotho/sim/engine/trace.h"
#include "clotho/sim/report/history_text.h"
#include "clotho/sim/report/linearize.h"

namespace clotho::sim {

// The possible behaviours of a nondeterministic model. `Apply` is called again
// until every combination of picks has been seen.
class Alternatives {
 public:
  // Returns one of 0 to `count` - 1. Throws ValueError if `count` is 0.
  std::size_t Pick(std::size_t count);

  // For the checker: advances to the next combination. Returns false after the
  // last one, and then starts over.
  bool Next();

 private:
  struct Choice {
    std::size_t picked;
    std::size_t count;
  };
  std::vector<Choice> choices_;
  std::size_t at_ = 0;
};

template <typename M>
concept NondeterministicModel =
    requires(typename M::State& state, const typename M::Operation& operation,
             Alternatives& alternatives) {
      {
        M::Apply(state, operation, alternatives)
      } -> std::convertible_to<typename M::Result>;
    };

template <typename M>
concept DeterministicModel =
    requires(typename M::State& state, const typename M::Operation& operation) {
      { M::Apply(state, operation) } -> std::convertible_to<typename M::Result>;
    };

// The requirements for a model.
template <typename M>
concept HistoryModel = (DeterministicModel<M> || NondeterministicModel<M>) &&
                       std::default_initializable<typename M::State> &&
                       std::copyable<typename M::State> &&
                       std::equality_comparable<typename M::State> &&
                       std::equality_comparable<typename M::Result>;

template <typename M>
concept HasPartition = requires(const typename M::Operation& operation) {
  M::Partition(operation);
};

enum class Verdict {
  kLinearizable,
  kNotLinearizable,
  kUnknown,  // The step budget was exceeded.
};

// "linearizable", "not linearizable", "unknown".
std::string_view VerdictName(Verdict verdict);
std::ostream& operator<<(std::ostream& out, Verdict verdict);

// The result of a check. Operations are identified by their numbers, from 0, in
// the order in which they began.
struct Linearizability {
  Verdict verdict = Verdict::kUnknown;
  // Unless the history is linearizable: why not, as text for people. At most 22
  // lines of 92 characters, the last one without a line break.
  std::string explanation = {};
  // If it is not linearizable: operations of one partition that cannot all have
  // returned what they did, when they did, whatever happened to all others. If
  // the outcome of any one of them is also treated as unknown, there is an
  // order (if `minimal`; otherwise a limit on the effort stopped the
  // minimization).
  std::vector<std::size_t> part = {};
  // Other operations that must be present for that, whatever their outcomes.
  std::vector<std::size_t> context = {};
  bool minimal = true;
  // How many alternatives of the model were examined.
  std::uint64_t steps = 0;
};

struct HistoryOptions {
  // Step budget per partition. Beyond it the verdict is kUnknown, which fails
  // the check.
  std::uint64_t steps_max = 1'000'000;
};

// The caller, for the reader: a name, or a number, 0 for "c0".
class Client {
 public:
  template <std::integral Number>
  Client(Number number)  // NOLINT: converts, that is its purpose.
      : name_("c" + std::to_string(number)) {}
  Client(std::string_view name) : name_(name) {}    // NOLINT: as above.
  Client(const char* name) : name_(name) {}         // NOLINT: as above.
  Client(const std::string& name) : name_(name) {}  // NOLINT: as above.

  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

namespace internal {

// An operation of a history.
template <typename Model>
struct Record {
  std::string client;
  typename Model::Operation operation;
  std::optional<typename Model::Result> result;  // Empty: unknown.
  std::uint64_t called = 0;
  std::uint64_t returned = kNever;
  Moment called_at = {};
  Moment returned_at = {};
  bool discarded = false;
};

template <typename Model>
struct Log {
  std::vector<Record<Model>> records;
  std::uint64_t events = 0;  // Calls and returns.
};

}  // namespace internal

// The record of one execution. It may be destroyed before the operations that
// it began.
template <HistoryModel Model>
class History {
 public:
  using State = typename Model::State;
  using Operation = typename Model::Operation;
  using Result = typename Model::Result;

  explicit History(std::string_view name, HistoryOptions options = {})
      : name_(name), options_(options) {
    clotho::internal::SyncMake(log_.get());
  }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // An operation that has begun. If this object is destroyed without an `End`,
  // the outcome is unknown.
  class Pending {
   public:
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&&) noexcept = default;

    // The operation returns `result` now. Throws RuntimeError if it has already
    // ended.
    void End(Result result) {
      internal::Record<Model>& record = Take();
      clotho::internal::SyncWrite(log_.get());
      record.result = std::move(result);
      record.returned = log_->events++;
      record.returned_at = internal::Now();
      log_ = nullptr;
    }

    // The operation certainly had no effect, and will have none: it does not
    // count. Throws RuntimeError if it has already ended.
    void Discard() {
      Take().discarded = true;
      clotho::internal::SyncWrite(log_.get());
      log_ = nullptr;
    }

   private:
    friend class History;
    Pending(std::shared_ptr<internal::Log<Model>> log, std::size_t index)
        : log_(std::move(log)), index_(index) {}

    internal::Record<Model>& Take() {
      if (log_ == nullptr) internal::ThrowEnded();
      return log_->records[index_];
    }

    // Null: the operation has ended.
    std::shared_ptr<internal::Log<Model>> log_;
    std::size_t index_;
  };

  // `client` calls `operation` now.
  [[nodiscard]] Pending Begin(const Client& client, Operation operation) {
    return Begin(log_, client.name(), std::move(operation));
  }

  // When awaited, calls `operation`, awaits `awaitable`, and returns its
  // result, which is also the operation's result (Result() if it is void). If
  // `awaitable` throws or is cancelled, the outcome is unknown.
  template <Awaitable A>
  Coro<AwaitResult<A>> Do(const Client& client, Operation operation,
                          A awaitable) {
    return DoIn(log_, client.name(), std::move(operation),
                std::move(awaitable));
  }

  // How many operations have begun, including discarded ones.
  std::size_t size() const {
    clotho::internal::SyncRead(log_.get());
    return log_->records.size();
  }

  // Is the history so far linearizable?
  Linearizability Decide() const {
    return Decide(/*explains=*/true, /*shown=*/nullptr);
  }

  // Returns if it is linearizable. Otherwise fails the execution, like
  // `Always`; outside an execution, throws RuntimeError with the explanation.
  void Check(
      std::source_location location = std::source_location::current()) const {
    // Most failing executions are only candidates of the shrinker, so their
    // explanations are skipped.
    TraceHistory shown{.name = name_};
    if (const Linearizability result = Decide(internal::IsRead(), &shown);
        result.verdict != Verdict::kLinearizable) {
      shown.undecided = result.verdict == Verdict::kUnknown;
      internal::FailHistory(std::move(shown), result.explanation, location);
    }
  }

 private:
  using Records = std::vector<internal::Record<Model>>;

  static Pending Begin(const std::shared_ptr<internal::Log<Model>>& log,
                       std::string client, Operation operation) {
    clotho::internal::SyncWrite(log.get());
    log->records.push_back({.client = std::move(client),
                            .operation = std::move(operation),
                            .result = std::nullopt,
                            .called = log->events++,
                            .called_at = internal::Now()});
    return Pending(log, log->records.size() - 1);
  }

  template <Awaitable A>
  static Coro<AwaitResult<A>> DoIn(std::shared_ptr<internal::Log<Model>> log,
                                   std::string client, Operation operation,
                                   A awaitable) {
    Pending pending = Begin(log, std::move(client), std::move(operation));
    if constexpr (std::is_void_v<AwaitResult<A>>) {
      co_await std::move(awaitable);
      pending.End(Result());
    } else {
      AwaitResult<A> result = co_await std::move(awaitable);
      pending.End(Result(result));
      co_return result;
    }
  }

  // The model in numbers. Operations are numbered by their index in `records`.
  class Numbered final : public internal::SequentialModel {
   public:
    explicit Numbered(const Records& records)
        : records_(records), numbers_(0, HashOf{this}, Same{this}) {
      NumberOf(State());
    }

    std::uint64_t Apply(std::uint32_t state, std::uint32_t operation,
                        bool any_result,
                        std::vector<std::uint32_t>& next) override {
      const internal::Record<Model>& record = records_[operation];
      std::uint64_t ways = 0;
      ForEachWay(state, record.operation, [&](State& after, Result& result) {
        ++ways;
        if (any_result || result == *record.result) {
          next.push_back(NumberOf(std::move(after)));
        }
      });
      return ways;
    }

    const State& operator[](std::uint32_t number) const {
      return states_[number];
    }

    // Calls `visit(State& after, Result& result)` for each alternative of
    // `operation`.
    template <typename Visit>
    void ForEachWay(std::uint32_t state, const Operation& operation,
                    Visit visit) {
      if constexpr (DeterministicModel<Model>) {
        State after = states_[state];
        Result result = Model::Apply(after, operation);
        visit(after, result);
      } else {
        do {
          State after = states_[state];
          Result result = Model::Apply(after, operation, alternatives_);
          visit(after, result);
        } while (alternatives_.Next());
      }
    }

   private:
    // By content; the numbers are indices in states_.
    struct HashOf {
      const Numbered* model;
      std::size_t operator()(std::uint32_t number) const {
        return absl::Hash<State>()(model->states_[number]);
      }
    };
    struct Same {
      const Numbered* model;
      bool operator()(std::uint32_t a, std::uint32_t b) const {
        return model->states_[a] == model->states_[b];
      }
    };

    std::uint32_t NumberOf(State state) {
      states_.push_back(std::move(state));
      const auto [number, is_new] =
          numbers_.insert(static_cast<std::uint32_t>(states_.size() - 1));
      if (!is_new) states_.pop_back();
      return *number;
    }

    const Records& records_;
    std::deque<State> states_;
    absl::flat_hash_set<std::uint32_t, HashOf, Same> numbers_;
    Alternatives alternatives_;
  };

  // The operations that count, by partition, in order of first appearance;
  // within each part, sorted by calls.
  struct Part {
    std::string key;  // Empty: there is only one.
    std::vector<internal::Event> events;
  };
  std::vector<Part> Parts() const {
    std::vector<Part> parts;
    const auto add = [&](Part& part, std::size_t i) {
      const internal::Record<Model>& record = log_->records[i];
      part.events.push_back({.operation = static_cast<std::uint32_t>(i),
                             .called = record.called,
                             .returned = record.returned});
    };
    const Records& records = log_->records;
    if constexpr (HasPartition<Model>) {
      using Key = std::remove_cvref_t<decltype(Model::Partition(
          std::declval<const Operation&>()))>;
      absl::flat_hash_map<Key, std::size_t> places;
      for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i].discarded) continue;
        const Key key = Model::Partition(records[i].operation);
        const auto [place, is_new] = places.try_emplace(key, parts.size());
        if (is_new) parts.push_back({internal::ToText(key), {}});
        add(parts[place->second], i);
      }
    } else {
      parts.emplace_back();
      for (std::size_t i = 0; i < records.size(); ++i) {
        if (!records[i].discarded) add(parts.front(), i);
      }
    }
    return parts;
  }

  std::string OperationText(std::size_t i) const {
    const internal::Record<Model>& record = log_->records[i];
    return internal::OperationText(
        internal::ToText(record.operation),
        record.result.has_value() ? internal::ToText(*record.result) : "?");
  }

  // With `explains`, also fills in `shown`, if it is not null.
  Linearizability Decide(bool explains, TraceHistory* shown) const;
  // Explains a part that is not linearizable; finding that out took `steps`.
  void Explain(const Part& part, std::uint64_t steps, Numbered& model,
               Linearizability& result, TraceHistory* shown) const;
  // Fills in all operations of a part.
  void Show(const Part& part, TraceHistory& shown) const;

  std::string name_;
  HistoryOptions options_;
  std::shared_ptr<internal::Log<Model>> log_ =
      std::make_shared<internal::Log<Model>>();
};

template <HistoryModel Model>
Linearizability History<Model>::Decide(bool explains,
                                       TraceHistory* shown) const {
  clotho::internal::SyncRead(log_.get());
  Linearizability result;
  result.verdict = Verdict::kLinearizable;
  for (const Part& part : Parts()) {
    Numbered model(log_->records);
    const internal::SearchResult search =
        internal::Linearize(part.events, model, options_.steps_max);
    result.steps += search.steps;
    if (search.end == internal::SearchEnd::kNone) {
      result.verdict = Verdict::kNotLinearizable;
      if (explains) Explain(part, search.steps, model, result, shown);
      return result;  // The other parts do not matter.
    }
    if (search.end == internal::SearchEnd::kOutOfSteps &&
        result.verdict == Verdict::kLinearizable) {
      result.verdict = Verdict::kUnknown;
      result.explanation = internal::UnknownText(
          name_, part.key, part.events.size(), options_.steps_max);
      if (explains && shown != nullptr) Show(part, *shown);
    }
  }
  return result;
}

template <HistoryModel Model>
void History<Model>::Show(const Part& part, TraceHistory& shown) const {
  shown.key = part.key;
  shown.operations.clear();
  for (const internal::Event& event : part.events) {
    const internal::Record<Model>& record = log_->records[event.operation];
    TraceHistory::Operation& operation = shown.operations.emplace_back();
    operation.client = record.client;
    operation.text = OperationText(event.operation);
    operation.called = record.called;
    operation.called_step = record.called_at.step;
    operation.called_ns = record.called_at.time_ns;
    if (record.returned == internal::kNever) continue;
    operation.returned = record.returned;
    operation.returned_step = record.returned_at.step;
    operation.returned_ns = record.returned_at.time_ns;
  }
}

template <HistoryModel Model>
void History<Model>::Explain(const Part& part, std::uint64_t steps,
                             Numbered& model, Linearizability& result,
                             TraceHistory* shown) const {
  const internal::Contradiction contradiction =
      internal::FindContradiction(part.events, model, steps);
  result.part.assign(contradiction.part.begin(), contradiction.part.end());
  result.context.assign(contradiction.context.begin(),
                        contradiction.context.end());
  result.minimal = contradiction.minimal;

  internal::HistoryDrawing drawing;
  drawing.history = name_;
  drawing.key = part.key;
  drawing.operations = part.events.size();
  drawing.minimal = contradiction.minimal;
  const auto add_rows = [&](const std::vector<std::uint32_t>& operations,
                            bool is_context) {
    for (const std::uint32_t i : operations) {
      const internal::Record<Model>& record = log_->records[i];
      drawing.rows.push_back({.client = record.client,
                              .text = OperationText(i),
                              .called = record.called,
                              .returned = record.returned,
                              .called_at = record.called_at,
                              .returned_at = record.returned_at,
                              .is_context = is_context,
                              .is_stuck = i == contradiction.stuck});
    }
  };
  add_rows(contradiction.part, /*is_context=*/false);
  add_rows(contradiction.context, /*is_context=*/true);
  for (const std::uint32_t i : contradiction.order) {
    // The results of context operations do not count.
    const bool counts =
        std::find(contradiction.part.begin(), contradiction.part.end(), i) !=
        contradiction.part.end();
    drawing.order.push_back(counts
                                ? OperationText(i)
                                : internal::ToText(log_->records[i].operation));
  }
  drawing.state = internal::ToText(model[contradiction.state]);
  const Operation& stuck = log_->records[contradiction.stuck].operation;
  drawing.stuck = internal::ToText(stuck);
  model.ForEachWay(contradiction.state, stuck, [&](State&, Result& right) {
    drawing.right_results.push_back(internal::ToText(right));
  });
  if (shown != nullptr) {
    Show(part, *shown);
    const auto is_of = [](const std::vector<std::size_t>& some, std::size_t i) {
      return std::find(some.begin(), some.end(), i) != some.end();
    };
    for (std::size_t i = 0; i < part.events.size(); ++i) {
      const std::size_t record = part.events[i].operation;
      shown->operations[i].in_part = is_of(result.part, record);
      shown->operations[i].in_context = is_of(result.context, record);
      shown->operations[i].stuck = record == contradiction.stuck;
    }
    shown->order = drawing.order;
    shown->state = drawing.state;
    shown->right_results = drawing.right_results;
  }
  result.explanation = internal::Draw(std::move(drawing));
}

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_HISTORY_H_
