#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/kernels/operations.hpp"
#include "worker/model/dit.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/model/position_embedding.hpp"
#include "worker/model/rotary_embedding.hpp"

namespace ditscale::worker {
namespace {

using sweeps::BlockDesign;
using sweeps::ModelShape;

ModelShape small_shape(BlockDesign block) {
  ModelShape shape;
  shape.model = {
      .depth = 2, .width = 16, .heads = 2, .patch = 2, .block = block, .mlp_ratio = 2.0, .class_dropout = 0.1};
  shape.input = {.size = 8, .channels = 1, .num_classes = 3};
  return shape;
}

std::int64_t trainable_in(const DiT& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model->parameters()) count += parameter.numel();
  return count;
}

/// Published initialisation has many zeros; tests of gradients want none.
void randomise(DiT& model) {
  torch::manual_seed(11);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.normal_(0, 0.3);
}

// Sums of the reference's table for DiT-XL/2.
TEST(PositionEmbedding, HasTheReferencesRowSums) {
  const auto table = position_embedding(16, 1152).to(torch::kFloat64);
  EXPECT_NEAR(table[0][1].sum().item<double>(), 598.271448, 1e-4);
  EXPECT_NEAR(table[0][255].sum().item<double>(), 473.320359, 1e-4);
}

TEST(TimestepFeatures, HaveTheReferencesValuesAt999) {
  const auto f = timestep_features(torch::tensor({999}, torch::kInt64))[0].to(torch::kFloat64);
  EXPECT_NEAR(f[0].item<double>(), 0.999649853, 1e-6);
  EXPECT_NEAR(f[1].item<double>(), 0.963782479, 2e-5);
  EXPECT_NEAR(f[64].item<double>(), -0.844469696, 1e-5);
  EXPECT_NEAR(f[127].item<double>(), 0.994243164, 1e-6);
  EXPECT_NEAR(f[128].item<double>(), -0.026460753, 1e-5);
  EXPECT_NEAR(f[129].item<double>(), -0.266689584, 1e-4);
  EXPECT_NEAR(f.sum().item<double>(), 52.504485, 1e-3);
}

class NamedModel : public testing::TestWithParam<std::string> {};

// Every block of a model is alike, so depth 1 and 2 give the count at any depth; DiT-XL/2 itself is built below.
TEST_P(NamedModel, TheRealModuleHasTheCountsOfTheArithmetic) {
  ModelShape shape;
  shape.model = *sweeps::named_model(GetParam());
  const std::int64_t depth = shape.model.depth;
  const auto count_at = [&](std::int64_t blocks) {
    ModelShape shallow = shape;
    shallow.model.depth = blocks;
    return trainable_in(DiT(shallow));
  };
  const std::int64_t one = count_at(1), two = count_at(2);
  EXPECT_EQ(one + (depth - 1) * (two - one), sweeps::count_parameters(shape).trainable);
}
INSTANTIATE_TEST_SUITE_P(Published, NamedModel, testing::ValuesIn(sweeps::named_model_names()));

TEST(DiT, XL2HasThePublishedCounts) {
  ModelShape shape;
  shape.model = *sweeps::named_model("DiT-XL/2");
  const DiT model(shape);
  EXPECT_EQ(trainable_in(model), 674'834'720);
  std::int64_t total = trainable_in(model);
  for (const auto& buffer : model->buffers()) total += buffer.numel();
  EXPECT_EQ(total, 675'129'632);
}

/// A small model with one thing changed.
struct Variant {
  std::string name;
  ModelShape shape;
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

template <typename Change>
Variant variant(std::string name, BlockDesign block, Change change) {
  ModelShape shape = small_shape(block);
  change(shape);
  return {std::move(name), shape};
}

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const auto& [block, block_name] : sweeps::Choices<BlockDesign>::kAll) {
    const std::string name{block_name};
    all.push_back(variant(name, block, [](ModelShape&) {}));
    all.push_back(variant(name + "_qk_norm", block, [](ModelShape& s) { s.model.qk_norm = true; }));
    all.push_back(variant(name + "_rms", block, [](ModelShape& s) { s.model.norm = sweeps::NormKind::kRms; }));
    all.push_back(variant(name + "_swiglu", block, [](ModelShape& s) { s.model.mlp = sweeps::MlpKind::kSwiGlu; }));
    all.push_back(
        variant(name + "_rope", block, [](ModelShape& s) { s.model.position = sweeps::PositionKind::kRope; }));
    all.push_back(variant(name + "_mup", block, [](ModelShape& s) { s.model.mup_base_width = 8; }));
    all.push_back(variant(name + "_unconditional", block, [](ModelShape& s) {
      s.model.conditioning = sweeps::Conditioning::kNone;
      s.model.class_dropout = 0;
    }));
    if (all.back().shape.model.modulated()) {
      all.push_back(variant(name + "_adaln_normal", block,
                            [](ModelShape& s) { s.model.adaln_init = sweeps::AdaLnInit::kNormal; }));
    } else {
      all.push_back(variant(name + "_embeddings", block, [](ModelShape& s) {
        s.model.conditioning = sweeps::Conditioning::kEmbeddings;
        s.input.context_tokens = 5;
        s.input.context_width = 6;
      }));
    }
  }
  return all;
}

