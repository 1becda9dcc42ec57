#include "ffn/base/faults.h"

#if defined(FFN_FAULTS)
#include <charconv>
#include <cstdlib>

namespace ffn::inline v0 {
namespace {

// Ids: base 1–19, kernels 20–199, tensor 200–299, autograd 300–399, ops 400–499, io 500–599,
// feedforward and train 600–699, compare 700–799, layers and models
// 800–899.
constexpr Fault kFaults[] = {
    {1, "philox: Weyl constant of the key schedule off by one", "^base\\.Philox"},
    {2, "quantise: elements truncated instead of rounded", "^base\\.Blocks"},
    {20, "reference softmax: backward drops the scale", "^kernels_reference\\.SoftmaxGradient"},
    {21, "reference scatter: last row of a target wins", "^kernels_reference\\.IndexingGradient"},
    {22, "reference routing: ties to the higher index", "^kernels_reference\\.Routing\\."},
    {23, "reference tiny network: no slope in the first layer",
     "^ops\\.Ops/OpGradients\\.EqualTheComplexStep/tiny_network"},
    {30, "cpu product: last column of a partial vector is not computed",
     "^kernels_product\\..*Exact"},
    {31, "cpu product: C is not added to when the reduction has several pieces",
     "^kernels_product\\..*(Exact|DeepReduction)"},
    {40, "cpu: last element of a bf16 row's tail is not stored", "^kernels_cpu\\.CpuPointwise"},
    {41, "cpu layer norm: eps outside the root", "^kernels_cpu\\.CpuNorm\\.LayerNormForward"},
    {42, "cpu dropout: mask shifted in the tail of a row", "^kernels_cpu\\.CpuPointwise\\.Dropout"},
    {43, "cpu neurons: dup is taken from the neuron instead of the activation",
     "^kernels_cpu\\.CpuNeuron\\.Backward"},
    {60, "cpu attention: lse forgets the largest score", "^ops\\.Ops/OpDevices.*attention"},
    {61, "reference attention: row dot dropped", "^ops\\.Ops/OpGradients.*attention"},
    {70, "cpu depthwise convolution: the input's gradient takes the taps forwards",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/depthwise_conv"},
    {71, "cpu depthwise convolution: only the first chunk of sequences moves the weight",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/depthwise_conv"},
    {72, "cpu soft cross-entropy: smoothing takes the weights of a row to sum to 1",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/soft_cross_entropy"},
    {73, "cpu drop path: kept sequences are not scaled", "^ops\\.OpTokens\\.DropPath"},
    {80, "cpu rope: the gradient turns forwards", "^ops\\.Ops/OpDevices\\.MatchTheReference/rope"},
    {81, "cpu rope: every sequence but the first stands at its last position",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/rope"},
    {82, "cpu causal convolution: a sequence looks back into the one before",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/causal_conv"},
    {83, "cpu causal convolution: the input's gradient takes the taps forwards",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/causal_conv"},
    {44, "cpu layer packed beforehand: the last strip is looked for as if it were a whole one",
     "^feedforward\\.Layers/PreparedLayers\\.ChangeNoBit"},
    {45, "cpu layer in one pass: neurons are made after every piece of the reduction",
     "^ops\\.ExpertLayer\\.EqualsItsComposition"},
    {46, "cpu product of integers: a short group forgets what makes weights unsigned",
     "^kernels_product\\..*Quantized"},
    {47, "cpu product of blocks: the last groups forget what makes weights unsigned",
     "^kernels_product\\..*BlockProduct"},
    {48, "cpu product of blocks: minima are dropped", "^kernels_product\\..*BlockProduct"},
    {84, "cpu choice of experts: ties to the higher index", "^kernels_cpu\\.CpuRouting\\.Choose"},
    {85, "cpu slots: a full expert keeps the last one", "^ops\\.OpRouting\\.Capacity"},
    {86, "cpu choice of experts: one term ranks a group", "^kernels_cpu\\.CpuRouting\\.Choose"},
    {87, "cpu choice of tokens: rows count from the start of their sequence",
     "^ops\\.OpRouting\\.ExpertsChoose"},
    {88, "cpu bias of experts: moves away from the mean", "^ops\\.OpRouting\\.MovingTheBias"},
    {89, "cpu load of experts: a sequence counts those before it too",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/expert_load"},
    {78, "cpu gated tokens: rows outside are gated too",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/gate_tokens"},
    {75, "cpu tiny network: no slope in the first layer",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/tiny_network"},
    {76, "cpu tiny network: only the first chunk of rows moves the weights",
     "^ops\\.Ops/OpDevices\\.MatchTheReference/tiny_network"},
    {90, "cpu balance loss: the choices of a row count once",
     "^(kernels_cpu\\.CpuRouterLosses\\.Balance|ops\\.Ops/OpDevices\\.MatchTheReference/"
     "balance_loss)"},
    {91, "cpu z-loss: the gradient forgets the logsumexp",
     "^(kernels_cpu\\.CpuRouterLosses\\.ZBackward|ops\\.Ops/OpDevices\\.MatchTheReference/z_loss)"},
    {92, "cpu grouped product: rows get the bias of the expert before",
     "^kernels_product\\..*BiasIsExact"},
    {93, "swap_blocks: the gradient swaps with the factors of the forward pass",
     "^ops\\.Ops/OpGradients\\.EqualTheComplexStep/swap_blocks"},
    {94, "jitter: the gradient draws the next step's numbers",
     "^ops\\.Ops/OpGradients\\.EqualTheComplexStep/jitter"},
    {95, "reference importance loss: the variance divides by the number of entries",
     "^(kernels_reference\\.RouterLossValues\\.Importance|parity\\..*importance_loss)"},
    {300, "executor: a saved input is donated", "^(contract|ops)\\."},
    {301, "executor: a replay updates states", "^contract\\..*batch_norm"},
    {302, "slab plan: lives end one event too soon", "^autograd\\.SlabPlan"},
    {303, "backward: the second use of a weight overwrites its gradient", "^contract\\..*tied"},
    {400, "linear: the bias gradient is not added to", "^ops\\.Ops/OpGradients\\.AddUp"},
    {401, "add: a repeated row's gradient counts once",
     "^ops\\.Ops/OpGradients\\.EqualTheComplexStep"},
    {402, "slice_cols: columns before the slice keep what lay in the gradient's buffer",
     "^ops\\.Ops/OpGradients\\.EqualTheComplexStep"},
    {403, "mix_tokens: the bias lies along the channels",
     "^(ops\\.Ops/OpGradients\\.EqualTheComplexStep/mix_tokens|parity\\..*mix_tokens)"},
    {404, "linear: rows become integers though they are recorded", "^ops\\.LinearInt8"},
    {410, "dense layer: later blocks of rows take the place of earlier ones' weight gradients",
     "^ops\\..*DenseLayer\\.EqualsItsComposition"},
    {411, "dense layer: every strip of hidden units adds the bias of down",
     "^ops\\..*DenseLayer\\.EqualsItsComposition"},
    {440, "take_tokens: rows before keep what lay in the gradient's buffer",
     "^ops\\.Ops/OpGradients\\.EqualTheComplexStep"},
    {500, "safetensors: overlapping tensors accepted", "^io\\.SafetensorsHostile"},
    {501, "safetensors: duplicate names accepted", "^io\\.SafetensorsHostile"},
    {502, "idx: product of the axes wraps at 32 bits", "^io\\.Idx\\.WrappingProducts"},
    {503, "cifar: the last record's label is not checked", "^io\\.Cifar\\.LabelsOutOfRange"},
    {504, "safetensors index: a shard may lie in another folder", "^io\\.SafetensorsIndex"},
    {505, "safetensors index: a tensor may be named twice", "^io\\.SafetensorsIndex"},
    {506, "safetensors shards: a tensor may stand in another file than the index says",
     "^io\\.SafetensorsShards"},
    {507, "gguf: overlapping tensors accepted", "^io\\.GgufHostile"},
    {508, "gguf: duplicate keys accepted", "^io\\.GgufHostile"},
    {509, "gguf: the product of the axes wraps", "^io\\.GgufHostile"},
    {550, "bpe: of equal pairs the rightmost merges first", "^io\\.All/TokenizerFixtures"},
    {551, "bpe: a pair whose neighbour was merged since merges all the same",
     "^io\\.Tokenizer\\.PairsWhose"},
    {552, "added tokens: single words are found inside others", "^io\\.All/TokenizerFixtures"},
    {553, "normal forms: marks keep their order", "^io\\.All/TokenizerFixtures"},
    {554, "stream decoder: half characters are given out", "^io\\.StreamDecoder"},
    {555, "gguf vocabulary: special ids are not compared with its size", "^io\\.GgufVocabulary"},
    {556, "sentencepiece: the token with the lowest score merges first",
     "^io\\.GgufVocabulary\\.Scores"},
    {557, "gemma chats: contents are not trimmed", "^io\\.ChatTemplate"},
    {600, "glu: the activation is on the up branch", "^parity\\.Places/FeedForwardParity"},
    {601, "match: flops are taken for parameters", "^feedforward\\.Match"},
    {602, "glu: the halves of a fused matrix change places",
     "^(parity\\.Places/FeedForwardParity|feedforward\\.Glu\\.Fused)"},
    {610, "cutmix: the target keeps the drawn share, not the one that was cut",
     "^train\\.Mix\\.Cutmix"},
    {611, "batches: every epoch has the order of the first", "^train\\.Batches\\.AnEpoch"},
    {612, "clip: small gradients are scaled up to the limit", "^train\\.Clip\\.Scales"},
    {613, "checkpoint: checksums are not compared", "^train\\.Checkpoint\\.EveryDamage"},
    {614, "document error: every document counts alike", "^train\\.Measure\\.StandardError"},
    {615, "text batches: targets are the ids themselves", "^train\\.TextBatches\\.AnEpoch"},
    {616, "expert health: experts in effect are 2 to the power of nats",
     "^train\\.ExpertHealth\\."},
    {617, "expert watch: rows that only fill a batch up count",
     "^train\\.ExpertWatch\\.RowsThatFillABatchUp"},
    {618, "agreement: the information is not doubled", "^train\\.ExpertAgreement\\."},
    {619, "trainer: a checkpoint forgets what routers did since the last validation",
     "^train\\.ExpertTraining\\.AResumedRun"},
    {640, "leff: the class token enters the batch statistics",
     "^parity\\.Places/FeedForwardParity"},
    {641, "daff: the shortcut starts behind the convolution", "^parity\\.Places/FeedForwardParity"},
    {642, "folding a batch norm forgets its mean", "^feedforward\\.FoldBatchNorm"},
    {700, "paired t test: the variance divides by n", "^compare\\.PairedTTest\\.KnownAnswers"},
    {701, "holm: no p is multiplied", "^compare\\.Holm\\.KnownAnswer"},
    {702, "bootstrap: p is not taken around the mean", "^compare\\.Bootstrap\\."},
    {703, "judge: fewer bits per byte are taken for worse", "^compare\\.JudgeBits\\.LowerWins"},
    {704, "weighted bootstrap: every example weighs the same", "^compare\\.WeightedBootstrap\\."},
    {705, "expert figure: experts of two seeds are taken for the same ones",
     "^compare\\.DesignExperts\\.SharesAreSorted"},
    {800, "attention: rows that follow a cache turn as if they were the first",
     "^parity\\..*GoesOnFromACache"},
    {801, "weights: a map stored as [in, out] is read as it lies", "^parity\\..*_gpt2"},
    {802, "rope: linear scaling makes angles larger", "^(parity\\..*llama_linear|ops\\.OpTokens)"},
};

int read_active_fault() {
  const char* value = std::getenv("FFN_FAULT");
  if (value == nullptr) return 0;
  const std::string_view text(value);
  int id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) return 0;
  for (const Fault& entry : kFaults) {
    if (entry.id == id) return id;
  }
  return 0;
}

}  // namespace

bool fault(int id) {
  static const int active = read_active_fault();
  return id == active;
}

std::span<const Fault> list_faults() { return kFaults; }

}  // namespace ffn::inline v0
#endif
