#include "sweeps/spec/trial_spec.hpp"

#include <functional>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::sweeps {
namespace {

TrialSpec parsed(const std::string& text) { return trial_spec_from(common::parse_json(text, "trial.json")); }
TrialSpec reread(const common::Json& json) { return parsed(json.dump()); }
TrialSpec small_trial() { return parsed(R"({"model": {"patch": 7}, "evaluate": [{}]})"); }

std::string refusal(const std::string& text) {
  try {
    (void)parsed(text);
  } catch (const common::ConfigError& error) {
    return error.what();
  }
  return "was accepted";
}

TEST(TrialSpec, DefaultsAreThePapersRecipe) {
  const TrialSpec trial = parsed(R"({"data": {"name": "imagenet_latents"}, "model": "DiT-XL/2"})");
  EXPECT_EQ(trial.data.image_size, 256);
  EXPECT_EQ(trial.input().size, 32);
  EXPECT_EQ(trial.input().channels, 4);
  EXPECT_EQ(trial.input().num_classes, 1000);
  EXPECT_EQ(trial.train.global_batch, 256);
  EXPECT_EQ(trial.train.lr, 1e-4);
  EXPECT_EQ(trial.train.weight_decay, 0);
  EXPECT_EQ(trial.train.warmup_steps, 0);
  EXPECT_EQ(trial.train.ema_decay, 0.9999);
  EXPECT_FALSE(trial.train.clip_norm);
  EXPECT_EQ(trial.model.class_dropout, 0.1);
  EXPECT_TRUE(trial.evaluate.empty());
}

TEST(TrialSpec, APublishedNameMayBeChangedInParts) {
  const TrialSpec trial = parsed(R"({"model": {"name": "DiT-S/2", "patch": 4, "block": "adaln"}})");
  EXPECT_EQ(trial.model.depth, 12);
  EXPECT_EQ(trial.model.patch, 4);
  EXPECT_EQ(trial.model.block, BlockDesign::kAdaLn);
}

TEST(TrialSpec, ErrorsOfATrialFileNameItsLines) {
  EXPECT_EQ(refusal("{\n\"model\": {\"patch\": 7},\n\"train\": {\n\"lrr\": 1}}"),
            "trial.json:4: train.lrr: unknown key; did you mean \"lr\"? allowed: beta1, beta2, clip_norm, ema_decay, "
            "ema_warmup, global_batch, log_every_steps, lr, micro_batch, post_hoc_ema_every_steps, precision, steps, "
            "warmup_steps, weight_decay");
  EXPECT_EQ(refusal("{\n\"model\":\n {\"patch\": 9}}"),
            "trial.json:2: model: patch 9 does not divide the input size 28");
}

TEST(TrialSpec, TheGoldenIdNeverChanges) {
  // Stored: results are found again by these, and a change makes every existing study start over. The values are
  // those of another XXH3 over another JSON writer (Python) for the canonical text.
  EXPECT_EQ(small_trial().id().str(), "faba135b4ccc1233");
  EXPECT_EQ(parsed(R"({"data": {"name": "imagenet_latents"}, "model": "DiT-XL/2"})").id().str(), "87c40022a459deb1");
}

TEST(TrialSpec, TheIdIsThatOfTheResolvedTrialHoweverItIsWritten) {
  const std::string id = small_trial().id().str();
  EXPECT_EQ(parsed(R"({"evaluate": [{}], "seed": 0, "model": {"width": 384.0, "patch": 7e0}})").id().str(), id);
  EXPECT_EQ(parsed(R"({"model": {"patch": 7}, "evaluate": [{"guidance": 1}], "train": {"weight_decay": -0.0,
                       "clip_norm": null, "lr": 0.0001}})")
                .id()
                .str(),
            id);
  EXPECT_EQ(parsed(R"({"model": {"name": "DiT-S/8", "patch": 7}, "evaluate": [{}]})").id().str(), id);
}

