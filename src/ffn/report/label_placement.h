// Names beside the points of a plot, where there is room for them.
#pragma once

#include <span>
#include <vector>

namespace ffn::inline v0 {

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

struct LabelRequest {
  double x = 0, y = 0;  // the point that is named
  double width = 0, height = 0;
};

// Whether the two share more than an edge.
bool overlap(const Box& a, const Box& b);

// One box per request, near its point, inside `bounds`, over no obstacle and over no other label;
// empty when there is no room for all of them. `avoided` is kept free where that costs little.
std::vector<Box> place_labels(std::span<const LabelRequest> requests,
                              std::span<const Box> obstacles, std::span<const Box> avoided,
                              const Box& bounds);

}  // namespace ffn::inline v0
