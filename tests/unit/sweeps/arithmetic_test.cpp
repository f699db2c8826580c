#include "sweeps/spec/arithmetic.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace ditscale::sweeps {
namespace {

ModelShape shape_of(std::string_view name, std::int64_t image_size = 256) {
  ModelShape shape;
  shape.model = named_model(name).value();
  shape.input = {image_size / 8, 4, 1000};
  return shape;
}

struct PublishedModel {
  const char* name;
  std::int64_t total;
  std::int64_t trainable;
  std::int64_t macs;
  std::int64_t total_at_512;
  /// Table 1 and figure 8 of the paper, multiply-accumulates in 1e9.
  double paper_gflops;
};

// Parameters: the reference implementation's modules, counted. MACs: depth·(12·d²·T + 2·T²·d + 6·d²), patch embedding,
// final layer and embedders.
constexpr PublishedModel kPublished[] = {
    {"DiT-S/8", 33'148'160, 33'142'016, 357'974'016, 33'166'592, 0.36},
    {"DiT-S/4", 32'945'024, 32'920'448, 1'412'579'328, 33'018'752, 1.41},
    {"DiT-S/2", 32'963'360, 32'865'056, 6'055'673'856, 33'258'272, 6.06},
    {"DiT-B/8", 130'881'536, 130'869'248, 1'417'543'680, 130'918'400, 1.42},
    {"DiT-B/4", 130'475'648, 130'426'496, 5'565'186'048, 130'623'104, 5.56},
    {"DiT-B/2", 130'512'416, 130'315'808, 23'005'102'080, 131'102'240, 23.01},
    {"DiT-L/8", 458'594'816, 458'578'432, 5'011'406'848, 458'643'968, 5.01},
    {"DiT-L/4", 458'053'760, 457'988'224, 19'695'665'152, 458'250'368, 19.70},
    {"DiT-L/2", 458'102'816, 457'840'672, 80'697'622'528, 458'889'248, 80.71},
    {"DiT-XL/8", 675'683'072, 675'664'640, 7'392'411'648, 675'738'368, 7.39},
    {"DiT-XL/4", 675'074'432, 675'000'704, 29'043'671'040, 675'295'616, 29.05},
    {"DiT-XL/2", 675'129'632, 674'834'720, 118'621'421'568, 676'014'368, 118.64},
};

TEST(Arithmetic, GivesEveryPublishedModelExactly) {
  for (const PublishedModel& published : kPublished) {
    SCOPED_TRACE(published.name);
    const ModelShape shape = shape_of(published.name);
    EXPECT_EQ(count_parameters(shape).total, published.total);
    EXPECT_EQ(count_parameters(shape).trainable, published.trainable);
    EXPECT_EQ(forward_macs(shape), published.macs);
    EXPECT_EQ(count_parameters(shape_of(published.name, 512)).total, published.total_at_512);
    EXPECT_EQ(count_parameters(shape_of(published.name, 512)).trainable, published.trainable);
  }
}

TEST(Arithmetic, AgreesWithThePapersGflopsToTheirRounding) {
  for (const PublishedModel& published : kPublished) {
    const double gigamacs = static_cast<double>(forward_macs(shape_of(published.name))) / 1e9;
    // Two printed digits, and up to 2e-4 that the paper's counter puts on top.
    EXPECT_NEAR(gigamacs, published.paper_gflops, 0.0051 + 2e-4 * published.paper_gflops) << published.name;
  }
}

TEST(Arithmetic, AgreesAtFiveHundredAndTwelvePixels) {
  const double gigamacs = static_cast<double>(forward_macs(shape_of("DiT-XL/2", 512))) / 1e9;
  EXPECT_NEAR(gigamacs, 524.538, 0.0005);
  EXPECT_NEAR(gigamacs / 524.60, 1.0, 2e-4);
}

struct PublishedDesign {
  BlockDesign block;
  double gflops;
  std::int64_t millions;
};

// Figure 5 and table 4 of the paper, XL/2. Its millions are the trainable parameters rounded; with the position
// embedding adaLN would come out as 601.
constexpr PublishedDesign kDesigns[] = {{BlockDesign::kInContext, 119.37, 449},
                                        {BlockDesign::kCrossAttention, 137.62, 598},
                                        {BlockDesign::kAdaLn, 118.56, 600},
                                        {BlockDesign::kAdaLnZero, 118.64, 675}};

TEST(Arithmetic, GivesTheBlockDesignsWithinThePapersRounding) {
  for (const PublishedDesign& published : kDesigns) {
    SCOPED_TRACE(to_name(published.block));
    ModelShape shape = shape_of("DiT-XL/2");
    shape.model.block = published.block;
    EXPECT_NEAR(static_cast<double>(forward_macs(shape)) / 1e9 / published.gflops, 1.0, 2e-4);
    const ParameterCount count = count_parameters(shape);
    EXPECT_EQ(std::llround(static_cast<double>(count.trainable) / 1e6), published.millions) << count.total;
  }
}

TEST(Arithmetic, WithoutLabelDropsTheNullRowGoes) {
  ModelShape with = shape_of("DiT-S/8");
  ModelShape without = with;
  without.model.class_dropout = 0;
  EXPECT_EQ(count_parameters(with).total - count_parameters(without).total, 384);
  EXPECT_EQ(forward_macs(with), forward_macs(without));
}

TEST(Arithmetic, WithoutLearnedVarianceHalfOfTheOutputGoes) {
  ModelShape with = shape_of("DiT-S/8");
  ModelShape without = with;
  without.learn_variance = false;
  const std::int64_t outputs = 8 * 8 * 4;
  EXPECT_EQ(count_parameters(with).total - count_parameters(without).total, (384 + 1) * outputs);
  EXPECT_EQ(forward_macs(with) - forward_macs(without), 16 * 384 * outputs);
}

TEST(Arithmetic, TrainingIsThreeForwardsOfTwoOperationsEach) {
  EXPECT_DOUBLE_EQ(training_flops_per_image(shape_of("DiT-XL/2")), 6 * 118'621'421'568.0);
}

TEST(Arithmetic, TrainingStateIsFiveCopiesOfFourBytes) {
  EXPECT_EQ(training_state_bytes(shape_of("DiT-XL/2")), 674'834'720LL * 20);
}

TEST(Arithmetic, ActivationsGrowWithImagesTokensAndDepth) {
  const ModelShape small = shape_of("DiT-S/8");
  EXPECT_EQ(activation_bytes(small, 6, 4), 6 * activation_bytes(small, 1, 4));
  EXPECT_EQ(activation_bytes(small, 1, 4), 2 * activation_bytes(small, 1, 2));
  EXPECT_GT(activation_bytes(shape_of("DiT-S/4"), 1, 4), activation_bytes(small, 1, 4));
  ModelShape deeper = small;
  deeper.model.depth *= 2;
  EXPECT_GT(activation_bytes(deeper, 1, 4), activation_bytes(small, 1, 4));
}

TEST(Arithmetic, TheLargestModelThatAFileMayNameDoesNotOverflow) {
  ModelShape shape;
  shape.model.depth = 1000;
  shape.model.width = 65'536;
  shape.model.heads = 1024;
  shape.model.patch = 1;
  shape.model.mlp_ratio = 64;
  shape.input = {64, 4, 1000};
  const double d = 65'536;
  const double tokens = 4096;
  const double blocks = 1000 * ((4 + 128) * d * d * tokens + 2 * tokens * tokens * d + 6 * d * d);
  EXPECT_NEAR(static_cast<double>(forward_macs(shape)) / blocks, 1.0, 1e-3);
  EXPECT_NEAR(static_cast<double>(count_parameters(shape).total) / (1000 * (4 + 128 + 6) * d * d), 1.0, 1e-3);
  EXPECT_GT(training_state_bytes(shape), 0);
  EXPECT_EQ(activation_bytes(shape, 1 << 24, 4), std::numeric_limits<std::int64_t>::max());
  shape.model.width = 4;
  shape.model.heads = 1;
  shape.model.depth = 512;
  shape.input.size = 1 << 26;  // 2^9 layers of 2^52 tokens of 560 values: a multiple of 2^64
  EXPECT_EQ(activation_bytes(shape, 1, 4), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace ditscale::sweeps
