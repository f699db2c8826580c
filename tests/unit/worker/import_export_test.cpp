#include <algorithm>
#include <cstring>
#include <map>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/model/dit.hpp"
#include "worker/model/flat_views.hpp"
#include "worker/model/position_embedding.hpp"
#include "worker/torch.hpp"
#include "worker/weights/diffusers_config.hpp"
#include "worker/weights/export_weights.hpp"
#include "worker/weights/import_weights.hpp"
#include "worker/weights/infer_trial.hpp"
#include "worker/weights/key_rules.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using common::UsageError;
using sweeps::TrialSpec;
using testing::AllOf;
using testing::HasSubstr;

/// A file of which only names and shapes are known.
class ShapesOnly final : public TensorSource {
 public:
  void add(const std::string& name, std::vector<std::int64_t> shape) {
    names_.push_back(name);
    shapes_[name] = std::move(shape);
  }
  void add_linear(const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void remove(const std::string& name) { names_.erase(std::find(names_.begin(), names_.end(), name)); }

  const std::vector<std::string>& names() const override { return names_; }
  const std::vector<std::int64_t>& shape(const std::string& name) const override { return shapes_.at(name); }
  at::ScalarType type(const std::string&) const override { return at::kFloat; }
  torch::Tensor read(const std::string& name) override {
    ADD_FAILURE() << name << " is read";
    return {};
  }
  const TextMap& metadata() const override { return metadata_; }
  const std::string& key() const override { return key_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
  TextMap metadata_;
  std::string key_;
};

/// The tensors of the released checkpoints, as their documentation lists them.
ShapesOnly released(std::int64_t depth, std::int64_t d, std::int64_t p, std::int64_t latent) {
  ShapesOnly s;
  s.add("pos_embed", {1, latent / p * (latent / p), d});
  s.add("x_embedder.proj.weight", {d, 4, p, p});
  s.add("x_embedder.proj.bias", {d});
  s.add_linear("t_embedder.mlp.0", d, 256);
  s.add_linear("t_embedder.mlp.2", d, d);
  s.add("y_embedder.embedding_table.weight", {1001, d});
  for (std::int64_t i = 0; i < depth; ++i) {
    const std::string block = fmt::format("blocks.{}.", i);
    s.add_linear(block + "attn.qkv", 3 * d, d);
    s.add_linear(block + "attn.proj", d, d);
    s.add_linear(block + "mlp.fc1", 4 * d, d);
    s.add_linear(block + "mlp.fc2", d, 4 * d);
    s.add_linear(block + "adaLN_modulation.1", 6 * d, d);
  }
  s.add_linear("final_layer.linear", 8 * p * p, d);
  s.add_linear("final_layer.adaLN_modulation.1", 2 * d, d);
  return s;
}

TEST(InferTrial, KnowsTheTwelvePublishedSizesByTheirTensors) {
  for (const std::string& name : sweeps::named_model_names()) {
    const sweeps::ModelSpec expected = *sweeps::named_model(name);
    for (const std::int64_t image_size : {256, 512}) {
      const ShapesOnly file = released(expected.depth, expected.width, expected.patch, image_size / 8);
      const TrialSpec trial = infer_trial(file, {});
      EXPECT_EQ(trial.model, expected) << name;
      EXPECT_EQ(trial.data.name, "imagenet_latents");
      EXPECT_EQ(trial.data.image_size, image_size);
      EXPECT_TRUE(trial.objective.learn_variance);
    }
  }
}

TEST(InferTrial, ReleasedXl2HasItsPublishedNumberOfTensors) {
  EXPECT_EQ(released(28, 1152, 2, 32).names().size(), 292U);
}

TEST(InferTrial, AsksForWhatTensorsDoNotShow) {
  ShapesOnly file = released(2, 64, 2, 32);
  EXPECT_THAT(message_of<UsageError>([&] { (void)infer_trial(file, {}); }), HasSubstr("--heads"));
  EXPECT_EQ(infer_trial(file, {.heads = 4}).model.heads, 4);
  file.remove("pos_embed");
  EXPECT_THAT(message_of<UsageError>([&] { (void)infer_trial(file, {.heads = 4}); }), HasSubstr("--image-size"));
  EXPECT_EQ(infer_trial(file, {.heads = 4, .image_size = 64}).data.image_size, 64);
}

TEST(InferTrial, RefusesHintsThatTheFileContradicts) {
  const ShapesOnly file = released(12, 384, 2, 32);
  EXPECT_THAT(message_of<UsageError>([&] { (void)infer_trial(file, {.image_size = 512}); }), HasSubstr("256"));
  EXPECT_THAT(message_of<UsageError>([&] { (void)infer_trial(file, {.classes = 10}); }), HasSubstr("1001 rows"));
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)infer_trial(file, {.heads = 5}); }), HasSubstr("heads 5"));
}

