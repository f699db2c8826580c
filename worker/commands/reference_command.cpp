#include <filesystem>
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/output_place.hpp"
#include "worker/commands/commands.hpp"
#include "worker/data/image_set.hpp"
#include "worker/data/prepare_progress.hpp"
#include "worker/evaluation/image_input.hpp"
#include "worker/evaluation/scores/make_reference.hpp"
#include "worker/evaluation/scores/reference_file.hpp"
#include "worker/training/device.hpp"

namespace ditscale::worker {

namespace {

constexpr char kFashionMnist[] = "fashion_mnist";

struct ReferenceOptions {
  std::string images, out, name;
  std::string features, features_file;
  std::string device = "auto";
  int threads = 0;
};

/// The images, and who reads them.
struct NamedImages {
  ReferenceImages images;
  std::unique_ptr<ImageInput> input;
};

NamedImages open_images(const ReferenceOptions& options) {
  NamedImages named;
  if (options.images == kFashionMnist && !std::filesystem::exists(options.images)) {
    const auto set = std::make_shared<ImageSet>(load_image_set(sweeps::DataSpec{}, Split::kTrain));
    named.images = {fmt::format("{} train", kFashionMnist), set->digest, set->num_images(),
                    [set](std::int64_t begin, std::int64_t end) { return set->piece(begin, end); }};
  } else {
    named.input = open_image_input(options.images, at::get_num_threads());
    named.images = {
        options.images, "", named.input->num_images(),
        [input = named.input.get()](std::int64_t begin, std::int64_t end) { return input->piece(begin, end); }};
  }
  if (!options.name.empty()) named.images.name = options.name;
  return named;
}

int run(const ReferenceOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  common::check_output_place(options.out);
  const NamedImages named = open_images(options);
  const auto network = make_feature_network(options.features, options.features_file, choose_device(options.device, 0));
  PrepareProgress progress(named.images.num_images, 0);
  std::int64_t counted = 0;
  const Reference reference =
      make_reference(*network, {network->spatial_width() > 0, true}, named.images, [&](std::int64_t done) {
        for (; counted < done; ++counted) progress.count(/*damaged=*/false);
      });
  write_reference(options.out, reference);
  fmt::print("{}: {} images of {} in {} features (digest {}), reference digest {}\n", options.out,
             named.images.num_images, named.images.name, network->name(), network->digest(), reference.digest());
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_reference_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ReferenceOptions>();
  CLI::App* command =
      app.add_subcommand("reference", "Make the statistics of real images that samples are compared with");
  command
      ->add_option("images", options->images,
                   "Folder of images, npz of images, IDX file, store of pixels; or fashion_mnist, its training images")
      ->required();
  command->add_option("--out", options->out, "HDF5 file to write")->required();
  command->add_option("--name", options->name, "What scores call these images; default: where they lie");
  command
      ->add_option("--features", options->features,
                   "fashion_cnn; inception; torchscript, whose file is a program that is run: use trusted ones only")
      ->check(CLI::IsMember({"fashion_cnn", "inception", "torchscript"}))
      ->required();
  command->add_option("--features-file", options->features_file, "File of the inception or torchscript network");
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->footer(
      "Example: worker reference imagenet/train256 --out imagenet256.h5 --name \"imagenet 256 train\" --features "
      "inception --features-file pt_inception-2015-12-05-6726825d.pth");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
