// Rows by index, views, rows in another order, the cache.
#include <array>

#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cache.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/rearrange.h"
#include "ffn/ops/view.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

void add_indexing(std::vector<OpCase>& cases) {
  const auto gather = [](CaseRun& c) {
    return gather_rows(c.ex, std::move(c.in[0]), c.in[1].tensor);
  };
  add_case(
      cases,
      {"gather_rows", "repeats", {number("x", {7, 5}), index("index", {3, 1, -1, 3, 0})}, gather});
  add_case(cases, {"gather_rows",
                   "two_axes",
                   {number("x", {5, 16}), index("index", {2, 3}, {4, 4, 0, 1, 2, 4})},
                   gather});
  add_case(cases, {"gather_rows",
                   "lanes",
                   {number("x", {3, 33}), index("index", {2, 2, 1, 0, 1, 2, 2})},
                   gather});
  add_case(cases, {"gather_rows", "one", {number("x", {1, 1}), index("index", {0})}, gather});
  add_case(cases, {"gather_rows", "no_rows", {number("x", {4, 7}), index("index", {})}, gather});

  const auto scatter = [](std::int64_t rows) {
    return [rows](CaseRun& c) {
      return scatter_add_rows(c.ex, std::move(c.in[0]), c.in[1].tensor, rows);
    };
  };
  add_case(cases, {"scatter_add_rows",
                   "repeats",
                   {number("x", {6, 9}), index("index", {0, 2, 2, -1, 4, 0})},
                   scatter(5)});
  add_case(cases, {"scatter_add_rows",
                   "lanes",
                   {number("x", {5, 17}), index("index", {1, 1, 1, 1, 1})},
                   scatter(2)});
  add_case(cases,
           {"scatter_add_rows", "no_rows", {number("x", {0, 8}), index("index", {})}, scatter(3)});
  add_case(cases, {"scatter_add_rows",
                   "into_nothing",
                   {number("x", {2, 7}), index("index", {-1, -1})},
                   scatter(0)});

  const auto scale = [](CaseRun& c) { return scale_rows(c.ex, std::move(c.in[0]), c.in[1]); };
  add_case(cases, {"scale_rows", "5_7", {number("x", {5, 7}), number("w", {5, 1})}, scale});
  OpCase flat{"scale_rows", "flat", {number("x", {3, 16}), number("w", {3})}, scale};
  flat.any_stride = false;  // w is regrouped as [3, 1]
  flat.bf16_inside = 1;     // the view's gradient is bf16, also when w is a parameter
  add_case(cases, std::move(flat));
  add_case(cases,
           {"scale_rows", "statistic", {number("x", {4, 9}), statistic("w", {4, 1})}, scale});
  add_case(cases, {"scale_rows",
                   "only_x",
                   {number("x", {2, 2, 15}), without_gradient(number("w", {4, 1}))},
                   scale});
  add_case(cases, {"scale_rows",
                   "only_w",
                   {without_gradient(number("x", {4, 33})), number("w", {4, 1})},
                   scale});
  add_case(cases, {"scale_rows", "no_rows", {number("x", {0, 3}), number("w", {0, 1})}, scale});
}

void add_views(std::vector<OpCase>& cases) {
  const auto add_reshape = [&](std::string name, const Shape& from, const Shape& to) {
    OpCase added{"reshape", std::move(name), {number("x", from)}, [to](CaseRun& c) {
                   return reshape(c.ex, std::move(c.in[0]), to);
                 }};
    added.any_stride = from.cols() == to.cols();
    add_case(cases, std::move(added));
  };
  add_reshape("columns", {3, 8}, {2, 12});
  add_reshape("heads", {2, 3, 8}, {6, 2, 4});
  add_reshape("rows", {6, 7}, {2, 3, 7});
  add_reshape("no_rows", {0, 4}, {0, 8});

  for (const auto& [begin, count] :
       {std::pair<std::int64_t, std::int64_t>{0, 5}, {1, 3}, {4, 1}, {2, 0}}) {
    add_case(cases, {"slice_rows",
                     sizes({begin, count}),
                     {number("x", {5, 9})},
                     [first = begin, rows = count](CaseRun& c) {
                       return slice_rows(c.ex, std::move(c.in[0]), first, rows);
                     }});
  }
  add_case(cases, {"slice_rows", "no_rows", {number("x", {0, 7})}, [](CaseRun& c) {
                     return slice_rows(c.ex, std::move(c.in[0]), 0, 0);
                   }});
  for (const auto& [begin, count] :
       {std::pair<std::int64_t, std::int64_t>{0, 17}, {1, 8}, {9, 8}, {16, 1}}) {
    add_case(cases, {"slice_cols",
                     sizes({begin, count}),
                     {number("x", {3, 17})},
                     [first = begin, cols = count](CaseRun& c) {
                       return slice_cols(c.ex, std::move(c.in[0]), first, cols);
                     }});
  }
  add_case(cases, {"slice_cols", "no_rows", {number("x", {0, 9})}, [](CaseRun& c) {
                     return slice_cols(c.ex, std::move(c.in[0]), 2, 5);
                   }});
}

