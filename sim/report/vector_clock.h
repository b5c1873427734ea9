// VectorClock: for each chain of steps, up to which step it is known to have
// happened (Mattern, 1989).
//
// A clock is a tree whose parts are shared with the clocks that it was copied
// from or joined with. Copying one takes constant time. Joining two takes time
// in proportion to what differs between them, which is little where tasks hand
// on what they know: recording an execution of n tasks does not cost n * n.

#ifndef CLOTHO_SIM_REPORT_VECTOR_CLOCK_H_
#define CLOTHO_SIM_REPORT_VECTOR_CLOCK_H_

#include <cstdint>
#include <memory>

namespace clotho::sim::internal {

class VectorClock {
 public:
  // The last known step of `chain`. 0: none is known.
  std::uint64_t Of(std::uint32_t chain) const;
  // `chain` has taken this step, which is later than those known.
  void Set(std::uint32_t chain, std::uint64_t step);
  // Adds what `other` knows.
  void Join(const VectorClock& other);
  void Clear() { *this = VectorClock(); }

 private:
  // An Inner, or a Leaf at the lowest level. They are never changed.
  using Node = std::shared_ptr<const void>;
  struct Inner;
  struct Leaf;

  static Node SetIn(const Node& node, int height, std::uint32_t chain,
                    std::uint64_t step);
  static Node JoinOf(const Node& a, const Node& b, int height);
  static Node JoinOfLeaves(const Node& a, const Node& b);
  // Makes the tree at least this high.
  void Raise(int height);

  Node root_;
  int height_ = 0;  // Of a tree that is a leaf: 0.
};

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_REPORT_VECTOR_CLOCK_H_
