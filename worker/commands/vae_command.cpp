#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "common/output_place.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/gaussian_stats.hpp"
#include "worker/sampling/sampler.hpp"
#include "worker/storage/npz_file.hpp"
#include "worker/training/device.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {

namespace {

/// Of a file of pictures for scoring (facts of the ADM suite): uint8 (N, H, W, C).
constexpr const char* kSampleArray = "arr_0";

struct VaeOptions {
  std::string in, out;
  std::string vae;
  bool scaled = false;
  bool bytes = false;
  bool json = false;
  std::string device = "auto";
  int threads = 0;
};

using Arrays = std::vector<std::pair<std::string, torch::Tensor>>;
using Work = std::function<Arrays(const VaeOptions&, const Vae&, const torch::Tensor&)>;

torch::Tensor read_array(const NpzFile& file, const std::string& path, const std::string& name) {
  if (file.has(name)) return file.read(name);
  throw common::ConfigError(
      fmt::format("{}: there is no array {}; it has: {}", path, name, fmt::join(file.names(), ", ")));
}

/// Pictures (N, C, H, W) about [-1, 1]: `images` as they are, or the bytes of a sample file.
torch::Tensor read_images(const VaeOptions& options) {
  const NpzFile file = NpzFile::open(options.in);
  if (file.has("images") || !file.has(kSampleArray)) return read_array(file, options.in, "images");
  const torch::Tensor bytes = file.read(kSampleArray);
  if (bytes.scalar_type() != torch::kByte || bytes.dim() != 4) {
    throw common::ConfigError(fmt::format("{}: {} must be bytes (N, height, width, channels), is {} of ({})",
                                          options.in, kSampleArray, at::toString(bytes.scalar_type()),
                                          fmt::join(bytes.sizes(), ", ")));
  }
  return bytes.permute({0, 3, 1, 2}).to(torch::kFloat32) / 127.5 - 1;
}

Arrays encode_images(const VaeOptions& options, const Vae& vae, const torch::Tensor& images) {
  const torch::Tensor moments = vae.encode_moments(images).cpu();
  const double scale = options.scaled ? vae.scaling_factor() : 1;
  return {{"mean", moments.narrow(1, 0, vae.latent_channels()) * scale},
          {"logvar", moments.narrow(1, vae.latent_channels(), vae.latent_channels()) + 2 * std::log(scale)}};
}

Arrays decode_latents(const VaeOptions& options, const Vae& vae, const torch::Tensor& latents) {
  const torch::Tensor images = vae.decode(options.scaled ? latents / vae.scaling_factor() : latents).cpu();
  if (!options.bytes) return {{"images", images}};
  const torch::Tensor finite = images.isfinite().flatten(1).all(1);
  if (!finite.all().item<bool>())  // bytes could not say so
    throw NotFinite(fmt::format("{}: the picture of latent {} has values that are not finite", options.in,
                                finite.to(torch::kByte).argmin().item<std::int64_t>()));
  return {{kSampleArray, to_bytes(images).permute({0, 2, 3, 1}).contiguous()}};
}

int run(const VaeOptions& options, const std::function<torch::Tensor()>& read, const Work& work) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  common::check_output_place(options.out);
  const torch::Tensor input = read();
  const Vae vae = Vae::load(options.vae, choose_device(options.device, 0));
  const auto start = std::chrono::steady_clock::now();
  const Arrays arrays = work(options, vae, input);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_npz(options.out, arrays);
  const std::int64_t count = input.size(0);
  if (options.json) {
    const common::Json report{
        {"images", count}, {"seconds", seconds}, {"digest", vae.digest()}, {"scaling_factor", vae.scaling_factor()}};
    fmt::print("{}\n", report.dump());
  } else {
    fmt::print("{} images in {:.2f} s ({:.2f} images/s) by {} (digest {}) in {}\n", count, seconds,
               static_cast<double>(count) / seconds, options.vae, vae.digest(), options.out);
  }
  return common::to_int(common::ExitCode::kDone);
}

CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& help, VaeOptions& options) {
  CLI::App* verb = parent.add_subcommand(name, help);
  verb->add_option("in", options.in, "npz to read")->required();
  verb->add_option("out", options.out, "npz to write")->required();
  verb->add_option("--vae", options.vae, "Weights: an AutoencoderKL in safetensors, or diffusers' folder of one")
      ->required();
  verb->add_flag("--scaled", options.scaled, "Latents as a diffusion model sees them: times the VAE's scaling factor");
  verb->add_option("--device", options.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  verb->add_option("--threads", options.threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  verb->add_flag("--json", options.json, "Report as JSON; seconds are without loading and writing");
  return verb;
}

}  // namespace

void add_vae_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<VaeOptions>();
  CLI::App* command = app.add_subcommand("vae", "Encode pictures to latents, or decode latents to pictures");
  command->require_subcommand(1);
  command->footer("Example: worker vae encode pictures.npz latents.npz --vae sd-vae-ft-mse.safetensors");
  add_verb(*command, "encode",
           "images (N, 3, H, W) about [-1, 1], or arr_0 as bytes (N, H, W, 3), to mean and logvar (N, L, h, w)",
           *options)
      ->callback([options, &context] {
        context.action = [options] {
          return run(
              *options, [&] { return read_images(*options); }, encode_images);
        };
      });
  CLI::App* decoder =
      add_verb(*command, "decode", "latents (N, L, h, w) to images (N, 3, H, W) about [-1, 1]", *options);
  decoder->add_flag("--bytes", options->bytes, "Write a sample file instead: arr_0 as bytes (N, H, W, 3), truncated");
  decoder->callback([options, &context] {
    context.action = [options] {
      const auto read = [&] { return read_array(NpzFile::open(options->in), options->in, "latents"); };
      return run(*options, read, decode_latents);
    };
  });
}

}  // namespace ditscale::worker
