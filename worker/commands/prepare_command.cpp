#include <filesystem>
#include <memory>

#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/commands/commands.hpp"
#include "worker/data/part_processes.hpp"
#include "worker/data/prepare.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::Json;

namespace {

struct PrepareArguments {
  std::string source, out, labels, vae, embeddings;
  std::optional<std::int64_t> image_size;
  std::string space = "pixels", flips = "stored", moments = "float16", device = "auto";
  int processes = 2;
  bool strict = false, list = false, verify = false, json = false, fill_part = false;
};

void check_latent_options(const PrepareArguments& arguments) {
  const bool latents = arguments.space == "latents";
  if (latents && arguments.vae.empty()) throw common::UsageError("--space latents needs --vae FILE");
  if (!latents && !arguments.vae.empty()) throw common::UsageError("--vae goes with --space latents");
}

PrepareSettings settings_of(const PrepareArguments& arguments) {
  check_latent_options(arguments);
  PrepareSettings settings;
  settings.source = arguments.source;
  settings.out = arguments.out;
  settings.labels = arguments.labels;
  settings.image_size = arguments.image_size;
  settings.vae = arguments.vae;
  settings.store_flips = arguments.flips == "stored";
  settings.full_precision = arguments.moments == "float32";
  settings.device = arguments.device;
  if (arguments.embeddings.empty()) return settings;
  const std::size_t colon = arguments.embeddings.rfind(':');
  if (colon == std::string::npos || colon + 1 == arguments.embeddings.size())
    throw common::UsageError(
        fmt::format("--embeddings {}: a file and a dataset are needed: FILE.h5:DATASET", arguments.embeddings));
  settings.embeddings_file = arguments.embeddings.substr(0, colon);
  settings.embeddings_dataset = arguments.embeddings.substr(colon + 1);
  return settings;
}

/// This program with the settings that fill_part needs.
std::vector<std::string> part_command(const PrepareArguments& a) {
  std::vector<std::string> command{fs::read_symlink("/proc/self/exe").string(),
                                   "prepare",
                                   a.source,
                                   "--out",
                                   a.out,
                                   "--fill-part",
                                   "--space",
                                   a.space,
                                   "--device",
                                   a.device};
  if (!a.vae.empty()) command.insert(command.end(), {"--vae", a.vae});
  if (!a.embeddings.empty()) command.insert(command.end(), {"--embeddings", a.embeddings});
  return command;
}

int fill(const PrepareArguments& arguments) {
  at::set_num_threads(1);
  fill_part(settings_of(arguments), kPartEventFd);
  return common::to_int(common::ExitCode::kDone);
}

int print_list(const PrepareArguments& arguments) {
  const SourceList list = list_source(arguments.source, arguments.labels);
  if (list.names.empty()) throw common::UsageError(fmt::format("{}: --list is for folders", arguments.source));
  for (std::size_t i = 0; i < list.names.size(); ++i)
    fmt::print("{}\t{}\n", list.labels.empty() ? 0 : list.labels[i], list.names[i]);
  return common::to_int(common::ExitCode::kDone);
}

int verify(const PrepareArguments& arguments) {
  const Store store(arguments.source);
  store.verify();
  fmt::print("{}\n", Json{{"data", data_object(arguments.source, store.facts())}}.dump(2));
  return common::to_int(common::ExitCode::kDone);
}

void report(const PrepareArguments& arguments, const PrepareResult& result) {
  const double images_per_s = result.seconds > 0 ? static_cast<double>(result.num_decoded) / result.seconds : 0;
  if (result.was_there) {
    spdlog::info("{} is there already: nothing was done", arguments.out);
  } else {
    spdlog::info("{}: {} images, {} classes; {} decoded in {:.1f} s, {:.0f} images/s", arguments.out,
                 result.facts.num_images, result.facts.num_classes, result.num_decoded, result.seconds, images_per_s);
  }
  if (!result.damaged.empty())
    spdlog::warn("{} images are damaged and left out, listed in {}.damaged.txt; the first: {}", result.damaged.size(),
                 arguments.out, result.damaged.front());
  Json json{{"data", data_object(arguments.out, result.facts)}};
  if (arguments.json) {
    json["seconds"] = result.seconds;
    json["num_decoded"] = result.num_decoded;
    json["images_per_s"] = images_per_s;
    json["was_there"] = result.was_there;
    json["damaged"] = Json::array();
    for (const std::string& line : result.damaged) json["damaged"].push_back(common::valid_utf8(line));
  }
  fmt::print("{}\n", json.dump(2));
}

int run(const PrepareArguments& arguments) {
  if (arguments.verify) return verify(arguments);
  if (arguments.list) return print_list(arguments);
  if (arguments.out.empty()) throw common::UsageError("--out STORE.h5 is needed");
  if (arguments.fill_part) return fill(arguments);
  listen_for_stop();
  at::set_num_threads(1);
  PrepareOptions options;
  options.processes = arguments.processes;
  options.part_command = part_command(arguments);
  options.strict = arguments.strict;
  options.stop = stop_requested;
  const auto result = prepare_store(settings_of(arguments), options);
  if (!result) {
    spdlog::warn("stopped; the same command goes on from here");
    return common::to_int(common::ExitCode::kIncomplete);
  }
  report(arguments, *result);
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_prepare_command(CLI::App& app, Context& context) {
  auto a = std::make_shared<PrepareArguments>();
  CLI::App* command = app.add_subcommand(
      "prepare", "Turn images into a store to train from; killed or stopped, the same command goes on");
  command->add_option("source", a->source, "Folder of class folders, folder of images, IDX file, npz file")->required();
  command->add_option("--out", a->out, "The store to make (HDF5)");
  command->add_option("--image-size", a->image_size, "Side of the square that is cut out; default: that of arrays")
      ->check(CLI::Range(1, 16384));
  command->add_option("--space", a->space, "pixels or latents")
      ->check(CLI::IsMember({"pixels", "latents"}))
      ->capture_default_str();
  command->add_option("--vae", a->vae, "The VAE that makes latents (safetensors)");
  command
      ->add_option("--flips", a->flips,
                   "Latents of the mirror image: stored, or mirrored on-the-fly (an approximation)")
      ->check(CLI::IsMember({"stored", "on-the-fly"}))
      ->capture_default_str();
  command->add_option("--moments", a->moments, "float16 or float32 for mean and deviation of latents")
      ->check(CLI::IsMember({"float16", "float32"}))
      ->capture_default_str();
  command->add_option("--embeddings", a->embeddings, "FILE.h5:DATASET with a sequence (tokens, width) for each image");
  command->add_option("--labels", a->labels, "Labels of an IDX file; default: its neighbour");
  command->add_option("--processes", a->processes, "Processes that decode")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--device", a->device, "Where the VAE runs: auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_flag("--strict", a->strict, "Make no store when an image is damaged");
  command->add_flag("--list", a->list, "Print label and path of each image in their order, and do nothing");
  command->add_flag("--verify", a->verify, "SOURCE is a store: compare all of it with its hashes");
  command->add_flag("--json", a->json, "Print pace and damaged images as well");
  command->add_flag("--fill-part", a->fill_part, "")->group("");
  command->footer(
      "Prints the \"data\" object that a sweep file needs. Exit codes: 0 done, 1 failed, 2 usage, 4 stopped (run "
      "again).\n"
      "Example: worker prepare imagenet/train --out imagenet_256.h5 --image-size 256");
  command->callback([a, &context] { context.action = [a] { return run(*a); }; });
}

}  // namespace ditscale::worker