void add_splits(std::vector<OpCase>& cases) {
  OpCase gate{"split_cols", "gate_and_up", {number("x", {3, 14})}, [](CaseRun& c) {
                const std::array<std::int64_t, 2> widths{7, 7};
                Values parts = split_cols(c.ex, std::move(c.in[0]), widths);
                return multiply(c.ex, std::move(parts[0]), std::move(parts[1]));
              }};
  gate.bf16_inside = 1;  // the parts' gradients, before they become x's
  add_case(cases, std::move(gate));
  // The second part is not used: its columns get gradient zero.
  add_case(cases, {"split_cols", "unused_part", {number("x", {2, 3, 17})}, [](CaseRun& c) {
                     const std::array<std::int64_t, 3> widths{8, 1, 8};
                     Values parts = split_cols(c.ex, std::move(c.in[0]), widths);
                     return add(c.ex, std::move(parts[2]), std::move(parts[0]));
                   }});
  add_case(cases, {"split_cols", "no_rows", {number("x", {0, 6})}, [](CaseRun& c) {
                     const std::array<std::int64_t, 4> widths{1, 2, 1, 2};
                     return std::move(split_cols(c.ex, std::move(c.in[0]), widths)[1]);
                   }});
  add_case(cases,
           {"concat_cols", "two", {number("a", {3, 7}), number("b", {3, 9})}, [](CaseRun& c) {
              return concat_cols(c.ex, c.in);
            }});
  OpCase twice{"concat_cols",
               "with_itself_and_constant",
               {number("a", {2, 2, 8}), without_gradient(number("b", {4, 1}))},
               [](CaseRun& c) {
                 const std::array<Value, 3> parts{c.in[0], c.in[1], c.in[0]};
                 return concat_cols(c.ex, parts);
               }};
  twice.bf16_inside = 1;  // the sum of two gradients, each pass rounded in between
  add_case(cases, std::move(twice));
  add_case(cases,
           {"concat_cols", "no_rows", {number("a", {0, 3}), number("b", {0, 5})}, [](CaseRun& c) {
              return concat_cols(c.ex, c.in);
            }});
}

void add_rearranged(std::vector<OpCase>& cases) {
  const auto repeat = [&](std::string name, const Shape& shape, std::int64_t times) {
    add_case(cases, {"repeat_rows", std::move(name), {number("x", shape)}, [times](CaseRun& c) {
                       return repeat_rows(c.ex, std::move(c.in[0]), times);
                     }});
  };
  repeat("three_times", {2, 5}, 3);
  repeat("once", {3, 9}, 1);
  repeat("one_row", {1, 33}, 4);
  repeat("three_axes", {2, 3, 16}, 2);
  repeat("no_rows", {0, 7}, 2);

  const auto swap = [&](std::string name, const Shape& shape, std::int64_t outer,
                        std::int64_t inner) {
    add_case(cases,
             {"swap_blocks", std::move(name), {number("x", shape)}, [outer, inner](CaseRun& c) {
                return swap_blocks(c.ex, std::move(c.in[0]), outer, inner);
              }});
  };
  swap("2_3", {12, 7}, 2, 3);
  swap("3_2", {6, 17}, 3, 2);
  swap("one_outer", {8, 9}, 1, 4);
  swap("one_inner", {12, 5}, 4, 1);
  swap("three_axes", {2, 6, 3}, 4, 3);
  swap("no_rows", {0, 5}, 2, 3);
}

void add_cache(std::vector<OpCase>& cases) {
  for (const auto& [rows, position] :
       {std::pair<std::int64_t, std::int64_t>{3, 2}, {8, 0}, {1, 7}, {0, 4}}) {
    OpCase added{
        "cache_append",
        sizes({rows, position}),
        {{"cache", InputKind::state, {8, 9}, false, {}}, number("x", {rows, 9})},
        [at = position](CaseRun& c) { return cache_append(c.ex, c.states[0], c.in[1], at); }};
    added.recorded = false;
    add_case(cases, std::move(added));
  }
}

}  // namespace

void add_index_cases(std::vector<OpCase>& cases) {
  add_indexing(cases);
  add_views(cases);
  add_splits(cases);
  add_rearranged(cases);
  add_cache(cases);
}

}  // namespace ffn::test