TEST(TrialSpec, WhatSaysTheSameAsLeavingItOutIsLeftOut) {
  const TrialSpec plain = parsed(R"({"model": {"patch": 7, "heads": 4, "mup_base_width": 64},
                                     "train": {"global_batch": 64}, "evaluate": [{"guidance": 2}]})");
  EXPECT_EQ(parsed(R"({"model": {"patch": 7, "heads": 4, "mup_base_width": 64, "mup_base_heads": 4},
                       "train": {"global_batch": 64, "micro_batch": 64},
                       "evaluate": [{"guidance": 2, "guidance_channels": 1}]})")
                .to_json(),
            plain.to_json());
  EXPECT_NE(refusal(R"({"model": {"patch": 7, "heads": 4, "mup_base_heads": 4}})").find("needs mup_base_width"),
            std::string::npos);
}

TEST(TrialSpec, TheIdDoesNotChangeWithWhatCannotChangeTheResult) {
  const TrialSpec trial = small_trial();
  const std::vector<std::function<void(TrialSpec&)>> changes{
      [](TrialSpec& t) { t.data.root = "/elsewhere"; }, [](TrialSpec& t) { t.resources.cpus = 8; },
      [](TrialSpec& t) { t.resources.gpus = 1; },       [](TrialSpec& t) { t.checkpoint.every_steps = 7; },
      [](TrialSpec& t) { t.checkpoint.keep = 9; },      [](TrialSpec& t) { t.train.log_every_steps = 1; },
      [](TrialSpec& t) { t.resources.processes = 4; },  [](TrialSpec& t) { t.resources.min_processes = 2; },
      [](TrialSpec& t) { t.resources.max_nodes = 2; },  [](TrialSpec& t) { t.resources.priority = 5; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    TrialSpec changed = trial;
    changes[i](changed);
    ASSERT_NE(changed, trial);
    EXPECT_EQ(changed.id(), trial.id()) << "change " << i;
  }
}

/// Every leaf of `json` as a JSON pointer.
std::vector<std::string> leaves_of(const common::Json& json) {
  std::vector<std::string> leaves;
  const common::Json flat = json.flatten();
  for (const auto& [pointer, unused] : flat.items()) leaves.push_back(pointer);
  return leaves;
}

common::Json other_value(const std::string& pointer, const common::Json& value) {
  static const std::map<std::string, common::Json> others{
      {"/model/block", "adaln"},  {"/train/precision", "bf16"}, {"/train/clip_norm", 1.0},
      {"/train/micro_batch", 64}, {"/train/global_batch", 512}, {"/model/heads", 12},
      {"/model/patch", 14},       {"/model/width", 768},        {"/evaluate/0/sampler", "ddim"},
  };
  const auto found = others.find(pointer);
  if (found != others.end()) return found->second;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number_float()) return value.get<double>() * 0.5 + 0.25;
  return value.get<std::int64_t>() + 1;
}

