#pragma once

#include <ATen/Context.h>

namespace ditscale::worker {

/// In its scope cuDNN's convolutions keep float32, whose inputs they otherwise round to TF32: 1e-3 of the result.
class ExactConvolutions {
 public:
  ExactConvolutions() : before_(at::globalContext().float32Precision(kBackend, kOperation)) {
    at::globalContext().setFloat32Precision(kBackend, kOperation, at::Float32Precision::IEEE);
  }
  ~ExactConvolutions() { at::globalContext().setFloat32Precision(kBackend, kOperation, before_); }
  ExactConvolutions(const ExactConvolutions&) = delete;
  ExactConvolutions& operator=(const ExactConvolutions&) = delete;

 private:
  static constexpr auto kBackend = at::Float32Backend::CUDA;
  static constexpr auto kOperation = at::Float32Op::CONV;
  at::Float32Precision before_;
};

}  // namespace ditscale::worker