class EachVariant : public testing::TestWithParam<Variant> {
 protected:
  /// Three images, the last without label or embeddings where it can be.
  struct Input {
    torch::Tensor x, t, y, context;
  };
  static Input input(torch::ScalarType type) {
    const ModelShape& shape = GetParam().shape;
    torch::manual_seed(3);
    Input in{torch::randn({3, 1, 8, 8}, type),
             torch::tensor({7, 500, 900}, torch::kInt64),
             torch::tensor({1, 2, 0}, torch::kInt64),
             {}};
    if (shape.has_null_condition()) in.y[2] = shape.null_label();
    if (shape.input.context_tokens > 0)
      in.context = torch::randn({3, shape.input.context_tokens, shape.input.context_width}, type);
    return in;
  }
};

TEST_P(EachVariant, HasTheCountsOfTheArithmetic) {
  const DiT model(GetParam().shape);
  const auto count = sweeps::count_parameters(GetParam().shape);
  EXPECT_EQ(trainable_in(model), count.trainable);
  const bool table = model->named_buffers().contains("pos_embed");
  EXPECT_EQ(count.total - count.trainable, table ? model->named_buffers()["pos_embed"].numel() : 0);
}

TEST_P(EachVariant, StartsByPredictingZero) {
  DiT model(GetParam().shape);
  initialise(*model, 5);
  const Input in = input(torch::kFloat32);
  const auto out = model->forward(in.x, in.t, in.y, in.context);
  EXPECT_EQ(out.sizes(), (std::vector<std::int64_t>{3, 2, 8, 8}));
  EXPECT_EQ(out.abs().max().item<float>(), 0.0F);
}

TEST_P(EachVariant, GradientsAgreeWithFiniteDifferencesInFloat64) {
  DiT model(GetParam().shape);
  randomise(model);
  model->to(torch::kFloat64);
  const Input in = input(torch::kFloat64);
  const auto weights = torch::randn({3, 2, 8, 8}, torch::kFloat64);
  const auto loss = [&] { return (model->forward(in.x, in.t, in.y, in.context) * weights).sum(); };
  loss().backward();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  for (auto& item : model->named_parameters()) {
    auto flat = item.value().view(-1);
    const std::int64_t at = flat.numel() / 2;
    const double before = flat[at].item<double>();
    flat[at] = before + kStep;
    const double above = loss().item<double>();
    flat[at] = before - kStep;
    const double below = loss().item<double>();
    flat[at] = before;
    const double numeric = (above - below) / (2 * kStep);
    const double exact = item.value().grad().view(-1)[at].item<double>();
    EXPECT_NEAR(exact, numeric, 1e-6 * std::max(1.0, std::abs(numeric))) << item.key();
  }
}

