#include "worker/kernels/operations.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "worker/kernels/adamw_ema.hpp"

namespace ditscale::worker {
namespace {

using torch::Tensor;
using Inputs = std::vector<Tensor>;

/// Value and gradients of `operation` at copies of `inputs`, weighted so that no gradient cancels.
template <typename Operation>
std::vector<Tensor> value_and_gradients(const Inputs& inputs, at::ScalarType type, Operation operation) {
  Inputs leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.to(type).clone().requires_grad_());
  const Tensor out = operation(leaves);
  (out * torch::linspace(-1, 2, out.numel(), torch::dtype(type)).view(out.sizes())).sum().backward();
  std::vector<Tensor> results{out.detach().to(torch::kFloat64)};
  for (const Tensor& leaf : leaves) results.push_back(leaf.grad().to(torch::kFloat64));
  return results;
}

/// Holds the fused float32 kernel against plain operations in float64.
template <typename Fused, typename Plain>
void expect_agreement(const Inputs& inputs, Fused fused, Plain plain) {
  const auto seen = value_and_gradients(inputs, torch::kFloat32, fused);
  const auto expected = value_and_gradients(inputs, torch::kFloat64, plain);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_LT(((seen[i] - expected[i]).norm() / expected[i].norm()).template item<double>(), 2e-6) << "output " << i;
  }
}

class FusedKernel : public testing::TestWithParam<std::int64_t> {
 protected:
  FusedKernel() { torch::manual_seed(8); }
  const std::int64_t width = GetParam();
  const Tensor x = torch::randn({3, 5, width}) * 3 + 1;
  const Tensor branch = torch::randn({3, 5, width});
  const Tensor a = torch::randn({3, width});
  const Tensor b = torch::randn({3, width});
};

TEST_P(FusedKernel, ModulatedNormAgreesWithFloat64) {
  expect_agreement(
      {x, a, b}, [](const Inputs& in) { return modulated_norm(in[0], in[1], in[2]); },
      [](const Inputs& in) { return reference::modulated_norm(in[0], in[1], in[2]); });
}

TEST_P(FusedKernel, GatedResidualAgreesWithFloat64) {
  expect_agreement(
      {x, a, branch}, [](const Inputs& in) { return gated_residual(in[0], in[1], in[2]); },
      [](const Inputs& in) { return reference::gated_residual(in[0], in[1], in[2]); });
}

TEST_P(FusedKernel, GeluAgreesWithFloat64) {
  expect_agreement(
      {x}, [](const Inputs& in) { return tanh_gelu(in[0]); },
      [](const Inputs& in) { return reference::tanh_gelu(in[0]); });
}

// Widths that fill vectors and widths that do not.
INSTANTIATE_TEST_SUITE_P(Widths, FusedKernel, testing::Values(4, 32, 100, 384));

TEST(Gelu, IsRightFarFromZero) {
  const Tensor x = torch::tensor({-1e4F, -100.0F, -20.0F, -6.0F, 0.0F, 6.0F, 20.0F, 100.0F, 1e4F}).requires_grad_();
  const Tensor out = tanh_gelu(x);
  EXPECT_TRUE(torch::allclose(out, torch::gelu(x, "tanh"), 1e-5, 1e-7));
  out.sum().backward();
  EXPECT_TRUE(torch::isfinite(x.grad()).all().item<bool>());
  EXPECT_NEAR(x.grad()[8].item<float>(), 1.0F, 1e-6F);
  EXPECT_NEAR(x.grad()[0].item<float>(), 0.0F, 1e-6F);
}

TEST(Gelu, OfNotANumberIsNotANumber) {
  const Tensor x = torch::tensor({std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(torch::isnan(tanh_gelu(x)).item<bool>());
}

/// Nanoseconds on a processor, of each thread of this process.
std::map<std::string, std::int64_t> thread_times_ns() {
  std::map<std::string, std::int64_t> times;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream(thread.path() / "schedstat") >> times[thread.path().filename().string()];
  }
  return times;
}

template <typename Operation>
int num_threads_of(Operation operation) {
  constexpr std::int64_t kWork_ns = 500'000;
  // Threads spin for a while after their work, and their times are brought up to date when they sleep.
  const auto let_them_sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(200)); };
  let_them_sleep();
  auto before = thread_times_ns();
  operation();
  let_them_sleep();
  int count = 0;
  for (const auto& [thread, time_ns] : thread_times_ns()) count += time_ns - before[thread] > kWork_ns ? 1 : 0;
  return count;
}

TEST(ProcessorKernels, RunOnAllThreadsOfLibTorch) {
  const int usual = at::get_num_threads();
  at::set_num_threads(2);
  const Tensor x = torch::randn({64, 256, 512}), a = torch::randn({64, 512});
  EXPECT_EQ(num_threads_of([&] { (void)modulated_norm(x, a, a); }), 2);
  EXPECT_EQ(num_threads_of([&] { (void)gated_residual(x, a, x); }), 2);
  EXPECT_EQ(num_threads_of([&] { (void)tanh_gelu(x); }), 2);
  const Tensor weights = x.flatten().clone(), moment = torch::ones_like(weights);
  AdamWStep step;
  step.step = 1;
  EXPECT_EQ(num_threads_of([&] { adamw_ema(weights, x.flatten(), moment, moment, moment, step); }), 2);
  at::set_num_threads(usual);
}

}  // namespace
}  // namespace ditscale::worker
