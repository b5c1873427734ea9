#include "clotho/sim/engine/library_function.h"

#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

TEST(IsLibraryFunction, KnowsLibraries) {
  EXPECT_TRUE(IsLibraryFunction("std::mutex::lock()"));
  EXPECT_TRUE(IsLibraryFunction("pthread_mutex_lock"));
  EXPECT_TRUE(IsLibraryFunction("__gthread_mutex_lock(pthread_mutex_t*)"));
  EXPECT_TRUE(IsLibraryFunction("testing::Test::Run()"));
  EXPECT_TRUE(IsLibraryFunction("clotho::sim::internal::ThreadEngine::Run()"));
}

TEST(IsLibraryFunction, LeavesThoseOfThePrograms) {
  EXPECT_FALSE(IsLibraryFunction("Pool::Take()"));
  EXPECT_FALSE(IsLibraryFunction("clotho::sim::History::Call()"));
  EXPECT_FALSE(IsLibraryFunction("(anonymous namespace)::std_pool()"));
}

}  // namespace
}  // namespace clotho::sim::internal
