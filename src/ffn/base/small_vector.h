// A vector with room for N elements inside itself and a hard limit of N: the executor's per-node
// lists never touch the heap, and unused places are never constructed.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "ffn/base/check.h"

namespace ffn::inline v0 {

template <class T, std::size_t N>
class SmallVector {
 public:
  SmallVector() = default;
  // {a, std::move(b)} forwards each element; an initializer_list would copy and keep a second
  // handle.
  template <class... U>
    requires(sizeof...(U) > 0 && (std::is_convertible_v<U, T> && ...))
  SmallVector(U&&... values) {
    (push_back(std::forward<U>(values)), ...);
  }
  SmallVector(const SmallVector& other) {
    for (const T& value : other) push_back(value);
  }
  SmallVector(SmallVector&& other) noexcept { take(other); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) {
      clear();
      for (const T& value : other) push_back(value);
    }
    return *this;
  }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~SmallVector() { clear(); }

  void push_back(T value) {
    FFN_ASSERT(size_ < N);
    std::construct_at(data() + size_, std::move(value));
    ++size_;
  }
  void resize(std::size_t size) {
    FFN_ASSERT(size <= N);
    while (size_ > size) std::destroy_at(data() + --size_);
    while (size_ < size) std::construct_at(data() + size_++);
  }
  void clear() {
    std::destroy_n(data(), size_);
    size_ = 0;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) {
    FFN_ASSERT(i < size_);
    return data()[i];
  }
  const T& operator[](std::size_t i) const {
    FFN_ASSERT(i < size_);
    return data()[i];
  }
  T* data() { return std::launder(reinterpret_cast<T*>(room_)); }
  const T* data() const { return std::launder(reinterpret_cast<const T*>(room_)); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

 private:
  // Leaves `other` empty.
  void take(SmallVector& other) noexcept {
    for (T& value : other) std::construct_at(data() + size_++, std::move(value));
    other.clear();
  }

  alignas(T) std::byte room_[N * sizeof(T)];
  std::size_t size_ = 0;
};

}  // namespace ffn::inline v0
