#include "clotho/sim/report/vector_clock.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace clotho::sim::internal {
namespace {

constexpr int kBits = 3;  // Of a chain's number, at each level of the tree.
constexpr std::size_t kFanout = std::size_t{1} << kBits;

// Which child of a node at `height` leads to the chain.
std::size_t SlotOf(std::uint32_t chain, int height) {
  return (chain >> (height * kBits)) % kFanout;
}

// Whether a tree of this height has a place for the chain.
bool Fits(std::uint32_t chain, int height) {
  return (std::uint64_t{chain} >> ((height + 1) * kBits)) == 0;
}

}  // namespace

struct VectorClock::Inner {
  std::array<Node, kFanout> children;
};

struct VectorClock::Leaf {
  std::array<std::uint64_t, kFanout> steps{};
};

std::uint64_t VectorClock::Of(std::uint32_t chain) const {
  if (!Fits(chain, height_)) return 0;
  const void* node = root_.get();
  for (int height = height_; height > 0 && node != nullptr; --height) {
    node =
        static_cast<const Inner*>(node)->children[SlotOf(chain, height)].get();
  }
  if (node == nullptr) return 0;
  return static_cast<const Leaf*>(node)->steps[SlotOf(chain, 0)];
}

void VectorClock::Set(std::uint32_t chain, std::uint64_t step) {
  int height = height_;
  while (!Fits(chain, height)) ++height;
  Raise(height);
  root_ = SetIn(root_, height_, chain, step);
}

VectorClock::Node VectorClock::SetIn(const Node& node, int height,
                                     std::uint32_t chain, std::uint64_t step) {
  const std::size_t slot = SlotOf(chain, height);
  if (height == 0) {
    auto leaf =
        node == nullptr
            ? std::make_shared<Leaf>()
            : std::make_shared<Leaf>(*static_cast<const Leaf*>(node.get()));
    leaf->steps[slot] = step;
    return leaf;
  }
  auto inner =
      node == nullptr
          ? std::make_shared<Inner>()
          : std::make_shared<Inner>(*static_cast<const Inner*>(node.get()));
  inner->children[slot] = SetIn(inner->children[slot], height - 1, chain, step);
  return inner;
}

void VectorClock::Join(const VectorClock& other) {
  if (other.root_ == nullptr) return;
  if (other.height_ < height_) {
    VectorClock raised = other;
    raised.Raise(height_);
    root_ = JoinOf(root_, raised.root_, height_);
    return;
  }
  Raise(other.height_);
  root_ = JoinOf(root_, other.root_, height_);
}

VectorClock::Node VectorClock::JoinOf(const Node& a, const Node& b,
                                      int height) {
  if (a == b || b == nullptr) return a;
  if (a == nullptr) return b;
  if (height == 0) return JoinOfLeaves(a, b);
  const auto& first = static_cast<const Inner*>(a.get())->children;
  const auto& second = static_cast<const Inner*>(b.get())->children;
  Inner joined;
  for (std::size_t i = 0; i < kFanout; ++i) {
    joined.children[i] = JoinOf(first[i], second[i], height - 1);
  }
  // What one of them knows already is shared with it.
  if (joined.children == first) return a;
  if (joined.children == second) return b;
  return std::make_shared<Inner>(std::move(joined));
}

VectorClock::Node VectorClock::JoinOfLeaves(const Node& a, const Node& b) {
  const auto& first = static_cast<const Leaf*>(a.get())->steps;
  const auto& second = static_cast<const Leaf*>(b.get())->steps;
  Leaf joined;
  for (std::size_t i = 0; i < kFanout; ++i) {
    joined.steps[i] = std::max(first[i], second[i]);
  }
  if (joined.steps == first) return a;
  if (joined.steps == second) return b;
  return std::make_shared<Leaf>(joined);
}

void VectorClock::Raise(int height) {
  for (; height_ < height; ++height_) {
    if (root_ == nullptr) continue;
    auto inner = std::make_shared<Inner>();
    inner->children[0] = std::move(root_);
    root_ = std::move(inner);
  }
}

}  // namespace clotho::sim::internal
