#include "ffn/report/label_placement.h"

#include <gtest/gtest.h>

#include <array>

namespace ffn {
namespace {

constexpr Box kBounds{0, 0, 400, 300};

TEST(PlaceLabels, StayApartAndInside) {
  // A tight cluster and one in each corner.
  std::vector<LabelRequest> requests;
  for (const auto& [x, y] : {std::pair{200.0, 150.0},
                             {206.0, 154.0},
                             {198.0, 158.0},
                             {3.0, 3.0},
                             {397.0, 3.0},
                             {3.0, 297.0},
                             {397.0, 297.0}})
    requests.push_back({x, y, 90, 14});
  std::vector<Box> marks;
  for (const LabelRequest& request : requests)
    marks.push_back({request.x - 6, request.y - 6, request.x + 6, request.y + 6});
  const std::vector<Box> boxes = place_labels(requests, marks, {}, kBounds);
  ASSERT_EQ(boxes.size(), requests.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_GE(boxes[i].left, kBounds.left);
    EXPECT_LE(boxes[i].right, kBounds.right);
    EXPECT_GE(boxes[i].top, kBounds.top);
    EXPECT_LE(boxes[i].bottom, kBounds.bottom);
    EXPECT_DOUBLE_EQ(boxes[i].right - boxes[i].left, 90);
    for (const Box& mark : marks) EXPECT_FALSE(overlap(boxes[i], mark));
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(boxes[i], boxes[j]));
  }
}

TEST(PlaceLabels, NoneWhenNotAllFit) {
  const std::vector<LabelRequest> crowd(40, {200, 150, 90, 14});
  EXPECT_TRUE(place_labels(crowd, {}, {}, kBounds).empty());
  const std::vector<LabelRequest> wide(1, {200, 150, 500, 14});
  EXPECT_TRUE(place_labels(wide, {}, {}, kBounds).empty());
}

TEST(PlaceLabels, AvoidWhatIsToBeAvoidedWhereTheyCan) {
  const std::array<LabelRequest, 1> request{{{200, 150, 90, 14}}};
  const std::array<Box, 1> right{{{200, 148, 400, 152}}};
  const std::vector<Box> moved = place_labels(request, {}, right, kBounds);
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_FALSE(overlap(moved[0], right[0]));
  // Nothing but avoided ground: named all the same.
  const std::array<Box, 1> all{kBounds};
  EXPECT_EQ(place_labels(request, {}, all, kBounds).size(), 1U);
  EXPECT_TRUE(place_labels(request, all, {}, kBounds).empty());
}

}  // namespace
}  // namespace ffn