TEST_P(EachVariant, SeesItsConditionAndNothingElse) {
  DiT model(GetParam().shape);
  randomise(model);
  const torch::NoGradGuard no_grad;
  const Input in = input(torch::kFloat32);
  const auto out = model->forward(in.x, in.t, in.y, in.context);
  const auto other_label = model->forward(in.x, in.t, torch::tensor({0, 0, 0}, torch::kInt64), in.context);
  const bool labels = GetParam().shape.model.conditioning == sweeps::Conditioning::kClass;
  EXPECT_EQ(torch::equal(out[0], other_label[0]), !labels);
  if (!in.context.defined()) return;
  const auto other_context = model->forward(in.x, in.t, in.y, in.context + 1);
  EXPECT_FALSE(torch::equal(out[0], other_context[0]));
  EXPECT_TRUE(torch::equal(out[2], other_context[2]));  // dropped
}

INSTANTIATE_TEST_SUITE_P(Variants, EachVariant, testing::ValuesIn(variants()),
                         [](const auto& variant) { return variant.param.name; });

TEST(DiT, EmbeddingsThatAModelNeedsMustBeGiven) {
  ModelShape shape = small_shape(BlockDesign::kInContext);
  shape.model.conditioning = sweeps::Conditioning::kEmbeddings;
  shape.input.context_tokens = 5;
  shape.input.context_width = 6;
  DiT model(shape);
  EXPECT_THROW((void)model->forward(torch::randn({1, 1, 8, 8}), torch::zeros({1}), torch::zeros({1}, torch::kInt64)),
               common::InternalError);
}

// Rotating q and k by their places makes their product depend on the difference of the places only.
TEST(RotaryEmbedding, ProductsDependOnDistanceOnly) {
  constexpr std::int64_t kSide = 6, kHead = 16;
  const RotaryTables tables = rotary_tables(kSide, kHead, 0);
  torch::manual_seed(1);
  const auto q = torch::randn({kHead}), k = torch::randn({kHead});
  const auto turned_q = rotate(q.expand({1, 1, kSide * kSide, kHead}), tables)[0][0];
  const auto turned_k = rotate(k.expand({1, 1, kSide * kSide, kHead}), tables)[0][0];
  const auto product = [&](std::int64_t y1, std::int64_t x1, std::int64_t y2, std::int64_t x2) {
    return turned_q[y1 * kSide + x1].dot(turned_k[y2 * kSide + x2]).item<float>();
  };
  EXPECT_NEAR(product(0, 0, 0, 0), q.dot(k).item<float>(), 1e-4);
  EXPECT_NEAR(product(0, 1, 2, 4), product(3, 2, 5, 5), 1e-4);
  EXPECT_GT(std::abs(product(0, 1, 2, 4) - product(0, 1, 4, 2)), 1e-3);  // rows are not columns
}

TEST(RotaryEmbedding, LeavesConditionTokensAsTheyAre) {
  const RotaryTables tables = rotary_tables(3, 8, 2);
  const auto x = torch::randn({1, 1, 11, 8});
  EXPECT_TRUE(torch::equal(rotate(x, tables).narrow(2, 9, 2), x.narrow(2, 9, 2)));
}

class EachBlockDesign : public testing::TestWithParam<BlockDesign> {};

TEST_P(EachBlockDesign, FusedKernelsAgreeWithPlainOperations) {
  DiT model(small_shape(GetParam()));
  randomise(model);
  const FlatLayout layout(*model);
  const auto gradients_of = [&](bool fused) {
    use_fused_kernels(fused);
    auto gradients = layout.make_buffer(torch::kCPU);
    layout.bind_gradients(*model, gradients);
    torch::manual_seed(4);
    const auto x = torch::randn({3, 1, 8, 8});
    const auto out =
        model->forward(x, torch::tensor({1, 2, 3}, torch::kInt64), torch::tensor({0, 1, 2}, torch::kInt64));
    (out * torch::randn_like(out)).sum().backward();
    use_fused_kernels(true);
    return gradients;
  };
  const auto plain = gradients_of(false), fused = gradients_of(true);
  EXPECT_LT(((plain - fused).norm() / plain.norm()).item<double>(), 1e-5);
}

