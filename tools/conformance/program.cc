#include "clotho/tools/conformance/program.h"

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"

namespace clotho::conformance {
namespace {

using Json = nlohmann::json;

template <typename Op>
using Words = std::map<std::string_view, Op>;

template <typename Op>
Op Lookup(const Words<Op>& words, const std::string& word) {
  const auto found = words.find(word);
  if (found == words.end()) {
    throw std::invalid_argument("there is no \"" + word +
                                "\" in the conformance language");
  }
  return found->second;
}

const Words<Expression::Op>& ExpressionWords() {
  using enum Expression::Op;
  static const auto* const words = new Words<Expression::Op>{
      {"var", kVar},   {"add", kAdd}, {"sub", kSub},
      {"mul", kMul},   {"mod", kMod}, {"lt", kLt},
      {"le", kLe},     {"eq", kEq},   {"ne", kNe},
      {"not", kNot},   {"and", kAnd}, {"or", kOr},
      {"list", kList}, {"idx", kIdx}, {"len", kLen},
      {"time", kTime}, {"me", kMe},   {"all_tasks", kAllTasks},
      {"exc", kExc},   {"q", kQuery},
  };
  return *words;
}

const Words<AwaitableForm::Op>& AwaitableWords() {
  using enum AwaitableForm::Op;
  static const auto* const words = new Words<AwaitableForm::Op>{
      {"var", kVar},
      {"gather", kGather},
      {"shield", kShield},
      {"call", kCall},
      {"sleep", kSleep},
      {"wait_for", kWaitFor},
      {"wait", kWait},
      {"acquire", kAcquire},
      {"ewait", kEventWait},
      {"cwait", kConditionWait},
      {"cwait_for", kConditionWaitFor},
      {"bwait", kBarrierWait},
      {"breset", kBarrierReset},
      {"babort", kBarrierAbort},
      {"get", kGet},
      {"put", kPut},
      {"join", kJoin},
      {"anext", kAnext},
      {"asend", kAsend},
      {"athrow", kAthrow},
      {"aclose", kAclose},
      {"via_task", kViaTask},
  };
  return *words;
}

const Words<Statement::Op>& StatementWords() {
  using enum Statement::Op;
  static const auto* const words = new Words<Statement::Op>{
      {"log", kLog},
      {"set", kSet},
      {"await", kAwait},
      {"spawn", kSpawn},
      {"let", kLet},
      {"new", kNew},
      {"do", kDo},
      {"add_cb", kAddCallback},
      {"rm_cb", kRemoveCallback},
      {"call_soon", kCallSoon},
      {"call_later", kCallLater},
      {"call_at", kCallAt},
      {"block", kBlock},
      {"raise", kRaise},
      {"reraise", kReraise},
      {"return", kReturn},
      {"break", kBreak},
      {"continue", kContinue},
      {"if", kIf},
      {"while", kWhile},
      {"repeat", kRepeat},
      {"for", kFor},
      {"try", kTry},
      {"with", kWith},
      {"timeout", kTimeout},
      {"taskgroup", kTaskGroup},
      {"afor", kAsyncFor},
      {"as_completed", kAsCompleted},
      {"yield", kYield},
  };
  return *words;
}

Value ParseLiteral(const Json& json) {
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_string()) return Value(json.get<std::string>());
  return Value(json.get<std::int64_t>());
}

Expression ParseExpression(const Json& json) {
  Expression expression;
  if (!json.is_array()) {
    expression.literal = ParseLiteral(json);
    return expression;
  }
  expression.op = Lookup(ExpressionWords(), json.at(0).get<std::string>());
  switch (expression.op) {
    case Expression::Op::kVar:
      expression.name = json.at(1);
      break;
    case Expression::Op::kQuery:
      expression.name = json.at(1);
      expression.method = json.at(2);
      break;
    case Expression::Op::kExc:
      expression.name = json.at(1);
      if (json.size() > 2 && !json[2].is_null()) expression.text = json[2];
      break;
    default:
      for (std::size_t i = 1; i < json.size(); ++i) {
        expression.operands.push_back(ParseExpression(json[i]));
      }
  }
  return expression;
}

std::vector<Expression> ParseExpressions(const Json& json) {
  std::vector<Expression> expressions;
  for (const Json& element : json) {
    expressions.push_back(ParseExpression(element));
  }
  return expressions;
}

AwaitableForm ParseAwaitable(const Json& json) {
  using Op = AwaitableForm::Op;
  AwaitableForm form;
  form.word = json.at(0);
  form.op = Lookup(AwaitableWords(), form.word);
  std::size_t next = 1;
  switch (form.op) {
    case Op::kGather:
      form.return_exceptions = json.at(1);
      for (const Json& element : json.at(2)) {
        form.awaitables.push_back(ParseAwaitable(element));
      }
      return form;
    case Op::kWait: {
      for (const Json& element : json.at(1)) {
        form.awaitables.push_back(ParseAwaitable(element));
      }
      form.operands.push_back(ParseExpression(json.at(2)));
      static const auto* const modes = new Words<AwaitableForm::Mode>{
          {"ALL_COMPLETED", AwaitableForm::Mode::kAllCompleted},
          {"FIRST_COMPLETED", AwaitableForm::Mode::kFirstCompleted},
          {"FIRST_EXCEPTION", AwaitableForm::Mode::kFirstException},
      };
      form.mode = Lookup(*modes, json.at(3).get<std::string>());
      return form;
    }
    case Op::kShield:
    case Op::kWaitFor:
    case Op::kViaTask:
      form.awaitables.push_back(ParseAwaitable(json.at(1)));
      next = 2;
      break;
    case Op::kSleep:
      break;
    default:
      form.name = json.at(1);
      next = 2;
  }
  for (; next < json.size(); ++next) {
    form.operands.push_back(ParseExpression(json[next]));
  }
  return form;
}

Block ParseBlock(const Json& json);

std::string TextAt(const Json& json, const char* key) {
  return json.value(key, std::string());
}

std::optional<std::string> OptionalTextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  return found->get<std::string>();
}

