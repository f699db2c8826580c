#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "worker/distributed/communicator.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Sums the gradients of all ranks while the backward pass still makes the rest of them: the flat buffer is cut into
/// buckets, and the sum of one begins when the last gradient in it is there (Li et al., "PyTorch Distributed:
/// Experiences on Accelerating Data Parallel Training", VLDB 2020, sections 3.2.2 and 3.2.3). Backward reaches the last
/// layers first, so buckets begin at the buffer's end. They are launched in that one order on every rank, whatever
/// order gradients come in: a bucket waits for those before it.
class GradientReducer {
 public:
  /// A contiguous part of the flat buffer, in elements.
  struct Bucket {
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };

  /// A sixteenth of the buffer, so that little is left to be summed when the backward pass has ended; at least what a
  /// message is worth, at most what fills a network.
  [[nodiscard]] static std::int64_t usual_bucket_bytes(const FlatLayout& layout);

  /// `gradients` is bound to the model's parameters in this layout (FlatLayout::bind_gradients). The parameters'
  /// hooks are this object's until its end; communicator and buffer must outlive it.
  GradientReducer(torch::nn::Module& model, const FlatLayout& layout, const torch::Tensor& gradients,
                  Communicator& communicator, std::int64_t bucket_bytes);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// Each parameter's next gradient is its last of this step: call before the backward pass of the last micro-batch.
  /// No other collective call may be made until finish().
  void begin();
  /// Begins what is still to begin, parameters without a gradient included, and returns when all is summed; on a GPU,
  /// when the current stream waits for it. *Collective: all ranks.*
  void finish();

  /// In the order in which they are summed.
  [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; }

 private:
  void on_gradient(std::size_t bucket);
  void launch_next();

  std::vector<torch::Tensor> parameters_;
  torch::Tensor gradients_;
  Communicator& communicator_;
  std::vector<Bucket> buckets_;
  /// Parameters of each bucket, and those of them whose gradient is still to come.
  std::vector<std::int64_t> sizes_, missing_;
  /// First bucket that has not begun.
  std::size_t next_ = 0;
  bool active_ = false;
};

}  // namespace ditscale::worker
