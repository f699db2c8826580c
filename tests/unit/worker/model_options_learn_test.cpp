#include <string>

#include <gtest/gtest.h>

#include "tests/unit/worker/learns_fashion_mnist.hpp"

namespace ditscale::worker {
namespace {

struct ChangedModel {
  const char* name;
  sweeps::ModelSpec model;
};

void PrintTo(const ChangedModel& named, std::ostream* out) { *out << named.name; }

template <typename Change>
ChangedModel changed(const char* name, Change change) {
  sweeps::ModelSpec model{.depth = 2, .width = 64, .heads = 2, .patch = 7, .mlp_ratio = 2.0};
  change(model);
  return {name, model};
}

class EachModel : public testing::TestWithParam<ChangedModel> {};

TEST_P(EachModel, LearnsFashionMnist) {
  sweeps::TrialSpec trial;
  trial.model = GetParam().model;
  expect_learns_fashion_mnist(trial);
}

using sweeps::ModelSpec;
INSTANTIATE_TEST_SUITE_P(
    Options, EachModel,
    testing::Values(changed("adaln_zero", [](ModelSpec&) {}),
                    changed("adaln", [](ModelSpec& m) { m.block = sweeps::BlockDesign::kAdaLn; }),
                    changed("cross_attention", [](ModelSpec& m) { m.block = sweeps::BlockDesign::kCrossAttention; }),
                    changed("in_context", [](ModelSpec& m) { m.block = sweeps::BlockDesign::kInContext; }),
                    changed("qk_norm", [](ModelSpec& m) { m.qk_norm = true; }),
                    changed("rms", [](ModelSpec& m) { m.norm = sweeps::NormKind::kRms; }),
                    changed("swiglu", [](ModelSpec& m) { m.mlp = sweeps::MlpKind::kSwiGlu; }),
                    changed("rope", [](ModelSpec& m) { m.position = sweeps::PositionKind::kRope; }),
                    changed("adaln_normal", [](ModelSpec& m) { m.adaln_init = sweeps::AdaLnInit::kNormal; }),
                    changed("mup", [](ModelSpec& m) { m.mup_base_width = 32; }),
                    changed("unconditional",
                            [](ModelSpec& m) {
                              m.conditioning = sweeps::Conditioning::kNone;
                              m.class_dropout = 0;
                            })),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace ditscale::worker
