#include "sweeps/spec/model_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "sweeps/spec/data_sets.hpp"

namespace ditscale::sweeps {
namespace {

using testing::HasSubstr;

TEST(ModelSpec, TheTwelveNamesGiveThePapersSizes) {
  EXPECT_EQ(named_model_names().front(), "DiT-S/8");
  EXPECT_EQ(named_model_names().back(), "DiT-XL/2");
  const ModelSpec xl = named_model("DiT-XL/4").value();
  EXPECT_EQ(xl.depth, 28);
  EXPECT_EQ(xl.width, 1152);
  EXPECT_EQ(xl.heads, 16);
  EXPECT_EQ(xl.patch, 4);
  for (const std::string& name : named_model_names()) EXPECT_EQ(model_label(named_model(name).value()), name);
}

TEST(ModelSpec, OtherNamesAreUnknown) {
  for (const char* name : {"", "DiT-XL/3", "DiT-XL", "dit-xl/2", "DiT-H/2", "DiT-XL/2 "})
    EXPECT_FALSE(named_model(name)) << name;
}

TEST(ModelSpec, LabelsTellTransformersApart) {
  ModelSpec model = named_model("DiT-S/2").value();
  model.block = BlockDesign::kInContext;
  EXPECT_EQ(model_label(model), "DiT-S/2-in_context");
  model.block = BlockDesign::kAdaLnZero;
  model.mlp_ratio = 2.5;
  EXPECT_EQ(model_label(model), "DiT-S/2-m2.5");
  model.mlp_ratio = 4;
  model.patch = 7;
  EXPECT_EQ(model_label(model), "d12-w384-h6/7");
}

TEST(ModelSpec, BlockNamesReadBack) {
  EXPECT_EQ(choice_names<BlockDesign>().size(), 4U);
  for (const std::string& name : choice_names<BlockDesign>())
    EXPECT_EQ(to_name(choice_from<BlockDesign>(name).value()), name);
  EXPECT_FALSE(choice_from<BlockDesign>("adaln-zero"));
}

TEST(ModelSpec, SaysWhyAModelCannotBe) {
  const auto why = [](ModelSpec model) { return why_impossible({model, {28, 1, 10}, true}).value_or("possible"); };
  ModelSpec model;
  model.patch = 7;
  EXPECT_EQ(why(model), "possible");
  model.heads = 5;
  EXPECT_EQ(why(model), "width 384 is not a multiple of heads 5");
  model.heads = 2;
  model.width = 6;
  EXPECT_THAT(why(model), HasSubstr("width 6 is not a multiple of 4"));
  model.width = 8;
  model.patch = 5;
  EXPECT_THAT(why(model), HasSubstr("patch 5 does not divide the input size 28"));
  model.patch = 56;
  EXPECT_THAT(why(model), HasSubstr("patch 56 does not divide"));
  model.patch = 7;
  model.mlp_ratio = 0.01;
  EXPECT_THAT(why(model), HasSubstr("leaves no hidden channel"));
}

TEST(ModelSpec, SaysThatAModelTakesMoreThanAnyMachineMakes) {
  ModelSpec model;
  model.patch = 1;
  ModelShape shape{model, {8192, 4, 10}, true};  // 2 x 67e6^2 x 384 x 12 of attention alone
  EXPECT_THAT(why_impossible(shape).value_or("possible"), HasSubstr("67108864 tokens of an image at depth 12"));
  shape.model.patch = 4;
  EXPECT_EQ(why_impossible(shape), std::nullopt);
  shape.input.size = 65'536;
  EXPECT_THAT(why_impossible(shape).value_or("possible"), HasSubstr("more than any machine makes"));
}

TEST(DataSets, AreKnownByName) {
  EXPECT_EQ(data_set("fashion_mnist").num_images, 60'000);
  EXPECT_EQ(data_set("imagenet_latents").num_images, 1'281'167);
  EXPECT_THROW((void)data_set("mnist"), common::InternalError);
}

}  // namespace
}  // namespace ditscale::sweeps
