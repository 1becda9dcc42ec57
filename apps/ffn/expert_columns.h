// What the tables of train and eval say of experts.
#pragma once

#include <span>

#include "ffn/report/table.h"
#include "ffn/train/expert_health.h"

namespace ffn::app {

// Means over the routers, dead experts in all of them; nothing for a model without routers.
template <class Add>
void add_expert_columns(std::span<const RouterHealth> routers, const Add& add) {
  if (routers.empty()) return;
  const ExpertSummary experts = summary_of(routers);
  add(Column{"effective_experts"}, Cell(experts.effective_experts));
  add(Column{"dead_experts"}, Cell(static_cast<std::int64_t>(experts.dead_experts)));
  add(Column{"dropped_share", NumberStyle::percent}, Cell(experts.dropped_share));
}

}  // namespace ffn::app
