#include "sweeps/spec/device_rates.hpp"

#include <algorithm>
#include <array>

namespace ditscale::sweeps {

namespace {

/// Peaks as in the vendor's data sheet.
struct GpuPeaks {
  std::string_view name;
  double bf16_tflops;
  double fp32_tflops;
  double terabytes_per_s;
};

/// The first whose name occurs counts, so longer names stand before what they contain. bf16 as fp32: no tensor cores
/// for it.
constexpr std::array<GpuPeaks, 16> kGpus{{
    {"B200", 2250, 75, 8.0},
    {"H200", 989, 67, 4.8},
    {"H100 PCIe", 756, 51, 2.0},
    {"H100 NVL", 835, 60, 3.9},
    {"H100", 989, 67, 3.35},
    {"A100-SXM4-80GB", 312, 19.5, 2.039},
    {"A100 80GB", 312, 19.5, 1.935},
    {"A100", 312, 19.5, 1.555},
    {"L40S", 362, 91.6, 0.864},
    {"A40", 149.7, 37.4, 0.696},
    {"A10", 125, 31.2, 0.6},
    {"L4", 121, 30.3, 0.3},
    {"RTX 4090", 165, 82.6, 1.008},
    {"RTX 3090", 71, 35.6, 0.936},
    {"V100", 15.7, 15.7, 0.9},
    {"T4", 8.1, 8.1, 0.32},
}};

/// "A100" in "NVIDIA A100-PCIE-40GB" but "A10" not there: the name ends where letters and digits do.
bool names(std::string_view text, std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

const GpuPeaks* find_gpu(std::string_view name) {
  const auto* const found =
      std::find_if(kGpus.begin(), kGpus.end(), [name](const GpuPeaks& gpu) { return names(name, gpu.name); });
  return found == kGpus.end() ? nullptr : found;
}

constexpr double kLaunch_s = 5e-6;
/// NVLink reaches more, Ethernet less.
constexpr double kGpuLinkBytesPerSecond = 2e10;
constexpr double kCpuLinkBytesPerSecond = 2e9;

}  // namespace

bool is_known_gpu(std::string_view name) { return find_gpu(name) != nullptr; }

DeviceRates gpu_rates(std::string_view name) {
  constexpr double kArithmeticShare = 0.4;
  constexpr double kBandwidthShare = 0.7;
  constexpr double kMacsPerTeraflop = 0.5e12;
  const GpuPeaks* gpu = find_gpu(name);
  if (gpu == nullptr) return {1e14, 1e14, 1e12, kGpuLinkBytesPerSecond, kLaunch_s};
  return {kArithmeticShare * kMacsPerTeraflop * gpu->fp32_tflops,
          kArithmeticShare * kMacsPerTeraflop * gpu->bf16_tflops, kBandwidthShare * 1e12 * gpu->terabytes_per_s,
          kGpuLinkBytesPerSecond, kLaunch_s};
}

DeviceRates cpu_rates(double cores) {
  constexpr double kMacsPerCoreSecond = 2e10;
  constexpr double kBytesPerCoreSecond = 8e9;
  return {kMacsPerCoreSecond * cores, kMacsPerCoreSecond * cores, kBytesPerCoreSecond * cores, kCpuLinkBytesPerSecond,
          kLaunch_s};
}

}  // namespace ditscale::sweeps
