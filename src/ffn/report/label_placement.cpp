#include "ffn/report/label_placement.h"

#include <algorithm>
#include <array>
#include <optional>

namespace ffn::inline v0 {
namespace {

// Directions from the point, best first: right, left, above, below, then the corners.
constexpr std::array<std::array<int, 2>, 8> kDirections{
    {{1, 0}, {-1, 0}, {0, -1}, {0, 1}, {1, -1}, {1, 1}, {-1, -1}, {-1, 1}}};

// Further away a name no longer reads as belonging to its point.
constexpr std::array<double, 4> kDistances{9, 14, 19, 24};
constexpr std::size_t kNearDistances = 3;

Box beside(const LabelRequest& request, const std::array<int, 2>& direction, double distance) {
  const auto [dx, dy] = direction;
  const double x = request.x + dx * distance, y = request.y + dy * distance;
  const double left = dx > 0 ? x : dx < 0 ? x - request.width : x - request.width / 2;
  const double top = dy > 0 ? y : dy < 0 ? y - request.height : y - request.height / 2;
  return {left, top, left + request.width, top + request.height};
}

bool inside(const Box& box, const Box& bounds) {
  return box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top &&
         box.bottom <= bounds.bottom;
}

bool is_free(const Box& box, std::span<const Box> taken) {
  return std::ranges::none_of(taken, [&](const Box& other) { return overlap(box, other); });
}

std::optional<Box> nearest_free(const LabelRequest& request, std::span<const double> distances,
                                std::span<const Box> taken, std::span<const Box> avoided,
                                const Box& bounds) {
  for (const double distance : distances) {
    for (const auto& direction : kDirections) {
      const Box box = beside(request, direction, distance);
      if (!inside(box, bounds)) continue;
      if (is_free(box, taken) && is_free(box, avoided)) return box;
    }
  }
  return std::nullopt;
}

}  // namespace

bool overlap(const Box& a, const Box& b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

std::vector<Box> place_labels(std::span<const LabelRequest> requests,
                              std::span<const Box> obstacles, std::span<const Box> avoided,
                              const Box& bounds) {
  std::vector<Box> taken(obstacles.begin(), obstacles.end());
  std::vector<Box> labels;
  for (const LabelRequest& request : requests) {
    const std::span<const double> distances = kDistances;
    std::optional<Box> box =
        nearest_free(request, distances.first(kNearDistances), taken, avoided, bounds);
    if (!box) box = nearest_free(request, distances, taken, {}, bounds);
    if (!box) return {};
    labels.push_back(*box);
    taken.push_back(*box);
  }
  return labels;
}

}  // namespace ffn::inline v0
