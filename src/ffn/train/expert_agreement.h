// How alike two routers divide the same tokens, whatever their experts are called.
#pragma once

#include <cstdint>
#include <span>

namespace ffn::inline v0 {

struct ExpertAgreement {
  double agreement = 0;  // 1: the same division, 0: one says nothing about the other
  double by_chance = 0;  // its mean when the tokens of one division are shuffled
};

// Normalised mutual information 2·I(a; b)/(H(a) + H(b)) of two divisions of the same n tokens; 1
// when both have a single part. By chance: the same with the mean of I over all orders of the
// tokens, Σ over parts of a and b of the hypergeometric mean of m/n·log(n·m/(|a|·|b|)). Time: below
// n steps for each pair of parts. Errors: config when the lengths differ.
// Source: Strehl and Ghosh, Cluster ensembles, 2002, with the entropies' mean instead of their
// root; Vinh et al., Information theoretic measures for clusterings comparison, 2010.
ExpertAgreement expert_agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

}  // namespace ffn::inline v0
