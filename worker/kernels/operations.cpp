#include "worker/kernels/operations.hpp"

#include <atomic>

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include "worker/kernels/row_kernels_cpu.hpp"

namespace ditscale::worker {

namespace {

std::atomic<bool> fused_on{true};

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

bool fusable(const Tensor& x) {
  return fused_on && x.device().is_cpu() && x.scalar_type() == torch::kFloat32 &&
         !at::autocast::is_autocast_enabled(at::kCPU);
}

/// Runs `body(image)` for each of the N images on LibTorch's threads.
template <typename Body>
void for_each_image(std::int64_t n, Body body) {
  at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t image = begin; image < end; ++image) body(image);
  });
}

struct ModulatedNorm : torch::autograd::Function<ModulatedNorm> {
  static Tensor forward(AutogradContext* context, const Tensor& x_in, const Tensor& shift_in, const Tensor& scale_in) {
    const Tensor x = x_in.contiguous(), shift = shift_in.contiguous(), scale = scale_in.contiguous();
    const auto n = x.size(0), tokens = x.size(1), width = x.size(2);
    Tensor out = torch::empty_like(x);
    Tensor mean = torch::empty({n, tokens}, x.options()), rstd = torch::empty({n, tokens}, x.options());
    const float* x_p = x.const_data_ptr<float>();
    const float* shift_p = shift.const_data_ptr<float>();
    const float* scale_p = scale.const_data_ptr<float>();
    float *out_p = out.data_ptr<float>(), *mean_p = mean.data_ptr<float>(), *rstd_p = rstd.data_ptr<float>();
    for_each_image(n, [&](std::int64_t i) {
      const std::int64_t at = i * tokens * width;
      kernels::modulated_norm_forward(x_p + at, shift_p + i * width, scale_p + i * width,
                                      static_cast<float>(kNormEpsilon), tokens, width, out_p + at, mean_p + i * tokens,
                                      rstd_p + i * tokens);
    });
    context->save_for_backward({x, scale, mean, rstd});
    return out;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& grads) {
    const auto saved = context->get_saved_variables();
    const Tensor dout = grads[0].contiguous();
    const auto n = dout.size(0), tokens = dout.size(1), width = dout.size(2);
    Tensor dx = torch::empty_like(dout);
    Tensor dshift = torch::empty({n, width}, dout.options()), dscale = torch::empty({n, width}, dout.options());
    const float* dout_p = dout.const_data_ptr<float>();
    const float* x_p = saved[0].const_data_ptr<float>();
    const float* scale_p = saved[1].const_data_ptr<float>();
    const float* mean_p = saved[2].const_data_ptr<float>();
    const float* rstd_p = saved[3].const_data_ptr<float>();
    float *dx_p = dx.data_ptr<float>(), *dshift_p = dshift.data_ptr<float>(), *dscale_p = dscale.data_ptr<float>();
    for_each_image(n, [&](std::int64_t i) {
      const std::int64_t at = i * tokens * width;
      kernels::modulated_norm_backward(dout_p + at, x_p + at, scale_p + i * width, mean_p + i * tokens,
                                       rstd_p + i * tokens, tokens, width, dx_p + at, dshift_p + i * width,
                                       dscale_p + i * width);
    });
    return {dx, dshift, dscale};
  }
};

struct GatedResidual : torch::autograd::Function<GatedResidual> {
  static Tensor forward(AutogradContext* context, const Tensor& x_in, const Tensor& gate_in, const Tensor& branch_in) {
    const Tensor x = x_in.contiguous(), gate = gate_in.contiguous(), branch = branch_in.contiguous();
    const auto n = x.size(0), tokens = x.size(1), width = x.size(2);
    Tensor out = torch::empty_like(x);
    const float* x_p = x.const_data_ptr<float>();
    const float* gate_p = gate.const_data_ptr<float>();
    const float* branch_p = branch.const_data_ptr<float>();
    float* out_p = out.data_ptr<float>();
    for_each_image(n, [&](std::int64_t i) {
      const std::int64_t at = i * tokens * width;
      kernels::gated_residual_forward(x_p + at, gate_p + i * width, branch_p + at, tokens, width, out_p + at);
    });
    context->save_for_backward({gate, branch});
    return out;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& grads) {
    const auto saved = context->get_saved_variables();
    const Tensor dout = grads[0].contiguous();
    const auto n = dout.size(0), tokens = dout.size(1), width = dout.size(2);
    Tensor dbranch = torch::empty_like(dout), dgate = torch::empty({n, width}, dout.options());
    const float* dout_p = dout.const_data_ptr<float>();
    const float* gate_p = saved[0].const_data_ptr<float>();
    const float* branch_p = saved[1].const_data_ptr<float>();
    float *dbranch_p = dbranch.data_ptr<float>(), *dgate_p = dgate.data_ptr<float>();
    for_each_image(n, [&](std::int64_t i) {
      const std::int64_t at = i * tokens * width;
      kernels::gated_residual_backward(dout_p + at, gate_p + i * width, branch_p + at, tokens, width, dbranch_p + at,
                                       dgate_p + i * width);
    });
    return {dout, dgate, dbranch};
  }
};

/// Runs `body(begin, end)` over pieces of a contiguous tensor's elements.
template <typename Body>
void for_each_piece(std::int64_t count, Body body) {
  constexpr std::int64_t kPiece = std::int64_t{1} << 14;
  at::parallel_for(0, count, kPiece, body);
}

struct Gelu : torch::autograd::Function<Gelu> {
  static Tensor forward(AutogradContext* context, const Tensor& x_in) {
    const Tensor x = x_in.contiguous();
    Tensor out = torch::empty_like(x);
    const float* x_p = x.const_data_ptr<float>();
    float* out_p = out.data_ptr<float>();
    for_each_piece(x.numel(), [&](std::int64_t begin, std::int64_t end) {
      kernels::gelu_forward(x_p + begin, end - begin, out_p + begin);
    });
    context->save_for_backward({x});
    return out;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& grads) {
    const Tensor x = context->get_saved_variables()[0];
    const Tensor dout = grads[0].contiguous();
    Tensor dx = torch::empty_like(dout);
    const float* dout_p = dout.const_data_ptr<float>();
    const float* x_p = x.const_data_ptr<float>();
    float* dx_p = dx.data_ptr<float>();
    for_each_piece(x.numel(), [&](std::int64_t begin, std::int64_t end) {
      kernels::gelu_backward(dout_p + begin, x_p + begin, end - begin, dx_p + begin);
    });
    return {dx};
  }
};

}  // namespace

void use_fused_kernels(bool on) { fused_on = on; }

Tensor modulated_norm(const Tensor& x, const Tensor& shift, const Tensor& scale) {
  return fusable(x) ? ModulatedNorm::apply(x, shift, scale) : reference::modulated_norm(x, shift, scale);
}

Tensor modulated_rms_norm(const Tensor& x, const Tensor& shift, const Tensor& scale) {
  const Tensor normalised = at::rms_norm(x, {x.size(-1)}, {}, kNormEpsilon);
  return normalised * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1);
}

Tensor gated_residual(const Tensor& x, const Tensor& gate, const Tensor& branch) {
  return fusable(x) ? GatedResidual::apply(x, gate, branch) : reference::gated_residual(x, gate, branch);
}

Tensor tanh_gelu(const Tensor& x) { return fusable(x) ? Gelu::apply(x) : reference::tanh_gelu(x); }

Tensor self_attention(const Tensor& qkv, std::int64_t heads) { return reference::self_attention(qkv, heads); }

}  // namespace ditscale::worker
