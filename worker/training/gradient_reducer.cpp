#include "worker/training/gradient_reducer.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

namespace ditscale::worker {

namespace {

constexpr std::int64_t kFloat_bytes = sizeof(float);

/// Runs `action` each time the parameter's gradient has been accumulated, on the thread of the backward pass.
struct OnGradient final : torch::autograd::PostAccumulateGradHook {
  explicit OnGradient(std::function<void()> a) : action(std::move(a)) {}
  void operator()(const torch::autograd::Variable&) override { action(); }
  std::function<void()> action;
};

void set_hook(const torch::Tensor& parameter, std::unique_ptr<OnGradient> hook) {
  torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::move(hook));
}

}  // namespace

std::int64_t GradientReducer::usual_bucket_bytes(const FlatLayout& layout) {
  constexpr std::int64_t kLeast_bytes = std::int64_t{256} << 10, kMost_bytes = std::int64_t{32} << 20;
  return std::clamp(layout.size() * kFloat_bytes / 16, kLeast_bytes, kMost_bytes);
}

GradientReducer::GradientReducer(torch::nn::Module& model, const FlatLayout& layout, const torch::Tensor& gradients,
                                 Communicator& communicator, std::int64_t bucket_bytes)
    : gradients_(gradients), communicator_(communicator) {
  const auto parameters = model.named_parameters();
  const auto& slots = layout.slots();
  std::int64_t end = layout.size();
  for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
    const bool full = buckets_.empty() || (buckets_.back().end - buckets_.back().begin) * kFloat_bytes >= bucket_bytes;
    if (full) {
      buckets_.push_back({end, end});
      sizes_.push_back(0);
    }
    end = buckets_.back().begin = slot->offset;
    ++sizes_.back();
    parameters_.push_back(parameters[slot->name]);
    const std::size_t bucket = buckets_.size() - 1;
    set_hook(parameters_.back(), std::make_unique<OnGradient>([this, bucket] { on_gradient(bucket); }));
  }
}

GradientReducer::~GradientReducer() {
  for (const torch::Tensor& parameter : parameters_) set_hook(parameter, nullptr);
}

void GradientReducer::begin() {
  missing_ = sizes_;
  next_ = 0;
  active_ = true;
}

void GradientReducer::on_gradient(std::size_t bucket) {
  if (!active_) return;  // a micro-batch before the last
  --missing_[bucket];
  while (next_ < buckets_.size() && missing_[next_] == 0) launch_next();
  communicator_.help_sums_on();
}

void GradientReducer::launch_next() {
  const Bucket& bucket = buckets_[next_++];
  communicator_.start_all_reduce_sum(gradients_.narrow(0, bucket.begin, bucket.end - bucket.begin));
}

void GradientReducer::finish() {
  while (next_ < buckets_.size()) launch_next();
  active_ = false;
  communicator_.wait_for_sums();
}

}  // namespace ditscale::worker
