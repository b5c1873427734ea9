// Clients: what several tasks do to one object at the same time, held against a
// model of it that knows no concurrency.
//
//   struct Put { int value; };                     // With operator<<, and an
//   struct Get {};                                 // rc::Arbitrary.
//   struct Register {                              // As for sim::History.
//     using State = int;
//     using Operation = std::variant<Put, Get>;
//     using Result = int;
//     static Result Apply(State& state, const Operation& operation) { ... }
//   };
//
//   CLOTHO_PROPERTY(StoreTest, IsLinearizable,
//                   (const properties::Clients<Register>& clients),
//                   sim::Random{.schedules = 50}) {
//     Store store;
//     co_await clients.Run("store",
//                          [&](Register::Operation operation) -> Coro<int> {
//                            if (auto* put = std::get_if<Put>(&operation)) {
//                              co_await store.Put(put->value);
//                              co_return put->value;
//                            }
//                            co_return co_await store.Get();
//                          });
//   }
//
// rapidcheck makes the operations. First come some by one client alone, which
// bring the object into some state; then each of the others, a task of its own,
// goes through its list. What they were told must be explained by some order of
// the operations (sim/history.h), else the execution fails, and the report
// draws the operations that contradict one another. A failing input shrinks to
// few clients with few operations.
//
// (The form is that of Claessen et al., "Finding race conditions in Erlang with
// QuickCheck and PULSE", ICFP 2009. An operation that is not allowed in a state
// is one whose result says so.)

#ifndef CLOTHO_PROPERTIES_CLIENTS_H_
#define CLOTHO_PROPERTIES_CLIENTS_H_

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clotho/properties/arbitrary.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/task_group.h"
#include "clotho/sim/history.h"
#include "clotho/sim/report/history_text.h"
#include "rapidcheck.h"

namespace clotho::properties {

template <sim::HistoryModel Model>
struct Clients {
  using Operation = typename Model::Operation;
  using Operations = std::vector<Operation>;

  // What is done before there is more than one client.
  Operations first = {};
  // What each client does, one after the other.
  std::vector<Operations> clients = {};

  // Does all of it: `run(operation)` is to return something that is awaited for
  // the operation's result. What it throws ends all the clients, and comes out
  // as an exception of TaskGroup's when they have ended (out of `first`, as it
  // is). A cancellation is passed on to them.
  //
  // `name` is that of the history in reports.
  template <typename Function>
  Coro<void> Run(
      std::string_view name, Function run,
      std::source_location location = std::source_location::current()) const {
    return RunIn(*this, std::string(name), std::move(run), location);
  }

 private:
  template <typename Function>
  static Coro<void> RunIn(Clients all, std::string name, Function run,
                          std::source_location location) {
    sim::History<Model> history(name);
    Coro<void> first = RunOne(history, "first", all.first, run);
    co_await std::move(first);
    // Whatever happens here, the clients have ended when this has.
    TaskGroup group;
    Coro<void> body = group.Run([&]() -> Coro<void> {
      for (std::size_t i = 0; i < all.clients.size(); ++i) {
        const std::string client = "c" + std::to_string(i);
        group.CreateTask(RunOne(history, client, all.clients[i], run),
                         {.name = client});
      }
      co_return;
    });
    co_await std::move(body);
    history.Check(location);
  }

  template <typename Function>
  static Coro<void> RunOne(sim::History<Model>& history, std::string client,
                           const Operations& operations, Function& run) {
    for (const Operation& operation : operations) {
      auto pending = history.Begin(client, operation);
      auto awaitable = run(operation);
      pending.End(co_await std::move(awaitable));
    }
  }
};

template <typename Model>
std::ostream& operator<<(std::ostream& out, const Clients<Model>& clients) {
  using sim::internal::ToText;
  std::string text;
  const auto add = [&text](const std::string& name, const auto& operations) {
    if (!text.empty()) text += "\n";
    text += name + ": ";
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (i > 0) text += ", ";
      text += ToText(operations[i]);
    }
  };
  if (!clients.first.empty()) add("first", clients.first);
  for (std::size_t i = 0; i < clients.clients.size(); ++i) {
    add("c" + std::to_string(i), clients.clients[i]);
  }
  return out << (text.empty() ? "nothing" : text);
}

// How much is done. Whether a history has an explanation is a question whose
// answer takes the longer the more clients there are.
struct ClientLimits {
  int first_max = 3;
  int clients_max = 3;
  int operations_max = 5;  // Of each client.
};

// Clients whose operations are of this generator.
template <sim::HistoryModel Model>
rc::Gen<Clients<Model>> AnyClients(rc::Gen<typename Model::Operation> operation,
                                   ClientLimits limits = {}) {
  using Operations = typename Clients<Model>::Operations;
  // The lists stay short; what is in them grows with the size.
  return rc::gen::withSize([operation, limits](int size) {
    const auto list = [&](int length_max) {
      return rc::gen::resize(
          std::min(size, length_max),
          rc::gen::container<Operations>(rc::gen::resize(size, operation)));
    };
    const auto clients =
        rc::gen::resize(std::min(size, limits.clients_max),
                        rc::gen::container<std::vector<Operations>>(
                            list(limits.operations_max)));
    return rc::gen::map(
        rc::gen::pair(list(limits.first_max), clients),
        [](std::pair<Operations, std::vector<Operations>> drawn) {
          return Clients<Model>{.first = std::move(drawn.first),
                                .clients = std::move(drawn.second)};
        });
  });
}

}  // namespace clotho::properties

namespace rc {

template <typename Model>
struct Arbitrary<clotho::properties::Clients<Model>> {
  static Gen<clotho::properties::Clients<Model>> arbitrary() {
    return clotho::properties::AnyClients<Model>(
        gen::arbitrary<typename Model::Operation>());
  }
};

}  // namespace rc

#endif  // CLOTHO_PROPERTIES_CLIENTS_H_
