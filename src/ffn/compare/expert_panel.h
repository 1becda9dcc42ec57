// What the report says of experts; of a comparison without any, nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ffn/compare/comparison_result.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {

// One row for each design with experts: effective and dead experts, dropped share, how sure its
// routers are, agreement of the seeds.
Table expert_table(const ComparisonResult& result);

// Names the routers that collapsed, or says that none did.
std::string expert_text(const ComparisonResult& result);

// The words of the table, explained.
std::vector<std::pair<std::string, std::string>> expert_glossary(const ComparisonResult& result);

}  // namespace ffn::inline v0