TEST(InferTrial, TakesAllRowsForClassesWhenTold) {
  const TrialSpec trial = infer_trial(released(12, 384, 2, 32), {.classes = 1001});
  EXPECT_EQ(trial.model.class_dropout, 0.0);
  EXPECT_EQ(trial.data.num_classes, 1001);
}

TEST(InferTrial, RefusesTensorsOfAnotherNetwork) {
  ShapesOnly unet;
  unet.add("conv_in.weight", {320, 4, 3, 3});
  EXPECT_THAT(message_of<CorruptData>([&] { (void)infer_trial(unet, {}); }), HasSubstr("x_embedder.proj.weight"));
  ShapesOnly odd = released(12, 384, 2, 32);
  odd.remove("final_layer.linear.weight");
  odd.add("final_layer.linear.weight", {17, 384});
  EXPECT_THAT(message_of<CorruptData>([&] { (void)infer_trial(odd, {}); }), HasSubstr("17 rows"));
}

/// A model of any shape with random weights.
struct Made {
  TrialSpec trial;
  FlatLayout layout;
  torch::Tensor weights;
};

Made make(const common::Json& trial_json) {
  common::JsonDocument document;
  document.value = trial_json;
  const TrialSpec trial = sweeps::trial_spec_from(document);
  const FlatLayout layout(*DiT(trial.shape()));
  const torch::Tensor weights = layout.make_buffer(torch::kCPU);
  for (const ParameterSlot& slot : layout.slots()) flat_view(weights, slot).normal_();
  return {trial, layout, weights};
}

Made make_small() {
  return make(
      {{"model", {{"depth", 2}, {"width", 64}, {"heads", 4}, {"patch", 4}}}, {"data", {{"name", "imagenet_latents"}}}});
}

