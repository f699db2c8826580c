#include "worker/evaluation/inception/inception_layout.hpp"

namespace ditscale::worker {

namespace {

/// Collects the convolutions block by block.
class Layout {
 public:
  void stem() {
    valid("Conv2d_1a_3x3", 3, 32, 3, 2);
    valid("Conv2d_2a_3x3", 32, 32, 3, 1);
    same("Conv2d_2b_3x3", 32, 64, 3, 3);
    same("Conv2d_3b_1x1", 64, 80, 1, 1);
    valid("Conv2d_4a_3x3", 80, 192, 3, 1);
  }

  void block_a(const std::string& name, std::int64_t in, std::int64_t pool) {
    same(name + ".branch1x1", in, 64, 1, 1);
    same(name + ".branch5x5_1", in, 48, 1, 1);
    same(name + ".branch5x5_2", 48, 64, 5, 5);
    same(name + ".branch3x3dbl_1", in, 64, 1, 1);
    same(name + ".branch3x3dbl_2", 64, 96, 3, 3);
    same(name + ".branch3x3dbl_3", 96, 96, 3, 3);
    same(name + ".branch_pool", in, pool, 1, 1);
  }

  void block_b(const std::string& name, std::int64_t in) {
    valid(name + ".branch3x3", in, 384, 3, 2);
    same(name + ".branch3x3dbl_1", in, 64, 1, 1);
    same(name + ".branch3x3dbl_2", 64, 96, 3, 3);
    valid(name + ".branch3x3dbl_3", 96, 96, 3, 2);
  }

  void block_c(const std::string& name, std::int64_t in, std::int64_t inner) {
    same(name + ".branch1x1", in, 192, 1, 1);
    same(name + ".branch7x7_1", in, inner, 1, 1);
    same(name + ".branch7x7_2", inner, inner, 1, 7);
    same(name + ".branch7x7_3", inner, 192, 7, 1);
    same(name + ".branch7x7dbl_1", in, inner, 1, 1);
    same(name + ".branch7x7dbl_2", inner, inner, 7, 1);
    same(name + ".branch7x7dbl_3", inner, inner, 1, 7);
    same(name + ".branch7x7dbl_4", inner, inner, 7, 1);
    same(name + ".branch7x7dbl_5", inner, 192, 1, 7);
    same(name + ".branch_pool", in, 192, 1, 1);
  }

  void block_d(const std::string& name, std::int64_t in) {
    same(name + ".branch3x3_1", in, 192, 1, 1);
    valid(name + ".branch3x3_2", 192, 320, 3, 2);
    same(name + ".branch7x7x3_1", in, 192, 1, 1);
    same(name + ".branch7x7x3_2", 192, 192, 1, 7);
    same(name + ".branch7x7x3_3", 192, 192, 7, 1);
    valid(name + ".branch7x7x3_4", 192, 192, 3, 2);
  }

  void block_e(const std::string& name, std::int64_t in) {
    same(name + ".branch1x1", in, 320, 1, 1);
    same(name + ".branch3x3_1", in, 384, 1, 1);
    same(name + ".branch3x3_2a", 384, 384, 1, 3);
    same(name + ".branch3x3_2b", 384, 384, 3, 1);
    same(name + ".branch3x3dbl_1", in, 448, 1, 1);
    same(name + ".branch3x3dbl_2", 448, 384, 3, 3);
    same(name + ".branch3x3dbl_3a", 384, 384, 1, 3);
    same(name + ".branch3x3dbl_3b", 384, 384, 3, 1);
    same(name + ".branch_pool", in, 192, 1, 1);
  }

  [[nodiscard]] const std::vector<InceptionConvolution>& convolutions() const { return convolutions_; }

 private:
  void same(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t height, std::int64_t width) {
    convolutions_.push_back({name, in, out, height, width, 1, true});
  }
  void valid(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
    convolutions_.push_back({name, in, out, kernel, kernel, stride, false});
  }

  std::vector<InceptionConvolution> convolutions_;
};

}  // namespace

std::vector<InceptionConvolution> inception_convolutions() {
  Layout layout;
  layout.stem();
  layout.block_a("Mixed_5b", 192, 32);
  layout.block_a("Mixed_5c", 256, 64);
  layout.block_a("Mixed_5d", 288, 64);
  layout.block_b("Mixed_6a", 288);
  layout.block_c("Mixed_6b", 768, 128);
  layout.block_c("Mixed_6c", 768, 160);
  layout.block_c("Mixed_6d", 768, 160);
  layout.block_c("Mixed_6e", 768, 192);
  layout.block_d("Mixed_7a", 768);
  layout.block_e("Mixed_7b", 1280);
  layout.block_e("Mixed_7c", 2048);
  return layout.convolutions();
}

std::map<std::string, std::vector<std::int64_t>> inception_tensor_shapes() {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const InceptionConvolution& c : inception_convolutions()) {
    shapes[c.name + ".conv.weight"] = {c.out, c.in, c.kernel_height, c.kernel_width};
    for (const char* part : {".bn.weight", ".bn.bias", ".bn.running_mean", ".bn.running_var"})
      shapes[c.name + part] = {c.out};
  }
  shapes["fc.weight"] = {kInceptionClasses, kInceptionFeatures};
  shapes["fc.bias"] = {kInceptionClasses};
  return shapes;
}

}  // namespace ditscale::worker