/// Fields whose other values need company, as merge patches (RFC 7396).
const std::map<std::string, const char*>& patches() {
  static const std::map<std::string, const char*> all{
      {"/data/name",
       R"({"data": {"name": "imagenet_latents", "image_size": 256}, "model": {"patch": 8}, "evaluate": []})"},
      {"/model/conditioning", R"({"model": {"conditioning": "none", "class_dropout": 0}})"},
      {"/model/norm", R"({"model": {"norm": "rms"}})"},
      {"/model/mlp", R"({"model": {"mlp": "swiglu"}})"},
      {"/model/position", R"({"model": {"position": "rope"}})"},
      {"/model/adaln_init", R"({"model": {"adaln_init": "normal"}})"},
      {"/model/mup_base_width", R"({"model": {"mup_base_width": 96}})"},
      {"/model/mup_base_heads", R"({"model": {"mup_base_width": 96, "mup_base_heads": 2}})"},
      {"/objective/kind",
       R"({"objective": {"kind": "flow", "learn_variance": false}, "evaluate": [{"sampler": "heun"}]})"},
      {"/objective/schedule", R"({"objective": {"schedule": "cosine"}})"},
      {"/objective/prediction", R"({"objective": {"prediction": "v"}})"},
      {"/objective/fixed_variance", R"({"objective": {"learn_variance": false, "fixed_variance": "small"}})"},
      {"/objective/min_snr_gamma", R"({"objective": {"min_snr_gamma": 5}})"},
      {"/train/post_hoc_ema_every_steps", R"({"train": {"post_hoc_ema_every_steps": 100}})"},
      {"/evaluate/0/features", R"({"evaluate": [{"features": "none"}]})"},
      {"/evaluate/0/features_file", R"({"evaluate": [{"features": "torchscript", "features_file": "network.pt"}]})"},
      {"/evaluate/0/reference", R"({"evaluate": [{"reference": "statistics.npz"}]})"},
      {"/evaluate/0/metrics/0", R"({"evaluate": [{"metrics": ["kid"]}]})"},
      {"/evaluate/0/labels", R"({"evaluate": [{"labels": "balanced"}]})"},
      {"/evaluate/0/guidance_channels", R"({"evaluate": [{"guidance": 2, "guidance_channels": 1}]})"},
      {"/evaluate/0/guidance_from", R"({"evaluate": [{"guidance": 2, "guidance_from": 0.2}]})"},
      {"/evaluate/0/guidance_to", R"({"evaluate": [{"guidance": 2, "guidance_to": 0.8}]})"},
      {"/evaluate/0/guide", R"({"evaluate": [{"guidance": 2, "guide": "weak.h5"}]})"},
  };
  return all;
}

TEST(TrialSpec, TheIdChangesWithEverythingThatMatters) {
  const TrialSpec trial = small_trial();
  const common::Json before = trial.to_json();
  // Of these there is one value for this data and objective.
  const std::vector<std::string> single{"/data/image_size", "/objective/time", "/objective/time_mean",
                                        "/objective/time_deviation", "/evaluate/0/decoder"};
  const std::vector<std::string> outside{"/data/root",           "/checkpoint/every_steps", "/checkpoint/keep",
                                         "/resources/cpus",      "/resources/gpus",         "/train/log_every_steps",
                                         "/evaluate/0/apart",    "/resources/processes",    "/resources/min_processes",
                                         "/resources/max_nodes", "/resources/priority"};
  std::set<std::string> ids{trial.id().str()};
  for (const std::string& pointer : leaves_of(before)) {
    if (testing::Matches(testing::Contains(pointer))(single) || testing::Matches(testing::Contains(pointer))(outside))
      continue;
    SCOPED_TRACE(pointer);
    common::Json changed = before;
    if (patches().contains(pointer)) {
      changed.merge_patch(common::Json::parse(patches().at(pointer)));
    } else {
      const common::Json::json_pointer place(pointer);
      changed[place] = other_value(pointer, before[place]);
    }
    EXPECT_TRUE(ids.insert(reread(changed).id().str()).second);
  }
  EXPECT_GE(ids.size(), 45U);
}

TEST(TrialSpec, AFlowsTimesAndAStoresFactsChangeTheId) {
  std::set<std::string> ids;
  for (const char* time : {R"("uniform")", R"("logit_normal")", R"("logit_normal", "time_mean": 0.5)",
                           R"("logit_normal", "time_deviation": 0.5)"}) {
    ids.insert(parsed(fmt::format(R"({{"model": {{"patch": 7}}, "objective": {{"kind": "flow", "time": {}}}}})", time))
                   .id()
                   .str());
  }
  EXPECT_EQ(ids.size(), 4U);
  const char* facts = R"("name": "store", "image_size": 64, "space": "latents", "channels": 4, "num_classes": 2)";
  ids.clear();
  for (const char* rest :
       {R"("num_images": 9, "digest": "a")", R"("num_images": 9, "digest": "b")", R"("num_images": 8, "digest": "a")",
        R"("num_images": 8, "digest": "a", "context_tokens": 4, "context_width": 5)"}) {
    const TrialSpec trial = parsed(fmt::format(R"({{"data": {{{}, {}}}}})", facts, rest));
    EXPECT_EQ(trial.input().size, 8);
    EXPECT_EQ(reread(trial.to_json()), trial);
    ids.insert(trial.id().str());
  }
  EXPECT_EQ(ids.size(), 4U);
}

