#include "clotho/runtime/internal/ref.h"

#include <type_traits>
#include <utility>

#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

struct Counted {
  void AddRef() { ++references; }
  void Release() { --references; }
  int references = 0;
};

static_assert(std::is_nothrow_move_constructible_v<Ref<Counted>>);
static_assert(!std::is_convertible_v<Counted*, Ref<Counted>>);

TEST(RefTest, CountsItsCopies) {
  Counted object;
  {
    Ref<Counted> a(&object);
    EXPECT_EQ(object.references, 1);
    Ref<Counted> b = a;
    EXPECT_EQ(object.references, 2);
    EXPECT_TRUE(a == b);
    Ref<Counted> c = std::move(a);
    EXPECT_EQ(object.references, 2);
    EXPECT_FALSE(a);  // NOLINT: what it was moved from is empty.
    c = nullptr;
    EXPECT_EQ(object.references, 1);
  }
  EXPECT_EQ(object.references, 0);
}

TEST(RefTest, MayBeAssignedToItself) {
  Counted object;
  Ref<Counted> a(&object);
  Ref<Counted>& same = a;
  a = same;
  EXPECT_EQ(object.references, 1);
  a = std::move(same);
  EXPECT_EQ(object.references, 1);
  EXPECT_EQ(a.get(), &object);
}

TEST(RefTest, AssignmentReleasesWhatItHeld) {
  Counted object, other;
  Ref<Counted> a(&object);
  a = Ref<Counted>(&other);
  EXPECT_EQ(object.references, 0);
  EXPECT_EQ(other.references, 1);
}

TEST(RefTest, TakesOverAndGivesAwayACount) {
  Counted object;
  object.AddRef();
  Ref<Counted> a = Ref<Counted>::Adopt(&object);
  EXPECT_EQ(object.references, 1);
  EXPECT_EQ(a.Leak(), &object);
  EXPECT_FALSE(a);
  EXPECT_EQ(object.references, 1);
}

TEST(RefTest, EmptyItIsNull) {
  Ref<Counted> a;
  Ref<Counted> b(nullptr);
  EXPECT_TRUE(a == b);
  EXPECT_EQ(a.get(), nullptr);
}

}  // namespace
}  // namespace clotho::internal
