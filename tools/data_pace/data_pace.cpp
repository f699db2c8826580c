// Times the two ends of the data path by themselves, so that `worker prepare` and training can be held against them:
//   data_pace decode FOLDER --threads 2     decodes every image and throws it away
//   data_pace load STORE --batch 256        makes batches, as training would see them
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "worker/data/image_source.hpp"
#include "worker/training/batch_loader.hpp"

namespace {

using namespace ditscale;
using namespace ditscale::worker;

struct Options {
  std::string path;
  int threads = 2;
  std::int64_t batch = 256;
  std::int64_t batches = 100;
  bool in_memory = false;
};

void report(const std::string& what, std::int64_t images, double seconds) {
  fmt::print("{}: {} images in {:.2f} s, {:.0f} images/s\n", what, images, seconds,
             static_cast<double>(images) / seconds);
}

void decode(const Options& options) {
  const SourceList list = list_source(options.path);
  const auto source = open_source(options.path, list.kind, list.names);
  std::atomic<std::int64_t> next{0}, damaged{0};
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  std::vector<std::thread> threads;
  for (int t = 0; t < options.threads; ++t) {
    threads.emplace_back([&] {
      for (std::int64_t i = next++; i < list.num_images; i = next++) {
        try {
          (void)source->picture(i);
        } catch (const common::CorruptData&) {
          ++damaged;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  report(fmt::format("plain decoding, {} threads, {} damaged", options.threads, damaged.load()), list.num_images,
         clock.monotonic_s() - start_s);
}

/// What training would be told of the store.
sweeps::TrialSpec trial_of(const StoreFacts& facts, const Options& options) {
  sweeps::TrialSpec trial;
  trial.data.name = "store";
  trial.data.root = options.path;
  trial.data.image_size = facts.image_size;
  trial.data.space = facts.latents ? sweeps::DataSpace::kLatents : sweeps::DataSpace::kPixels;
  trial.data.channels = facts.channels;
  trial.data.num_classes = facts.num_classes;
  trial.data.num_images = facts.num_images;
  trial.data.digest = facts.digest;
  trial.data.context_tokens = facts.context_tokens;
  trial.data.context_width = facts.context_width;
  return trial;
}

void load(const Options& options) {
  at::set_num_threads(1);
  const sweeps::TrialSpec trial = trial_of(Store(options.path).facts(), options);
  const ImageSet images =
      load_image_set(trial.data, Split::kTrain, options.in_memory ? std::size_t{1} << 40 : std::size_t{0});
  const BatchSource source(images, trial);
  BatchLoader loader(source, {0, options.batch, options.batch, options.batch}, torch::kCPU,
                     static_cast<std::size_t>(options.threads));
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  for (std::int64_t i = 0; i < options.batches; ++i) (void)loader.batch(i * options.batch);
  report(fmt::format("loading from {}, {} threads, batch {}", images.store ? "the disk" : "memory", options.threads,
                     options.batch),
         options.batches * options.batch, clock.monotonic_s() - start_s);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Pace of decoding and of loading"};
  app.require_subcommand(1);
  Options options;
  CLI::App* decoding = app.add_subcommand("decode", "Decode every image of a folder");
  decoding->add_option("folder", options.path)->required();
  CLI::App* loading = app.add_subcommand("load", "Make batches from a store");
  loading->add_option("store", options.path)->required();
  loading->add_option("--batch", options.batch)->check(CLI::Range(1, 1 << 20));
  loading->add_option("--batches", options.batches)->check(CLI::Range(1, 1 << 20));
  loading->add_flag("--in-memory", options.in_memory, "Hold the store in memory, whatever its size");
  for (CLI::App* command : {decoding, loading})
    command->add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  try {
    if (decoding->parsed()) decode(options);
    if (loading->parsed()) load(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "data_pace: " << error.what() << '\n';
    return 1;
  }
}
