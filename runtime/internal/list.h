// IntrusiveList: a circular list linked through its elements, in FIFO order.
//
// A node knows whether it is linked, and unlinks itself when it is destroyed.
// The list's destructor unlinks all remaining nodes, so neither has to outlive
// the other.

#ifndef CLOTHO_RUNTIME_INTERNAL_LIST_H_
#define CLOTHO_RUNTIME_INTERNAL_LIST_H_

#include "clotho/runtime/internal/check.h"

namespace clotho::internal {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { Unlink(); }

  bool is_linked() const noexcept { return next_ != this; }

  void Unlink() noexcept {
    CLOTHO_DCHECK(prev_->next_ == this && next_->prev_ == this,
                  "the neighbours of a node link to it");
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }

  // Links this node before `position`. It must not be linked.
  void LinkBefore(ListNode& position) noexcept {
    CLOTHO_DCHECK(!is_linked(), "a node is in one list at a time");
    CLOTHO_DCHECK(position.prev_->next_ == &position,
                  "the neighbours of a node link to it");
    next_ = &position;
    prev_ = position.prev_;
    prev_->next_ = this;
    position.prev_ = this;
  }

  ListNode* next() const noexcept { return next_; }
  ListNode* prev() const noexcept { return prev_; }

 private:
  ListNode* prev_ = this;
  ListNode* next_ = this;
};

// A list of T, which derives from ListNode (or from a tag class that does, if
// an object is in two lists).
template <typename T, typename Node = ListNode>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  ~IntrusiveList() { Clear(); }

  bool empty() const noexcept { return !head_.is_linked(); }
  void PushBack(T& element) noexcept {
    static_cast<Node&>(element).LinkBefore(head_);
  }
  T& front() const noexcept {
    CLOTHO_DCHECK(!empty(), "an empty list has no elements");
    return Element(head_.next());
  }
  T& back() const noexcept {
    CLOTHO_DCHECK(!empty(), "an empty list has no elements");
    return Element(head_.prev());
  }

  void Clear() noexcept {
    while (head_.is_linked()) head_.next()->Unlink();
  }

  // Calls `visit(T&)` for each element, oldest first. `visit` may unlink its
  // argument.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (ListNode* node = head_.next(); node != &head_;) {
      ListNode* const next = node->next();
      visit(Element(node));
      node = next;
    }
  }

  // The first element for which `accept(const T&)` holds, or null.
  template <typename Accept>
  T* Find(Accept accept) const {
    for (ListNode* node = head_.next(); node != &head_; node = node->next()) {
      T& element = Element(node);
      if (accept(element)) return &element;
    }
    return nullptr;
  }

 private:
  static T& Element(ListNode* node) noexcept {
    return static_cast<T&>(static_cast<Node&>(*node));
  }

  ListNode head_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_LIST_H_