bool same_bits(const torch::Tensor& a, const torch::Tensor& b) {
  return a.nbytes() == b.nbytes() && std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

class ImportExport : public InScratchFolder {
 protected:
  std::unique_ptr<TensorSource> open(const NamedTensors& tensors, const TextMap& metadata = {}) const {
    write_safetensors(at("x.safetensors"), tensors, metadata);
    return under_reference_names(open_tensor_source(at("x.safetensors"), ""));
  }
  /// Why these tensors are no weights of the trial's model.
  std::string refusal(const NamedTensors& tensors, const TrialSpec& trial) const {
    return message_of<CorruptData>([&] {
      const auto source = open(tensors);
      (void)import_weights(*source, trial);
    });
  }
};

/// One block each: all tensors of all blocks have the same shapes.
TEST_F(ImportExport, IsBitIdenticalForAllTwelveSizesInBothLayouts) {
  for (const std::string& name : sweeps::named_model_names()) {
    const sweeps::ModelSpec model = *sweeps::named_model(name);
    const Made made = make({{"model", {{"name", name}, {"depth", 1}}}, {"data", {{"name", "imagenet_latents"}}}});
    const ImportHints hints{.heads = model.heads, .image_size = 256};
    for (const NamedTensors& tensors : {reference_tensors(made.layout, made.weights, made.trial),
                                        diffusers_tensors(made.layout, made.weights, made.trial)}) {
      const auto source = open(tensors);
      const TrialSpec trial = infer_trial(*source, hints);
      EXPECT_EQ(trial, made.trial) << name;
      EXPECT_TRUE(same_bits(import_weights(*source, trial).values, made.weights)) << name;
    }
  }
}

TEST_F(ImportExport, KeepsEveryDesignThroughTheTrialInTheMetadata) {
  for (const char* block : {"adaln_zero", "adaln", "cross_attention", "in_context"}) {
    const Made made = make({{"model", {{"depth", 2}, {"width", 64}, {"heads", 4}, {"patch", 4}, {"block", block}}},
                            {"data", {{"name", "fashion_mnist"}}},
                            {"objective", {{"learn_variance", false}}}});
    const auto source =
        open(reference_tensors(made.layout, made.weights, made.trial), {{kTrialMetadata, made.trial.to_json().dump()}});
    const TrialSpec trial = infer_trial(*source, {});
    EXPECT_EQ(trial, made.trial) << block;
    EXPECT_TRUE(same_bits(import_weights(*source, trial).values, made.weights)) << block;
    // The same without metadata: shapes tell the design.
    const auto bare = open(reference_tensors(made.layout, made.weights, made.trial));
    const TrialSpec seen = infer_trial(*bare, {.heads = 4});
    EXPECT_EQ(seen.model, made.trial.model) << block;
    EXPECT_EQ(seen.shape().input.size, 28) << block;
  }
}

TEST_F(ImportExport, RefusesATrialInTheMetadataThatIsLargerThanTheFile) {
  const Made made = make_small();
  TrialSpec larger = made.trial;
  larger.model = *sweeps::named_model("DiT-XL/2");
  const auto source =
      open(reference_tensors(made.layout, made.weights, made.trial), {{kTrialMetadata, larger.to_json().dump()}});
  const TrialSpec trial = infer_trial(*source, {});
  EXPECT_THAT(message_of<CorruptData>([&] { (void)import_weights(*source, trial); }),
              HasSubstr("674834720 parameters"));
  const auto nonsense = open({{"a", torch::ones({1})}}, {{kTrialMetadata, "{\"model\": 3}"}});
  EXPECT_THROW((void)infer_trial(*nonsense, {}), CorruptData);
}

TEST_F(ImportExport, NamesTensorsThatAreMissingSurplusOrMisshapen) {
  const Made made = make_small();
  const NamedTensors good = reference_tensors(made.layout, made.weights, made.trial);
  NamedTensors missing = good, surplus = good, misshapen = good, whole = good;
  missing.erase(missing.begin() + 5);
  surplus.emplace_back("blocks.9.attn.qkv.weight", torch::ones({1}));
  misshapen[5].second = misshapen[5].second.flatten().narrow(0, 0, 3);
  whole[5].second = whole[5].second.to(torch::kInt64);
  // A file with as many values as before, so that it is the name that is missed.
  missing.emplace_back("filler", good[5].second);
  EXPECT_THAT(refusal(missing, made.trial), HasSubstr(good[5].first + " is missing"));
  EXPECT_THAT(refusal(surplus, made.trial), HasSubstr("blocks.9.attn.qkv.weight has no place"));
  misshapen.emplace_back("filler", torch::ones({made.weights.numel()}));
  EXPECT_THAT(refusal(misshapen, made.trial), AllOf(HasSubstr(good[5].first), HasSubstr("shape [3]")));
  EXPECT_THAT(refusal(whole, made.trial), HasSubstr("no floating point"));
}

TEST_F(ImportExport, HoldsTheStoredPositionsAgainstOurs) {
  const Made made = make_small();
  NamedTensors tensors = reference_tensors(made.layout, made.weights, made.trial);
  ASSERT_EQ(tensors[0].first, "pos_embed");
  tensors[0].second = tensors[0].second.to(torch::kHalf);
  const auto source = open(tensors);
  EXPECT_TRUE(same_bits(import_weights(*source, made.trial).values, made.weights));
  // Rows and columns exchanged: the commonest mistake.
  const auto d = made.trial.model.width;
  const torch::Tensor ours = position_embedding(made.trial.shape().tokens_per_side(), d);
  tensors[0].second = torch::cat({ours.narrow(2, d / 2, d / 2), ours.narrow(2, 0, d / 2)}, 2).contiguous();
  EXPECT_THAT(refusal(tensors, made.trial), HasSubstr("pos_embed differs"));
}

TEST_F(ImportExport, WidensHalfPrecision) {
  const Made made = make_small();
  NamedTensors tensors = reference_tensors(made.layout, made.weights, made.trial);
  for (auto& item : tensors) item.second = item.second.to(torch::kBFloat16);
  const auto source = open(tensors);
  const torch::Tensor expected = made.weights.to(torch::kBFloat16).to(torch::kFloat32);
  EXPECT_TRUE(same_bits(import_weights(*source, made.trial).values, expected));
}

TEST_F(ImportExport, SeesThroughThePrefixesOfTrainingPrograms) {
  const Made made = make_small();
  NamedTensors tensors = reference_tensors(made.layout, made.weights, made.trial);
  for (auto& item : tensors) item.first = "module._orig_mod." + item.first;
  const auto source = open(tensors);
  EXPECT_TRUE(same_bits(import_weights(*source, made.trial).values, made.weights));
}

TEST_F(ImportExport, SplitsQueryKeyAndValueInThisOrder) {
  const Made made = make_small();
  const NamedTensors tensors = diffusers_tensors(made.layout, made.weights, made.trial);
  const std::map<std::string, torch::Tensor> theirs(tensors.begin(), tensors.end());
  for (const ParameterSlot& slot : made.layout.slots()) {
    if (slot.name != "blocks.1.attn.qkv.weight") continue;
    const torch::Tensor qkv = flat_view(made.weights, slot);
    EXPECT_TRUE(theirs.at("transformer_blocks.1.attn1.to_q.weight").equal(qkv.narrow(0, 0, 64)));
    EXPECT_TRUE(theirs.at("transformer_blocks.1.attn1.to_k.weight").equal(qkv.narrow(0, 64, 64)));
    EXPECT_TRUE(theirs.at("transformer_blocks.1.attn1.to_v.weight").equal(qkv.narrow(0, 128, 64)));
  }
}

TEST_F(ImportExport, RefusesDiffusersBlocksWithEmbeddersOfTheirOwn) {
  const Made made = make_small();
  NamedTensors tensors = diffusers_tensors(made.layout, made.weights, made.trial);
  for (auto& item : tensors) {
    if (item.first == "transformer_blocks.1.norm1.emb.class_embedder.embedding_table.weight")
      item.second = item.second + 1;
  }
  EXPECT_THAT(refusal(tensors, made.trial), AllOf(HasSubstr("transformer_blocks.1"), HasSubstr("differ")));
  tensors.pop_back();
  EXPECT_THAT(refusal(tensors, made.trial), HasSubstr("proj_out_2.bias is missing"));
}

TEST_F(ImportExport, RefusesToMakeDiffusersWhatItHasNot) {
  const Made made = make({{"model", {{"depth", 1}, {"width", 64}, {"heads", 4}, {"patch", 4}, {"block", "in_context"}}},
                          {"data", {{"name", "imagenet_latents"}}}});
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)diffusers_tensors(made.layout, made.weights, made.trial); }),
              HasSubstr("in_context"));
}

