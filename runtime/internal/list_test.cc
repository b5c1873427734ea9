#include "clotho/runtime/internal/list.h"

#include <memory>
#include <type_traits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

static_assert(!std::is_copy_constructible_v<ListNode>);
static_assert(!std::is_move_constructible_v<ListNode>);

struct One : ListNode {};
struct Two : ListNode {};
struct Element : One, Two {
  explicit Element(int n) : value(n) {}
  int value;
};
using List = IntrusiveList<Element, One>;

void Unlink(Element& e) { static_cast<One&>(e).Unlink(); }
bool IsLinked(const Element& e) {
  return static_cast<const One&>(e).is_linked();
}

std::vector<int> Values(const List& list) {
  std::vector<int> values;
  list.ForEach([&](Element& e) { values.push_back(e.value); });
  return values;
}

TEST(ListTest, IsFirstInFirstOut) {
  Element a(1), b(2), c(3);
  List list;
  EXPECT_TRUE(list.empty());
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(&list.front(), &a);
  EXPECT_EQ(&list.back(), &c);
  EXPECT_THAT(Values(list), ElementsAre(1, 2, 3));
}

TEST(ListTest, ANodeUnlinksItselfFromWhereverItIs) {
  Element a(1), b(2), c(3);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);
  Unlink(b);
  EXPECT_FALSE(IsLinked(b));
  EXPECT_THAT(Values(list), ElementsAre(1, 3));
  Unlink(b);  // No effect.
  list.PushBack(b);
  EXPECT_THAT(Values(list), ElementsAre(1, 3, 2));
}

TEST(ListTest, ANodeThatGoesLeavesTheList) {
  Element a(1);
  auto b = std::make_unique<Element>(2);
  List list;
  list.PushBack(a);
  list.PushBack(*b);
  b.reset();
  EXPECT_THAT(Values(list), ElementsAre(1));
}

TEST(ListTest, AListThatGoesLetsGoOfItsNodes) {
  Element a(1);
  {
    List list;
    list.PushBack(a);
    EXPECT_TRUE(IsLinked(a));
  }
  EXPECT_FALSE(IsLinked(a));
}

TEST(ListTest, ClearUnlinksAll) {
  Element a(1), b(2);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  list.Clear();
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(IsLinked(a));
}

TEST(ListTest, AVisitMayUnlinkWhatItIsGiven) {
  Element a(1), b(2), c(3);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);
  list.ForEach([](Element& e) {
    if (e.value != 2) Unlink(e);
  });
  EXPECT_THAT(Values(list), ElementsAre(2));
}

TEST(ListTest, FindsTheFirstThatIsAccepted) {
  Element a(1), b(2), c(2);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);
  EXPECT_EQ(list.Find([](const Element& e) { return e.value == 2; }), &b);
  EXPECT_EQ(list.Find([](const Element& e) { return e.value == 3; }), nullptr);
}

TEST(ListTest, AnElementMayBeInTwoLists) {
  Element a(1);
  List one;
  IntrusiveList<Element, Two> two;
  one.PushBack(a);
  two.PushBack(a);
  Unlink(a);
  EXPECT_THAT(Values(one), IsEmpty());
  EXPECT_EQ(&two.front(), &a);
}

}  // namespace
}  // namespace clotho::internal
