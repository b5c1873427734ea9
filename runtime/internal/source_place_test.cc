#include "clotho/runtime/internal/source_place.h"

#include <source_location>
#include <string>

#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

TEST(FunctionNameTest, LeavesOutTheReturnTypeAndTheParameters) {
  EXPECT_EQ(FunctionName("Coro<Job> JobQueue::Take()"), "JobQueue::Take");
  EXPECT_EQ(FunctionName("clotho::Coro<int> Fetch(std::string, int)"), "Fetch");
  EXPECT_EQ(FunctionName("void Server::Start(std::function<void (int)>)"),
            "Server::Start");
  EXPECT_EQ(FunctionName("int main()"), "main");
  EXPECT_EQ(FunctionName("main"), "main");
  EXPECT_EQ(FunctionName("Bar::Bar(int)"), "Bar::Bar");
  EXPECT_EQ(FunctionName("std::size_t Foo::Size() const"), "Foo::Size");
  EXPECT_EQ(FunctionName("const std::string &Foo::Name(Bar &&) const"),
            "Foo::Name");
  EXPECT_EQ(FunctionName(""), "");
}

TEST(FunctionNameTest, LeavesOutTheUnnamedNamespaceOfBothCompilers) {
  EXPECT_EQ(FunctionName("Coro<void> bank::(anonymous namespace)::Pay(int)"),
            "bank::Pay");
  EXPECT_EQ(FunctionName("bank::Coro<void> bank::{anonymous}::Pay(int)"),
            "bank::Pay");
  EXPECT_EQ(FunctionName("Coro<void> a::(anonymous namespace)::B::"
                         "(anonymous namespace)::C()"),
            "a::B::C");
}

TEST(FunctionNameTest, CallsALambdaByTheFunctionThatItStandsIn) {
  EXPECT_EQ(
      FunctionName(
          "auto Hello::TestBody()::(anonymous class)::operator()() const"),
      "Hello::TestBody::lambda");
  EXPECT_EQ(FunctionName("Hello::TestBody()::<lambda()>"),
            "Hello::TestBody::lambda");
  EXPECT_EQ(FunctionName("{anonymous}::Hello::TestBody()::<lambda(int)>"),
            "Hello::TestBody::lambda");
}

TEST(FunctionNameTest, KeepsTemplateArguments) {
  EXPECT_EQ(FunctionName("Coro<T> Queue<T>::Get() [T = int]"), "Queue<T>::Get");
  EXPECT_EQ(FunctionName("Coro<T> Queue<T>::Get() [with T = int]"),
            "Queue<T>::Get");
  EXPECT_EQ(FunctionName("std::map<int, long> Zoo::Cages(std::pair<int, int>)"),
            "Zoo::Cages");
}

TEST(FunctionNameTest, LeavesOutWhatTheTemplateParametersStandFor) {
  EXPECT_EQ(FunctionName("Coro<void> Group<T>::Run(int) [T = (anonymous "
                         "namespace)::Faulty<(Mistake)0>]"),
            "Group<T>::Run");
  EXPECT_EQ(FunctionName("Coro<void> Group<T>::Run(int) [with T = "
                         "{anonymous}::Faulty<(Mistake)0>]"),
            "Group<T>::Run");
  EXPECT_EQ(FunctionName("void Call(F) [F = (lambda at main.cc:3:4)]"), "Call");
  EXPECT_EQ(FunctionName("void Fill(T &) [T = int[3]]"), "Fill");
  EXPECT_EQ(FunctionName("int &Row::operator[](int)"), "Row::operator[]");
}

TEST(FunctionNameTest, LeavesOutTheOuterScopesOfALongName) {
  EXPECT_EQ(FunctionName(
                "void clotho::sim::AVeryLongSuite_WithAVeryLongTestName_Test::"
                "TestBody()::(anonymous class)::operator()() const"),
            "TestBody::lambda");
  EXPECT_EQ(FunctionName("void " + std::string(60, 'x') + "()"),
            std::string(60, 'x'));
}

TEST(FunctionNameTest, KeepsOperators) {
  EXPECT_EQ(FunctionName("void Handler::operator()(int) const"),
            "Handler::operator()");
  EXPECT_EQ(FunctionName("bool Price::operator<(const Price &) const"),
            "Price::operator<");
}

std::string NameOfThisFunction() {
  return FunctionName(std::source_location::current().function_name());
}

TEST(FunctionNameTest, IsTheSameOnTheCompilerThatThisIs) {
  EXPECT_EQ(NameOfThisFunction(), "clotho::internal::NameOfThisFunction");
}

TEST(ShortFileTest, IsThePathInTheWorkspace) {
  EXPECT_EQ(ShortFile("examples/bank.cc"), "examples/bank.cc");
  EXPECT_EQ(ShortFile("./examples/bank.cc"), "examples/bank.cc");
  EXPECT_EQ(ShortFile("/proc/self/cwd/examples/bank.cc"), "examples/bank.cc");
  EXPECT_EQ(ShortFile("bazel-out/k8-fastbuild/bin/runtime/_virtual_includes/"
                      "task/clotho/runtime/task.h"),
            "runtime/task.h");
  EXPECT_EQ(ShortFile("/home/me/build/include/clotho/runtime/task.h"),
            "runtime/task.h");
  EXPECT_EQ(ShortFile("/usr/include/clotho/runtime/task.h"), "runtime/task.h");
  EXPECT_EQ(ShortFile("/home/me/include/main.cc"), "/home/me/include/main.cc");
  EXPECT_EQ(ShortFile("/home/me/project/main.cc"), "/home/me/project/main.cc");
  EXPECT_EQ(ShortFile(""), "");
}

TEST(PlaceTest, IsFileAndLine) {
  EXPECT_EQ(Place("examples/bank.cc", 30), "examples/bank.cc:30");
  EXPECT_EQ(Place("examples/bank.cc", 0), "examples/bank.cc");
  EXPECT_EQ(Place(std::source_location()), "unknown");
}

}  // namespace
}  // namespace clotho::internal
