#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/commands/commands.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using testing::HasSubstr;

/// Runs the program's command line without the program.
class EvaluateCommand : public InScratchFolder {
 protected:
  EvaluateCommand() { at::set_num_threads(1); }

  int run(const std::string& arguments) {
    CLI::App app;
    Context context;
    context.environment.cache_folder = at("cache");
    add_commands(app, context);
    app.parse(arguments);
    return context.action();
  }
  [[nodiscard]] std::string file(const std::string& name) const { return at(name).string(); }
};

TEST_F(EvaluateCommand, OfImagesKnowsNoWeights) {
  write_npz(at("images.npz"), {{"arr_0", torch::zeros({2, 28, 28, 1}, torch::kByte)}});
  EXPECT_THAT(message_of<common::UsageError>([&] { (void)run("evaluate " + file("images.npz") + " --weights raw"); }),
              HasSubstr("--weights"));
}

// What they read is damaged, which is not noticed before the place.
TEST_F(EvaluateCommand, AndItsLikeLookFirstWhetherTheResultCanBeWritten) {
  put(at("images.npz"), "nonsense");
  const std::string images = file("images.npz"), out = file("nowhere/out");
  for (const std::string& command :
       {"evaluate " + images + " --out " + out, "features " + images + " " + out + " --features fashion_cnn",
        "reference " + images + " --out " + out + " --features fashion_cnn",
        "vae encode " + images + " " + out + " --vae " + images}) {
    EXPECT_THAT(message_of<ConfigError>([&] { (void)run(command); }), HasSubstr("there is no folder")) << command;
  }
}

}  // namespace
}  // namespace ditscale::worker
