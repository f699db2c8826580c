#include "tests/integration/trainer/real_study.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "common/atomic_file.hpp"

namespace ditscale::tests {

namespace fs = std::filesystem;
using common::Json;

namespace {

/// Numbers of an IDX header are big-endian.
void put_u32(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
}

void write_idx(const fs::path& folder, const std::string& set, std::uint32_t count) {
  std::string images, labels;
  put_u32(images, 0x00000803);
  for (const std::uint32_t size : {count, 28U, 28U}) put_u32(images, size);
  put_u32(labels, 0x00000801);
  put_u32(labels, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t p = 0; p < 28 * 28; ++p) images.push_back(static_cast<char>((i * 7 + p * (1 + i % 10)) % 256));
    labels.push_back(static_cast<char>(i % 10));
  }
  common::write_file_atomically(folder / (set + "-images-idx3-ubyte"), images);
  common::write_file_atomically(folder / (set + "-labels-idx1-ubyte"), labels);
}

}  // namespace

void RealStudy::SetUp() {
  StudyFixture::SetUp();
  base_ = {{"data", {{"name", "fashion_mnist"}, {"root", write_small_data().string()}}},
           {"model", {{"depth", 2}, {"width", 16}, {"heads", 2}, {"patch", 7}}},
           {"train",
            {{"global_batch", 16},
             {"steps", 40},
             {"lr", 1e-3},
             {"ema_decay", 0.9},
             {"precision", "fp32"},
             {"log_every_steps", 2}}},
           {"checkpoint", {{"every_steps", 5}}},
           {"evaluate", {{{"every_steps", 20}, {"num_samples", 40}, {"sampler", "ddim"}, {"steps", 4}}}}};
}

fs::path RealStudy::write_small_data() {
  const fs::path folder = folder_ / "data";
  common::make_folder(folder);
  write_idx(folder, "train", 500);
  write_idx(folder, "t10k", 20);
  return folder;
}

void RealStudy::write_real_sweep(const Json& grid) {
  sweep_ = folder_ / "sweep.json";
  common::write_file_atomically(sweep_, Json{{"name", "study"}, {"base", base_}, {"grid", grid}}.dump(2));
}

fs::path RealStudy::write_trial() {
  const fs::path file = folder_ / "trial.json";
  common::write_file_atomically(file, base_.dump(2));
  return file;
}

Ended RealStudy::call_worker(const std::vector<std::string>& arguments, int ranks) {
  return start_worker(arguments, ranks)->wait();
}

std::unique_ptr<Command> RealStudy::start_worker(const std::vector<std::string>& arguments, int ranks) {
  std::vector<std::string> argv{DITSCALE_TRAINER};
  if (ranks > 1) {
    const std::string mpirun = DITSCALE_MPIRUN;
    argv = {mpirun, "--oversubscribe", "--bind-to", "none", "-n", std::to_string(ranks), DITSCALE_TRAINER};
  }
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::map<std::string, std::string> environment{
      {"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}, {"XDG_CACHE_HOME", cache().string()}};
  return std::make_unique<Command>(argv, environment, folder_);
}

bool RealStudy::comes(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool RealStudy::has_checkpoint(const fs::path& trial_folder, int step) {
  return fs::exists(trial_folder / "checkpoints" / ("step-" + std::to_string(step) + ".manifest.json"));
}

std::vector<Json> RealStudy::events_of(const fs::path& trial_folder, const std::string& kind) {
  std::vector<fs::path> files;
  for (const auto& attempt : fs::directory_iterator(trial_folder / "attempts"))
    files.push_back(attempt.path() / "events.jsonl");
  std::sort(files.begin(), files.end());
  std::vector<Json> bodies;
  for (const fs::path& file : files) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
      const Json event = Json::parse(line, nullptr, false);
      if (event.is_object() && event.value("kind", "") == kind) bodies.push_back(event.at("body"));
    }
  }
  return bodies;
}

}  // namespace ditscale::tests