TEST(ImportWeights, RefusesShapesThatNoNumberHolds) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  ShapesOnly product;
  product.add("w", {kHuge, kHuge, 0});
  EXPECT_THAT(message_of<CorruptData>([&] { (void)import_weights(product, TrialSpec{}); }),
              HasSubstr("impossible shape"));
  ShapesOnly sum;
  for (const char* name : {"a", "b"}) sum.add(name, {kHuge});
  EXPECT_THAT(message_of<CorruptData>([&] { (void)import_weights(sum, TrialSpec{}); }), HasSubstr("more values"));
}

TEST_F(ImportExport, TakesHeadsAndSizeFromDiffusersConfig) {
  common::Json config = diffusers_config(make_small().trial);
  ImportHints hints;
  apply_diffusers_config(config, hints);
  EXPECT_EQ(hints.heads, 4);
  EXPECT_EQ(hints.image_size, 256);
  config["activation_fn"] = "geglu";
  EXPECT_THAT(message_of<common::ConfigError>([&] { apply_diffusers_config(config, hints); }), HasSubstr("geglu"));
  put(at("config.json"), "{\"_class_name\": \"UNet2DModel\"}");
  EXPECT_FALSE(read_diffusers_config(folder_));
}

}  // namespace
}  // namespace ditscale::worker
