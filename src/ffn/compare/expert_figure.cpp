#include "ffn/compare/comparison_figures.h"
#include "ffn/compare/design_experts.h"
#include "ffn/compare/report_words.h"
#include "ffn/report/share_bars.h"

namespace ffn::inline v0 {
namespace {

std::string place_text(const RouterPlace& place) {
  const std::string layer = "layer " + std::to_string(place.layer);
  return place.part.empty() ? layer : layer + ", " + place.part;
}

}  // namespace

std::vector<ComparisonFigure> expert_figures(const ComparisonResult& result, SvgStyle style) {
  ShareBars plot;
  plot.title = "How evenly each layer uses its experts";
  plot.x = {"share of the load, busiest expert first", NumberStyle::percent};
  for (std::size_t i = 0; i < result.designs.size(); ++i) {
    const std::vector<RouterShares> routers = router_shares(result.designs[i]);
    if (routers.empty()) continue;
    ShareGroup group{label_of(result, i), {}, i};
    for (const RouterShares& router : routers) {
      const std::string value =
          number_text(router.effective_experts) + " of " + std::to_string(router.shares.size());
      plot.description +=
          group.name + ", " + place_text(router.place) + ": " + value + " experts in effect. ";
      group.bars.push_back({place_text(router.place), value, router.shares});
    }
    plot.groups.push_back(std::move(group));
  }
  if (plot.groups.empty()) return {};
  return {{"expert_load", svg_share_bars(plot, style),
           "Each bar is one layer, counted from 0, and each piece of it one expert: the share of "
           "the load that it is given on the validation set, mean over the seeds. Equal pieces: "
           "all experts are used alike. One long piece: nearly everything goes to one expert. "
           "Behind each bar stand its effective experts."}};
}

}  // namespace ffn::inline v0
