#include <gmock/gmock.h>

#include "common/error.hpp"
#include "slurm/batch_script.hpp"
#include "slurm/directives.hpp"
#include "slurm/quoting.hpp"
#include "tests/unit/slurm/fake_commands.hpp"

namespace ditscale::slurm {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

JobRequest usual_request() {
  JobRequest request;
  request.name = "ditscale-demo";
  request.num_nodes = 16;
  request.gpus_per_node = 8;
  request.limit_s = 86400;
  request.folder = "/home/me/studies";
  request.log_folder = "/home/me/studies/runs/demo/slurm";
  request.command = {"/opt/bin/orchestrator", "run", "sweep.json", "--allocation"};
  return request;
}

TEST(BatchScript, AsksForWholeNodesAndASignalBeforeTheEnd) {
  const std::string script = render_batch_script(usual_request());
  EXPECT_EQ(script.rfind("#!/bin/bash\n#SBATCH ", 0), 0U);
  EXPECT_THAT(script, AllOf(HasSubstr("\n#SBATCH --nodes=16\n"), HasSubstr("\n#SBATCH --gpus-per-node=8\n"),
                            HasSubstr("\n#SBATCH --time=1-00:00:00\n"), HasSubstr("\n#SBATCH --signal=B:USR2@120\n"),
                            HasSubstr("\n#SBATCH --exclusive\n"), HasSubstr("\n#SBATCH --requeue\n"),
                            HasSubstr("--output=/home/me/studies/runs/demo/slurm/job-%j.log\n"),
                            HasSubstr("\nexec /opt/bin/orchestrator run sweep.json --allocation\n"),
                            HasSubstr("${SLURM_CPUS_PER_TASK:-}"), Not(HasSubstr("{command}"))));
}

TEST(BatchScript, StartsAGuardOnTheLastNode) {
  JobRequest request = usual_request();
  EXPECT_THAT(render_batch_script(request), Not(HasSubstr("srun --")));
  request.guard = {"/opt/my bin/orchestrator", "guard"};
  EXPECT_THAT(render_batch_script(request),
              AllOf(HasSubstr("\n(srun --overlap --nodes=1 "), HasSubstr("--relative=$((SLURM_JOB_NUM_NODES - 1)) "),
                    HasSubstr(" '/opt/my bin/orchestrator' guard &)\nexec /opt/bin/orchestrator ")));
}

TEST(BatchScript, AsksForAShareOfANodeWhenCoresAreNamed) {
  JobRequest request = usual_request();
  request.cpus_per_node = 4;
  request.gpus_per_node.reset();
  const std::string script = render_batch_script(request);
  EXPECT_THAT(script, AllOf(HasSubstr("--cpus-per-task=4"), Not(HasSubstr("--exclusive")), Not(HasSubstr("gpus"))));
}

TEST(BatchScript, PutsTheUsersOptionsLast) {
  JobRequest request = usual_request();
  request.sbatch_arguments = {"--partition=gpu", "--mail-user=some one"};
  const std::string script = render_batch_script(request);
  EXPECT_THAT(script, HasSubstr("#SBATCH --partition=gpu\n#SBATCH '--mail-user=some one'\n#"));
  EXPECT_LT(script.find("--output"), script.find("--partition"));
}

TEST(BatchScript, RefusesWhatCannotStandInADirective) {
  JobRequest request = usual_request();
  request.sbatch_arguments = {"--comment=a\nreboot"};
  EXPECT_THROW((void)render_batch_script(request), common::UsageError);
  EXPECT_THROW((void)output_pattern("/a\\b"), common::UsageError);
  EXPECT_EQ(output_pattern("/50%/x"), "/50%%/x");
}

/// What Slurm 22.05.8 made of the same lines.
TEST(BatchScript, ItsOptionsAreReadBackAsSlurmReadsThem) {
  JobRequest request = usual_request();
  request.sbatch_arguments = {"-p", "gpu", "--mail-user=some one", "--comment=it's"};
  EXPECT_THAT(directives_of(render_batch_script(request)),
              AllOf(Contains("--time=1-00:00:00"), Contains("gpu"), Contains("--mail-user=some one"),
                    Contains("--comment=it's"), Not(Contains("--allocation"))));
  EXPECT_THAT(directives_of("#!/bin/bash\n\n#SBATCH --time=7 # longer\n  # --mem=1\n#SBATCH\t--comment=x#z --hold\n"
                            "#SBATCH --comment=\"a\\\"b\" '--wckey=a b'c\necho\n#SBATCH --nodes=2\n"),
              ElementsAre("--time=7", "--comment=x", "--comment=a\"b", "--wckey=a bc"));
}

TEST(BatchScript, WritesTimesAsSlurmTakesThem) {
  EXPECT_EQ(slurm_time(90), "00:01:30");
  EXPECT_EQ(slurm_time(0.2), "00:00:01");
  EXPECT_EQ(slurm_time(93784), "1-02:03:04");
}

/// bash itself says what it makes of the words.
class BatchScriptInBash : public FakeCommands {};

TEST_F(BatchScriptInBash, NothingInANameIsReadAsACommand) {
  const std::string evil = "a'b\"c $(touch hacked) `touch hacked` ; touch hacked\n&& touch hacked {folder} ${HOME} \\";
  const auto home = folder_ / "it's $(touch hacked) {command}";
  std::filesystem::create_directories(home);
  JobRequest request = usual_request();
  request.folder = home;
  request.source = folder_ / "modules here.sh";
  common::write_file_atomically(*request.source, "export LOADED='yes it is'\n");
  common::write_file_atomically(folder_ / "show", "#!/bin/bash\npwd\necho \"$LOADED\"\nprintf '%s|' \"$@\"\n");
  std::filesystem::permissions(folder_ / "show", std::filesystem::perms::owner_all);
  request.command = {(folder_ / "show").string(), evil, ""};
  const auto script = folder_ / "script.sh";
  common::write_file_atomically(script, render_batch_script(request));
  const CommandResult result = run_command({"bash", script.string()}, 10);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, home.string() + "\nyes it is\n" + evil + "||");
  EXPECT_FALSE(std::filesystem::exists(home / "hacked"));
  EXPECT_FALSE(std::filesystem::exists("hacked"));
}

TEST(ShellWord, IsReadBackAsWhatItWasMadeOf) {
  for (const std::string text :
       {"/plain/path", "", "two words", "it's", "'", "a\\b", "$x `y` \"z\"", "line\nbreak", "é %j"})
    EXPECT_EQ(text_of_shell_word(shell_word(text) + " --next 'x'\n"), text);
}

}  // namespace
}  // namespace ditscale::slurm
