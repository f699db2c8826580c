#include <memory>
#include <thread>

#include <fmt/format.h>

#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "worker/commands/commands.hpp"
#include "worker/training/device.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

Json describe_device(torch::Device device) {
  return {{"device", device.str()},
          {"name", device_name(device)},
          {"auto_precision", to_name(choose_precision("auto", device))}};
}

int run(bool json) {
  Json devices = Json::array();
  devices.push_back(describe_device(torch::kCPU));
  devices.back()["processors"] = std::thread::hardware_concurrency();
  for (int i = 0; i < static_cast<int>(torch::cuda::device_count()); ++i) {
    devices.push_back(describe_device({torch::kCUDA, static_cast<c10::DeviceIndex>(i)}));
  }
  if (json) {
    fmt::print("{}\n", devices.dump(2));
  } else {
    for (const Json& d : devices) {
      fmt::print("{:8} {}  (precision auto: {})\n", d.at("device").get<std::string>(), d.at("name").get<std::string>(),
                 d.at("auto_precision").get<std::string>());
    }
    // `orchestrator doctor` looks for these words.
    if (!built_with_cuda()) fmt::print("no GPU can be used: built without CUDA\n");
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_devices_command(CLI::App& app, Context& context) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("devices", "The devices this program can train on");
  command->add_flag("--json", *json, "As JSON");
  command->footer("Example: worker devices");
  command->callback([json, &context] { context.action = [json] { return run(*json); }; });
}

}  // namespace ditscale::worker
