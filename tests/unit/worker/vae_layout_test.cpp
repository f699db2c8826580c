#include "worker/vae/vae_layout.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

VaeConfig narrow() {
  VaeConfig config;
  config.image_channels = 1;
  config.latent_channels = 7;
  config.block_out_channels = {32, 96, 64, 32, 32};
  config.layers_per_block = 3;
  return config;
}

void expect_refused(const TensorShapes& shapes, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_THAT([&] { (void)vae_config_from(shapes, "vae.safetensors"); },
                ThrowsMessage<CorruptData>(AllOf(HasSubstr("vae.safetensors"), HasSubstr(part))));
  }
}

// The published sd-vae-ft-mse has 83,653,863 parameters in 248 tensors, 34,163,664 of them in encoder and quant_conv.
TEST(VaeLayout, CountsTheParametersOfThePublishedNetwork) {
  std::int64_t all = 0, encoder = 0;
  const TensorShapes shapes = vae_tensor_shapes({});
  for (const auto& [name, shape] : shapes) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    all += count;
    if (name.starts_with("encoder.") || name.starts_with("quant_conv.")) encoder += count;
  }
  EXPECT_EQ(all, 83'653'863);
  EXPECT_EQ(encoder, 34'163'664);
  EXPECT_EQ(shapes.size(), 248U);
}

TEST(VaeLayout, TellsTheSizeFromTheShapes) {
  for (const VaeConfig& config : {VaeConfig{}, narrow()}) {
    EXPECT_EQ(vae_config_from(vae_tensor_shapes(config), "file"), config);
  }
  EXPECT_EQ(VaeConfig{}.downsampling(), 8);
  EXPECT_EQ(narrow().downsampling(), 16);
}

TEST(VaeLayout, NamesWhatIsMissingTooManyOrMisshapen) {
  TensorShapes shapes = vae_tensor_shapes(narrow());
  shapes.erase("decoder.up_blocks.2.resnets.1.conv2.bias");
  shapes["loss.logvar"] = {1};
  shapes["encoder.mid_block.attentions.0.to_q.weight"] = {32, 31};
  expect_refused(shapes, {"decoder.up_blocks.2.resnets.1.conv2.bias is missing", "\"loss.logvar\" does not belong",
                          "encoder.mid_block.attentions.0.to_q.weight has shape (32, 31), expected is (32, 32)"});
}

TEST(VaeLayout, RefusesAnotherNetwork) {
  expect_refused({}, {"encoder.conv_in.weight"});
  expect_refused({{"model.layers.0.weight", {4, 4}}}, {"not the weights of an AutoencoderKL", "model.layers.0.weight"});
}

TEST(VaeLayout, RefusesSizesThatNoConvolutionHas) {
  const char* name = "encoder.down_blocks.0.resnets.0.conv1.weight";
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{}, {32}, {0, 32, 3, 3}, {std::int64_t{1} << 40, 32, 3, 3}}) {
    TensorShapes shapes = vae_tensor_shapes(narrow());
    shapes[name] = shape;
    expect_refused(shapes, {name});
  }
}

TEST(VaeLayout, ListsOnlyTheFirstOfManyFaults) {
  TensorShapes shapes = vae_tensor_shapes(narrow());
  for (int i = 0; i < 1000; ++i) shapes[std::string(200, 'x') + std::to_string(i)] = {1};
  try {
    (void)vae_config_from(shapes, "file");
    FAIL() << "nothing was thrown";
  } catch (const CorruptData& error) {
    EXPECT_LT(std::string(error.what()).size(), 1500U);
    EXPECT_THAT(error.what(), HasSubstr("and 994 more"));
  }
}

TEST(VaeLayout, KnowsTheOlderNamesOfAttention) {
  const std::string block = "decoder.mid_block.attentions.0.";
  EXPECT_EQ(current_vae_name(block + "query.weight"), block + "to_q.weight");
  EXPECT_EQ(current_vae_name(block + "key.bias"), block + "to_k.bias");
  EXPECT_EQ(current_vae_name(block + "value.weight"), block + "to_v.weight");
  EXPECT_EQ(current_vae_name(block + "proj_attn.bias"), block + "to_out.0.bias");
  EXPECT_EQ(current_vae_name(block + "group_norm.bias"), block + "group_norm.bias");
  EXPECT_EQ(current_vae_name("text.key.weight"), "text.key.weight");
}

}  // namespace
}  // namespace ditscale::worker