TEST_P(EachBlockDesign, AnImageDoesNotSeeTheOthersOfItsBatch) {
  DiT model(small_shape(GetParam()));
  randomise(model);
  const torch::NoGradGuard no_grad;
  const auto x = torch::randn({3, 1, 8, 8});
  const auto t = torch::tensor({1, 2, 3}, torch::kInt64), y = torch::tensor({0, 1, 2}, torch::kInt64);
  const auto all = model->forward(x, t, y);
  const auto alone = model->forward(x.narrow(0, 1, 1), t.narrow(0, 1, 1), y.narrow(0, 1, 1));
  EXPECT_TRUE(torch::allclose(all.narrow(0, 1, 1), alone, 1e-3, 1e-4));
}

INSTANTIATE_TEST_SUITE_P(Designs, EachBlockDesign,
                         testing::Values(BlockDesign::kAdaLnZero, BlockDesign::kAdaLn, BlockDesign::kCrossAttention,
                                         BlockDesign::kInContext),
                         [](const auto& design) { return std::string(sweeps::to_name(design.param)); });

TEST(DiT, HasTheReferenceCheckpointsParameterNames) {
  ModelShape shape;
  shape.model = *sweeps::named_model("DiT-S/8");
  DiT model(shape);
  const auto parameters = model->named_parameters();
  const auto shape_of = [&](const char* name) { return parameters[name].sizes().vec(); };
  EXPECT_EQ(shape_of("x_embedder.proj.weight"), (std::vector<std::int64_t>{384, 4, 8, 8}));
  EXPECT_EQ(shape_of("t_embedder.mlp.0.weight"), (std::vector<std::int64_t>{384, 256}));
  EXPECT_EQ(shape_of("t_embedder.mlp.2.bias"), (std::vector<std::int64_t>{384}));
  EXPECT_EQ(shape_of("y_embedder.embedding_table.weight"), (std::vector<std::int64_t>{1001, 384}));
  EXPECT_EQ(shape_of("blocks.11.attn.qkv.weight"), (std::vector<std::int64_t>{1152, 384}));
  EXPECT_EQ(shape_of("blocks.0.mlp.fc1.weight"), (std::vector<std::int64_t>{1536, 384}));
  EXPECT_EQ(shape_of("blocks.0.adaLN_modulation.1.weight"), (std::vector<std::int64_t>{2304, 384}));
  EXPECT_EQ(shape_of("final_layer.linear.weight"), (std::vector<std::int64_t>{512, 384}));
  EXPECT_EQ(shape_of("final_layer.adaLN_modulation.1.bias"), (std::vector<std::int64_t>{768}));
  EXPECT_TRUE(model->named_buffers().contains("pos_embed"));
}

TEST(DiT, TheSameSeedGivesTheSameWeights) {
  DiT a(small_shape(BlockDesign::kAdaLnZero)), b(small_shape(BlockDesign::kAdaLnZero)),
      c(small_shape(BlockDesign::kAdaLnZero));
  initialise(*a, 1);
  initialise(*b, 1);
  initialise(*c, 2);
  const char* name = "blocks.0.attn.qkv.weight";
  EXPECT_TRUE(torch::equal(a->named_parameters()[name], b->named_parameters()[name]));
  EXPECT_FALSE(torch::equal(a->named_parameters()[name], c->named_parameters()[name]));
  // Xavier uniform: variance 2 / (fan_in + fan_out).
  EXPECT_NEAR(a->named_parameters()[name].square().mean().item<double>(), 2.0 / (16 + 48), 0.1 * 2.0 / (16 + 48));
}

}  // namespace
}  // namespace ditscale::worker