TEST(TrialSpec, GuidanceOfOneIsNoGuidanceWhateverGuides) {
  const TrialSpec plain = parsed(R"({"model": {"patch": 7}, "evaluate": [{}]})");
  EXPECT_EQ(parsed(R"({"model": {"patch": 7}, "evaluate": [{"guidance": 1, "guidance_from": 0.2, "guide": "w.h5"}]})"),
            plain);
}

/// A trial with every field set at random to something allowed.
TrialSpec random_trial(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto whole = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
  };
  const auto real = [&](double low, double high) {
    return low + (high - low) * (static_cast<double>(random() >> 11) + 0.5) / 9007199254740992.0;
  };
  TrialSpec t;
  t.data.root = random() % 2 == 0 ? "" : "/data/größe \"x\"";
  t.data.flip = random() % 2 == 0;
  t.model.depth = whole(1, 40);
  t.model.heads = whole(1, 8);
  t.model.width = t.model.heads * 4 * whole(1, 40);
  t.model.patch = std::array<std::int64_t, 4>{1, 4, 7, 14}[random() % 4];
  t.model.block = Choices<BlockDesign>::kAll[random() % 4].first;
  t.model.mlp_ratio = real(1, 8);
  t.model.class_dropout = real(0, 1);
  t.model.qk_norm = random() % 2 == 0;
  t.model.norm = Choices<NormKind>::kAll[random() % 2].first;
  t.model.mlp = Choices<MlpKind>::kAll[random() % 2].first;
  t.model.position = Choices<PositionKind>::kAll[random() % 2].first;
  if (t.model.modulated()) t.model.adaln_init = Choices<AdaLnInit>::kAll[random() % 2].first;
  if (random() % 2 == 0) t.model.mup_base_width = whole(4, 512);
  t.objective.num_timesteps = whole(300, 2000);
  t.objective.schedule = Choices<NoiseScheduleKind>::kAll[random() % 2].first;
  t.objective.prediction = Choices<Prediction>::kAll[random() % 3].first;
  t.objective.shift = real(0.1, 4);
  if (random() % 2 == 0) t.objective.min_snr_gamma = real(1, 10);
  t.objective.learn_variance = random() % 2 == 0;
  t.train.micro_batch = whole(1, 64);
  const std::int64_t num_micro_batches = whole(1, 8);
  t.train.global_batch = *t.train.micro_batch * num_micro_batches;
  if (num_micro_batches == 1 || random() % 2 == 0) t.train.micro_batch.reset();
  t.train.steps = whole(1, 1'000'000);
  t.train.lr = real(1e-9, 1);
  t.train.warmup_steps = whole(0, 1000);
  t.train.weight_decay = real(0, 1);
  t.train.beta1 = real(0, 0.99);
  t.train.beta2 = real(0, 0.999);
  if (random() % 2 == 0) t.train.clip_norm = real(0.1, 10);
  t.train.ema_decay = real(0, 1);
  t.train.ema_warmup = random() % 2 == 0;
  if (random() % 2 == 0) t.train.post_hoc_ema_every_steps = whole(1, 1000);
  t.train.precision = std::array<const char*, 3>{"auto", "fp32", "bf16"}[random() % 3];
  t.checkpoint = {whole(1, 1000), whole(2, 10)};
  for (std::int64_t i = whole(0, 3); i > 0; --i) {
    EvaluateSpec e;
    e.every_steps = whole(1, 10'000);
    e.num_samples = 2 + i;
    e.sampler = Choices<SamplerKind>::kAll[random() % 3].first;
    e.steps = whole(2, 250);
    e.guidance = real(0, 4);
    e.guidance_from = real(0, 0.5);
    e.guidance_to = real(0.5, 1);
    e.sample_seed = whole(0, 9'000'000'000'000'000);
    t.evaluate.push_back(e);
  }
  t.resources.cpus = whole(1, 64);
  if (random() % 2 == 0) t.resources.gpus = num_micro_batches;
  if (random() % 2 == 0) t.resources.processes = num_micro_batches;
  t.resources.priority = whole(-5, 5);
  if (random() % 2 == 0) t.resources.min_processes = 1;
  t.seed = whole(0, 9'000'000'000'000'000);
  return t;
}

RC_GTEST_PROP(TrialSpec, WrittenTrialsReadBackTheSame, (std::uint64_t seed)) {
  const TrialSpec trial = random_trial(seed);
  const TrialSpec back = reread(trial.to_json());
  RC_ASSERT(back == trial);
  RC_ASSERT(back.to_json() == trial.to_json());
  RC_ASSERT(back.id() == trial.id());
}

RC_GTEST_PROP(TrialSpec, DifferentTrialsHaveDifferentIds, (std::uint64_t a, std::uint64_t b)) {
  RC_PRE(a != b);
  RC_ASSERT(random_trial(a).id() != random_trial(b).id());
}

TEST(Cost, CountsTrainingAndSampling) {
  TrialSpec trial = small_trial();
  trial.train.steps = 10;
  trial.train.global_batch = 4;
  trial.evaluate[0].every_steps = 4;
  trial.evaluate[0].num_samples = 8;
  trial.evaluate[0].steps = 5;
  const auto macs = static_cast<double>(forward_macs(trial.shape()));
  EXPECT_DOUBLE_EQ(work_of(trial).training_macs, 3 * macs * 40);
  EXPECT_DOUBLE_EQ(work_of(trial).sampling_macs, macs * 8 * 5 * 3);  // after steps 4, 8 and 10
  trial.evaluate[0].guidance = 1.5;
  EXPECT_DOUBLE_EQ(work_of(trial).sampling_macs, macs * 8 * 5 * 3 * 2);
}

TEST(Cost, LongTrialsWithFrequentScoresAreCountedNotListed) {
  TrialSpec trial = small_trial();
  trial.train.steps = 1'000'000'000'000;
  trial.evaluate[0].every_steps = 1;
  EXPECT_EQ(num_evaluations(trial.evaluate[0], trial.train.steps), 1'000'000'000'000);
  EXPECT_GT(work_of(trial).sampling_macs, 0);
}

RC_GTEST_PROP(Cost, TheNumberOfEvaluationsIsThatOfTheListedSteps, ()) {
  EvaluateSpec evaluate;
  evaluate.every_steps = *rc::gen::inRange<std::int64_t>(1, 50);
  const auto last = *rc::gen::inRange<std::int64_t>(1, 300);
  const auto steps = evaluation_steps(evaluate, last);
  RC_ASSERT(num_evaluations(evaluate, last) == static_cast<std::int64_t>(steps.size()));
  RC_ASSERT(steps.back() == last);
}

TEST(StoredResources, OfOlderVersionsHaveDefaults) {
  EXPECT_EQ(stored_resources(common::Json::object()), ResourceSpec());
  const ResourceSpec gang = stored_resources(
      common::Json::parse(R"({"resources": {"cpus": 2, "gpus": 0, "processes": 3, "min_processes": null}})"));
  EXPECT_EQ(gang.num_devices(), 6);
  EXPECT_EQ(stored_resources(common::Json::parse(R"({"resources": {"gpus": 4, "processes": null}})")).num_devices(), 4);
}

TEST(Cost, MoreDevicesAreFaster) {
  const TrialSpec trial = small_trial();
  const double one_core_s = predicted_s(trial, {}, devices_of({1, 0}));
  const double two_cores_s = predicted_s(trial, {}, devices_of({2, 0}));
  EXPECT_GT(one_core_s, two_cores_s);
  EXPECT_GT(two_cores_s, predicted_s(trial, {}, devices_of({1, 1})));
}

}  // namespace
}  // namespace ditscale::sweeps
