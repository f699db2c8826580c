#include "worker/data/adm_crop.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "common/error.hpp"
#include "worker/kernels/resample_cpu.hpp"

namespace ditscale::worker {

namespace {

using kernels::Tap;

double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

/// Keys' cubic convolution with a = -1/2.
double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

struct Filter {
  double (*value)(double);
  double support;
};

Filter filter_of(ResizeFilter filter) { return filter == ResizeFilter::kBox ? Filter{box, 0.5} : Filter{bicubic, 2.0}; }

/// The taps of output positions first … first + count - 1 of one axis, and the weights they point to.
struct Axis {
  Axis(std::int64_t in_size, std::int64_t out_size, const Filter& filter, std::int64_t first, std::int64_t count);

  /// Input positions that any tap reads: from begin, before end.
  [[nodiscard]] std::int64_t begin() const { return taps.front().first; }
  [[nodiscard]] std::int64_t end() const { return taps.back().first + taps.back().count; }

  std::vector<std::int32_t> weights;
  std::vector<Tap> taps;
};

Axis::Axis(std::int64_t in_size, std::int64_t out_size, const Filter& filter, std::int64_t first, std::int64_t count) {
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  const double stretch = std::max(scale, 1.0);
  const double support = filter.support * stretch;
  const auto room = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  weights.resize(room * static_cast<std::size_t>(count));
  std::vector<double> exact(room);
  for (std::int64_t i = 0; i < count; ++i) {
    const double center = (static_cast<double>(first + i) + 0.5) * scale;
    const auto begin_at = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const auto end_at = std::min<std::int64_t>(static_cast<std::int64_t>(center + support + 0.5), in_size);
    const auto taps_here = static_cast<std::size_t>(end_at - begin_at);
    double sum = 0;
    for (std::size_t k = 0; k < taps_here; ++k) {
      exact[k] =
          filter.value((static_cast<double>(begin_at) + static_cast<double>(k) - center + 0.5) * (1.0 / stretch));
      sum += exact[k];
    }
    std::int32_t* out = weights.data() + room * static_cast<std::size_t>(i);
    for (std::size_t k = 0; k < taps_here; ++k) {
      const double weight = (sum != 0 ? exact[k] / sum : exact[k]) * (1 << kernels::kWeightBits);
      out[k] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps.push_back({begin_at, end_at - begin_at, out});
  }
}

Picture cut_out(const Picture& picture, const Window& window) {
  Picture result(window.width, window.height);
  for (std::int64_t y = 0; y < window.height; ++y)
    std::memcpy(result.row(y), picture.row(window.top + y) + window.left * kPixel_bytes,
                static_cast<std::size_t>(window.width * kPixel_bytes));
  return result;
}

/// Rows begin … end - 1, resampled along x.
Picture resize_rows(const Picture& picture, const Axis& axis, std::int64_t begin, std::int64_t end) {
  const auto width = static_cast<std::int64_t>(axis.taps.size());
  Picture result(width, end - begin);
  std::vector<std::int32_t> wide(static_cast<std::size_t>(picture.width * kPixel_bytes));
  for (std::int64_t y = begin; y < end; ++y)
    kernels::resample_row(picture.row(y), picture.width, axis.taps.data(), width, wide.data(), result.row(y - begin));
  return result;
}

/// Resampled along y; row 0 of `picture` is input row `begin`.
Picture resize_columns(const Picture& picture, const Axis& axis, std::int64_t begin) {
  const std::int64_t row_bytes = picture.width * kPixel_bytes;
  Picture result(picture.width, static_cast<std::int64_t>(axis.taps.size()));
  std::vector<std::int32_t> sums(static_cast<std::size_t>(row_bytes));
  for (std::int64_t y = 0; y < result.height; ++y) {
    Tap tap = axis.taps[static_cast<std::size_t>(y)];
    tap.first -= begin;
    kernels::resample_column(picture.bytes.get(), row_bytes, tap, row_bytes, sums.data(), result.row(y));
  }
  return result;
}

Window whole(std::int64_t width, std::int64_t height) { return {0, 0, width, height}; }

}  // namespace

Picture resize(const Picture& picture, std::int64_t width, std::int64_t height, ResizeFilter kind,
               const Window& window) {
  DITSCALE_CHECK(window.left >= 0 && window.top >= 0 && window.width > 0 && window.height > 0 &&
                     window.left + window.width <= width && window.top + window.height <= height,
                 "a window of {} x {} does not lie inside {} x {}", window.width, window.height, width, height);
  if (picture.width == width && picture.height == height) return cut_out(picture, window);
  const Filter filter = filter_of(kind);
  const Axis rows(picture.height, height, filter, window.top, window.height);
  // An axis that keeps its size is copied, as Pillow does.
  if (picture.width == width) {
    const Picture strip = cut_out(picture, {window.left, rows.begin(), window.width, rows.end() - rows.begin()});
    return resize_columns(strip, rows, rows.begin());
  }
  const Axis columns(picture.width, width, filter, window.left, window.width);
  if (picture.height == height) return resize_rows(picture, columns, window.top, window.top + window.height);
  return resize_columns(resize_rows(picture, columns, rows.begin(), rows.end()), rows, rows.begin());
}

Picture adm_crop(Picture picture, std::int64_t size) {
  DITSCALE_CHECK(size > 0, "a crop of {} pixels was asked for", size);
  while (std::min(picture.width, picture.height) >= 2 * size) {
    const std::int64_t width = picture.width / 2, height = picture.height / 2;
    picture = resize(picture, width, height, ResizeFilter::kBox, whole(width, height));
  }
  const double scale = static_cast<double>(size) / static_cast<double>(std::min(picture.width, picture.height));
  // Half to even, as Python rounds.
  const auto scaled = [&](std::int64_t side) { return std::llrint(static_cast<double>(side) * scale); };
  const std::int64_t width = scaled(picture.width), height = scaled(picture.height);
  return resize(picture, width, height, ResizeFilter::kBicubic, {(width - size) / 2, (height - size) / 2, size, size});
}

}  // namespace ditscale::worker
