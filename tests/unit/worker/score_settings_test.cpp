#include "worker/evaluation/score_settings.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ditscale::worker {
namespace {

using common::Json;

const ReferenceFacts kReference{"fashion_mnist train", 60'000, "made up"};
const HelperDigests kNetwork{"708a16386c11f84d79339ea0c3afd27e", "", ""};

sweeps::EvaluateSpec demo_score() {
  sweeps::EvaluateSpec evaluate;
  evaluate.num_samples = 2000;
  evaluate.sampler = sweeps::SamplerKind::kDdim;
  evaluate.steps = 50;
  evaluate.guidance = 1.5;
  return evaluate;
}

// As the first version stored it: databases join old and new scores by the hash of this.
TEST(ScoreSettings, OfOptionsThatChangeNothingAreAsEver) {
  const Json settings = score_settings(demo_score(), kReference, kNetwork);
  EXPECT_EQ(settings.dump(),
            R"({"decoder":null,"features":"fashion_cnn","features_digest":"708a16386c11f84d79339ea0c3afd27e",)"
            R"("guidance":1.5,"guided_channels":"all","labels":"uniform","num_samples":2000,)"
            R"("reference":"fashion_mnist train","reference_digest":"made up","reference_images":60000,)"
            R"("rounding":"truncate","sample_seed":0,"sampler":"ddim","steps":50,"weights":"ema"})");
  EXPECT_EQ(settings_id(settings), "7942cfcbe1605695");
}

TEST(ScoreSettings, EachOptionThatChangesTheSamplesChangesTheId) {
  std::vector<sweeps::EvaluateSpec> others(6, demo_score());
  others[0].guidance_channels = 1;
  others[1].guidance_from = 0.1;
  others[2].guidance_to = 0.9;
  others[3].sampler = sweeps::SamplerKind::kDpmSolver;
  others[4].features = "none";
  others[5].sample_seed = 1;
  std::set<std::string> ids{settings_id(score_settings(demo_score(), kReference, kNetwork)),
                            settings_id(score_settings(demo_score(), kReference, {kNetwork.features, "a digest", ""})),
                            settings_id(score_settings(demo_score(), kReference, {kNetwork.features, "", "a digest"}))};
  for (const auto& other : others) ids.insert(settings_id(score_settings(other, kReference, kNetwork)));
  EXPECT_EQ(ids.size(), others.size() + 3);
  ids.insert(settings_id(score_settings(demo_score(), kReference, kNetwork, "balanced")));
  ids.insert(settings_id(score_settings(demo_score(), kReference, kNetwork, "uniform", "post_hoc_ema 0.1")));
  EXPECT_EQ(ids.size(), others.size() + 5);
  ids.insert(settings_id(score_settings(demo_score(), kReference, {kNetwork.features, "", "a digest", 0.13025})));
  ids.insert(settings_id(score_settings(demo_score(), kReference, {kNetwork.features, "", "a digest", 0.18215, 16})));
  EXPECT_EQ(ids.size(), others.size() + 7);
}

TEST(ScoreSettings, WithoutFeaturesHaveNoReference) {
  sweeps::EvaluateSpec evaluate = demo_score();
  evaluate.features = "none";
  const Json settings = score_settings(evaluate, std::nullopt, {});
  for (const char* key : {"features_digest", "reference", "reference_images", "reference_digest"}) {
    EXPECT_TRUE(settings.at(key).is_null()) << key;
  }
}

}  // namespace
}  // namespace ditscale::worker
