#include <string>

#include <gtest/gtest.h>

#include "worker/training/train_step.hpp"

namespace ditscale::worker {
namespace {

struct NamedModel {
  const char* name;
  sweeps::ModelSpec model;
};

void PrintTo(const NamedModel& named, std::ostream* out) { *out << named.name; }

template <typename Change>
NamedModel changed(const char* name, Change change) {
  sweeps::ModelSpec model{.depth = 2, .width = 64, .heads = 2, .patch = 7, .mlp_ratio = 2.0};
  change(model);
  return {name, model};
}

class EachModel : public testing::TestWithParam<NamedModel> {
 protected:
  static const ImageSet& fashion() {
    static const ImageSet images = load_image_set(sweeps::DataSpec{}, Split::kTrain);
    return images;
  }
};

TEST_P(EachModel, LearnsFashionMnist) {
  sweeps::TrialSpec trial;
  trial.model = GetParam().model;
  trial.train.global_batch = 32;
  trial.train.lr = 2e-3;
  const BatchSource source(fashion(), trial);
  SingleProcess alone;
  TrainState state(trial.shape(), 0, torch::kCPU);
  TrainStep step(trial, source, alone, torch::kCPU, Precision::kFp32);
  constexpr int kSteps = 80, kWindow = 10;
  double early = 0, late = 0;
  for (int i = 0; i < kSteps; ++i) {
    const StepResult result = step.run(state, false);
    ASSERT_TRUE(result.finite()) << "step " << i;
    if (i < kWindow) early += result.loss / kWindow;
    if (i >= kSteps - kWindow) late += result.loss / kWindow;
  }
  EXPECT_LT(late, 0.75 * early) << "from " << early << " to " << late;
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
