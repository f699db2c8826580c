#include "worker/training/gradient_reducer.hpp"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/model/dit.hpp"

namespace ditscale::worker {
namespace {

/// One of two ranks whose other has the same gradients, so that a sum is twice what is given: exact in float32. Sums
/// that were begun are made at the wait: whoever touched the values in between would be found out.
class Twin final : public Communicator {
 public:
  [[nodiscard]] std::int64_t rank() const override { return 0; }
  [[nodiscard]] std::int64_t size() const override { return 2; }
  void all_reduce_sum(torch::Tensor& values) override { values.mul_(2); }
  void start_all_reduce_sum(torch::Tensor values) override {
    begun.emplace_back(values.storage_offset(), values.storage_offset() + values.numel());
    pending_.emplace_back(values, values.clone());
  }
  void help_sums_on() override { ++helped; }
  void wait_for_sums() override {
    for (auto& [values, when_begun] : pending_) {
      EXPECT_TRUE(torch::equal(values, when_begun)) << "a gradient came after its sum had begun";
      values.mul_(2);
    }
    pending_.clear();
  }
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value) override { return value; }
  void abort_gang() override {}

  /// Parts of the buffer in the order of their sums.
  std::vector<std::pair<std::int64_t, std::int64_t>> begun;
  std::size_t helped = 0;

 private:
  std::vector<std::pair<torch::Tensor, torch::Tensor>> pending_;
};

/// A small model with random weights and its flat gradients.
class Reducing : public testing::Test {
 protected:
  static constexpr std::int64_t kBucket_bytes = 4096;

  Reducing() : model_(shape()), layout_(*model_), weights_(buffer()), gradients_(buffer()) {
    torch::manual_seed(3);
    weights_.normal_(0, 0.1);
    const auto random = weights_.clone();
    layout_.bind_weights(*model_, weights_);
    weights_.copy_(random);
    layout_.bind_gradients(*model_, gradients_);
  }

  static sweeps::ModelShape shape() {
    sweeps::TrialSpec trial;
    trial.model = {.depth = 3, .width = 32, .heads = 2, .patch = 7, .mlp_ratio = 2.0, .class_dropout = 0.1};
    return trial.shape();
  }
  [[nodiscard]] torch::Tensor buffer() const { return layout_.make_buffer(torch::kCPU); }
  void backward(std::uint64_t seed) {
    torch::manual_seed(seed);
    const auto x = torch::randn({4, 1, 28, 28});
    model_->forward(x, torch::randint(0, 1000, {4}), torch::randint(0, 10, {4}), {}).pow(2).sum().backward();
  }
  /// The sum of two micro-batches over both ranks, without buckets.
  torch::Tensor expected() {
    gradients_.zero_();
    backward(1);
    backward(2);
    return gradients_ * 2;
  }
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> order_of(const GradientReducer& reducer) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> order;
    for (const auto& bucket : reducer.buckets()) order.emplace_back(bucket.begin, bucket.end);
    return order;
  }

  DiT model_;
  FlatLayout layout_;
  torch::Tensor weights_, gradients_;
  Twin twin_;
};

TEST_F(Reducing, BucketsCoverTheBufferFromItsEnd) {
  const GradientReducer reducer(*model_, layout_, gradients_, twin_, kBucket_bytes);
  ASSERT_GT(reducer.buckets().size(), 10U);
  std::int64_t end = layout_.size();
  for (const auto& bucket : reducer.buckets()) {
    EXPECT_EQ(bucket.end, end);
    EXPECT_TRUE((bucket.end - bucket.begin) * 4 >= kBucket_bytes || bucket.begin == 0);
    end = bucket.begin;
  }
  EXPECT_EQ(end, 0);
}

TEST_F(Reducing, SumsInBucketsAreThoseOfTheWholeAndBeginDuringTheBackwardPass) {
  const torch::Tensor sums = expected();
  GradientReducer reducer(*model_, layout_, gradients_, twin_, kBucket_bytes);
  for (int step = 0; step < 2; ++step) {
    twin_.begun.clear();
    twin_.helped = 0;
    gradients_.zero_();
    backward(1);
    EXPECT_TRUE(twin_.begun.empty()) << "more of this micro-batch's gradients were to come";
    reducer.begin();
    backward(2);
    // The label and time embeddings of all blocks come last; everything behind them has begun.
    EXPECT_GT(twin_.begun.size(), reducer.buckets().size() / 2);
    EXPECT_EQ(twin_.helped, layout_.slots().size()) << "once for each gradient";
    reducer.finish();
    EXPECT_EQ(twin_.begun, order_of(reducer)) << "every rank must begin them in this order";
    EXPECT_TRUE(torch::equal(gradients_, sums));
  }
}

TEST_F(Reducing, AParameterWithoutGradientDelaysItsBucketButNotForEver) {
  for (const auto& item : model_->named_parameters()) {
    if (item.key().find("final_layer") == 0) item.value().set_requires_grad(false);
  }
  const torch::Tensor sums = expected();
  GradientReducer reducer(*model_, layout_, gradients_, twin_, kBucket_bytes);
  gradients_.zero_();
  backward(1);
  reducer.begin();
  backward(2);
  EXPECT_TRUE(twin_.begun.empty()) << "the order is fixed, and the first bucket is not complete";
  reducer.finish();
  EXPECT_EQ(twin_.begun, order_of(reducer));
  EXPECT_TRUE(torch::equal(gradients_, sums));
}

TEST_F(Reducing, LeavesTheModelAsItWas) {
  {
    GradientReducer reducer(*model_, layout_, gradients_, twin_, kBucket_bytes);
    reducer.begin();
  }
  backward(1);
  EXPECT_TRUE(twin_.begun.empty());
}

}  // namespace
}  // namespace ditscale::worker
