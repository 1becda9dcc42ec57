// The ledger: every byte the executor hands out, by tag. It never allocates; it counts.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ffn::inline v0 {

enum class Tag : std::uint8_t {
  parameters,
  gradients,
  optimizer,
  activations,
  scratch,
  state,
  data,
  prepared
};
inline constexpr int kTags = 8;
std::string_view to_string(Tag tag);

inline constexpr std::int64_t kAlignment = 64;
// What a request of `bytes` is charged: rounded up to kAlignment; an empty request is free.
constexpr std::int64_t charged_bytes(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

class Ledger {
 public:
  // `bytes` as requested; the ledger rounds. Every charge is released once with the same tag and
  // bytes.
  void charge(Tag tag, std::int64_t bytes) {
    const std::int64_t rounded = charged_bytes(bytes);
    live_[index(tag)] += rounded;
    total_ += rounded;
    if (live_[index(tag)] > peak_[index(tag)]) peak_[index(tag)] = live_[index(tag)];
    if (total_ > peak_total_) {
      peak_total_ = total_;
      at_peak_ = live_;
      ++peak_events_;
    }
  }
  void release(Tag tag, std::int64_t bytes) {
    const std::int64_t rounded = charged_bytes(bytes);
    live_[index(tag)] -= rounded;
    total_ -= rounded;
  }

  std::int64_t live_bytes(Tag tag) const { return live_[index(tag)]; }
  std::int64_t live_bytes() const { return total_; }
  // Highest live bytes of one tag, and of all tags together, since reset_peak().
  std::int64_t peak_bytes(Tag tag) const { return peak_[index(tag)]; }
  std::int64_t peak_bytes() const { return peak_total_; }
  // What each tag held at the moment of the total peak: sums to peak_bytes().
  const std::array<std::int64_t, kTags>& bytes_at_peak() const { return at_peak_; }
  // Grows whenever the total peak grows: lets the executor remember which operation caused it.
  std::uint64_t peak_events() const { return peak_events_; }
  void reset_peak() {
    peak_ = live_;
    at_peak_ = live_;
    peak_total_ = total_;
  }

 private:
  static constexpr std::size_t index(Tag tag) { return static_cast<std::size_t>(tag); }

  std::array<std::int64_t, kTags> live_{}, peak_{}, at_peak_{};
  std::int64_t total_ = 0, peak_total_ = 0;
  std::uint64_t peak_events_ = 0;
};

}  // namespace ffn::inline v0
