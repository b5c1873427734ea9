// Text: a shared, immutable string from the pool. May be null.

#ifndef CLOTHO_RUNTIME_INTERNAL_SHARED_STRING_H_
#define CLOTHO_RUNTIME_INTERNAL_SHARED_STRING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/ref.h"

namespace clotho::internal {

class TextData : public Pooled {
 public:
  explicit TextData(std::string_view text) : text_(text.data(), text.size()) {}

  void AddRef() noexcept { ++references_; }
  void Release() noexcept {
    if (--references_ == 0) delete this;
  }
  std::string_view view() const noexcept { return text_; }

 private:
  std::uint32_t references_ = 0;
  std::basic_string<char, std::char_traits<char>, PoolAllocator<char>> text_;
};

// Null means absent, which is different from empty.
using Text = Ref<TextData>;

inline Text MakeText(std::optional<std::string_view> text) {
  return text.has_value() ? Text(new TextData(*text)) : Text();
}

inline std::optional<std::string> ToString(const Text& text) {
  if (!text) return std::nullopt;
  return std::string(text->view());
}

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_INTERNAL_SHARED_STRING_H_