bool AnyYields(const Block& block) {
  for (const Statement& statement : block) {
    if (statement.yields) return true;
  }
  return false;
}

Statement ParseStatement(const Json& json) {
  Statement statement;
  statement.what = json.at("op");
  statement.op = Lookup(StatementWords(), statement.what);
  statement.label = OptionalTextAt(json, "l");
  statement.as = OptionalTextAt(json, "as");
  statement.name = OptionalTextAt(json, "name");
  statement.context = OptionalTextAt(json, "ctx");
  statement.group = OptionalTextAt(json, "tg");
  statement.lock = OptionalTextAt(json, "lock");
  statement.object = TextAt(json, "o");
  statement.method = TextAt(json, "m");
  statement.type = TextAt(json, "type");
  statement.definition = TextAt(json, json.contains("gen") ? "gen" : "cb");
  statement.absolute = json.contains("at");
  statement.plain = TextAt(json, "mode") == "plain";
  statement.catch_errors = json.value("catch", false);
  if (statement.op == Statement::Op::kNew) {
    if (json.contains("n")) statement.number = ParseLiteral(json["n"]);
  } else if (statement.op == Statement::Op::kAsyncFor) {
    statement.object = json.at("in");
  } else {
    for (const char* const key : {"e", "d", "at", "cond", "n", "in"}) {
      if (json.contains(key)) statement.expression = ParseExpression(json[key]);
    }
  }
  if (json.contains("timeout")) {
    statement.timeout = ParseExpression(json["timeout"]);
  }
  for (const char* const key : {"args", "v"}) {
    if (json.contains(key)) statement.args = ParseExpressions(json[key]);
  }
  if (json.contains("aw")) {
    statement.awaitables.push_back(ParseAwaitable(json["aw"]));
  }
  if (json.contains("aws")) {
    for (const Json& element : json["aws"]) {
      statement.awaitables.push_back(ParseAwaitable(element));
    }
  }
  if (json.contains("body")) statement.body = ParseBlock(json["body"]);
  if (json.contains("then")) statement.body = ParseBlock(json["then"]);
  if (json.contains("else")) statement.otherwise = ParseBlock(json["else"]);
  statement.has_finally = json.contains("finally");
  if (statement.has_finally) statement.finally = ParseBlock(json["finally"]);
  if (json.contains("except")) {
    for (const Json& clause : json["except"]) {
      statement.excepts.push_back({.match = clause.at("match"),
                                   .as = OptionalTextAt(clause, "as"),
                                   .body = ParseBlock(clause.at("body"))});
    }
  }
  if (statement.op == Statement::Op::kDo) {
    statement.what += "." + statement.method;
  }
  if (statement.op == Statement::Op::kAwait) {
    statement.what += "." + statement.awaitables.front().word;
  }
  statement.yields =
      statement.op == Statement::Op::kYield || AnyYields(statement.body) ||
      AnyYields(statement.otherwise) || AnyYields(statement.finally);
  for (const Except& clause : statement.excepts) {
    statement.yields = statement.yields || AnyYields(clause.body);
  }
  return statement;
}

Block ParseBlock(const Json& json) {
  Block block;
  for (const Json& element : json) block.push_back(ParseStatement(element));
  return block;
}

Definition ParseDefinition(const std::string& name, const Json& json) {
  using Kind = Definition::Kind;
  static const auto* const kinds = new Words<Kind>{{"coro", Kind::kCoroutine},
                                                   {"cb", Kind::kCallback},
                                                   {"gen", Kind::kGenerator}};
  return {.kind = Lookup(*kinds, json.at("kind").get<std::string>()),
          .name = name,
          .params = json.value("params", std::vector<std::string>()),
          .body = ParseBlock(json.at("body"))};
}

}  // namespace

Program ParseProgram(std::string_view json_text) {
  const Json json = Json::parse(json_text);
  Program program;
  program.id = json.at("id");
  program.main = json.value("main", program.main);
  program.steps_max = json.value("limit", program.steps_max);
  for (const auto& [name, definition] : json.at("defs").items()) {
    program.definitions.emplace(name, ParseDefinition(name, definition));
  }
  return program;
}

}  // namespace clotho::conformance
