#include <fstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/atomic_file.hpp"
#include "common/file_lock.hpp"
#include "common/json_document.hpp"
#include "tests/support/analysis_cli.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

using common::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Import : public ::testing::Test {
 protected:
  int analysis(const std::vector<std::string>& arguments) {
    test::Answer answer = test::run_analysis(arguments);
    out_ = std::move(answer.out);
    err_ = std::move(answer.err);
    return answer.code;
  }
  int import_file(const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"import", file, "--db", database_, "--settings", "features=inception"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return analysis(arguments);
  }
  std::string csv(const std::string& text) {
    std::ofstream(folder_ / "runs.csv") << text;
    return (folder_ / "runs.csv").string();
  }
  Json json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--db", database_, "--json"});
    EXPECT_EQ(analysis(std::move(arguments)), 0) << err_;
    return Json::parse(out_);
  }

  test::TemporaryFolder folder_;
  std::string database_ = (folder_ / "imported.db").string();
  std::string out_, err_;
};

TEST_F(Import, AFileWithoutAKnownColumnIsRefused) {
  EXPECT_EQ(import_file(csv("x,y\n1,2\n")), 1);
  EXPECT_THAT(err_, HasSubstr("none of its columns is known (x, y)"));
  EXPECT_FALSE(std::filesystem::exists(database_));
}

TEST_F(Import, ThePapersTableGivesThePapersCorrelation) {
  ASSERT_EQ(
      import_file(DITSCALE_SOURCE_DIR "/tests/golden/paper_tables.json",
                  {"--table", "scaling_400k", "--set", "data.name=imagenet_latents", "--set", "data.image_size=256"}),
      0)
      << err_;
  const Json fit = json({"fit", "--resamples", "0"});
  // The paper, section 5: "a strong negative correlation", -0.93.
  EXPECT_NEAR(fit["correlations"][0]["pearson"].get<double>(), -0.93, 0.005);
  EXPECT_EQ(fit["points"].size(), 12U);
  const Json trials = json({"trials"});
  EXPECT_EQ(trials[11]["model"], "DiT-XL/2");
  EXPECT_EQ(trials[11]["parameters"], 675'000'000);
}

TEST_F(Import, LabelsSayWhatTellsRunsApart) {
  ASSERT_EQ(import_file(csv("depth,width,heads,patch,steps,fid\n4,64,4,7,100,30\n4,128,4,7,100,20\n")), 0) << err_;
  const Json trials = json({"trials"});
  EXPECT_EQ(trials[0]["label"], "model.width=64");
  EXPECT_EQ(trials[1]["label"], "model.width=128");
}

TEST_F(Import, RowsOfOneConfigurationAreOneTrialWithSeveralSettings) {
  ASSERT_EQ(import_file(csv("model,guidance,fid\nXL/2,1.0,9.62\nXL/2,1.5,2.27\n")), 0) << err_;
  EXPECT_EQ(json({"trials"}).size(), 1U);
  EXPECT_EQ(json({"query", "--from", "evaluations"}).size(), 2U);
}

TEST_F(Import, UnknownColumnsAreKeptAndCanBeAskedFor) {
  ASSERT_EQ(import_file(csv("model,fid,cluster\nS/2,68.4,north\nB/2,43.47,south\n")), 0) << err_;
  const Json rows = json({"query", "--where", "imported.cluster = 'south'"});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["fid"], 43.47);
  EXPECT_EQ(import_file(csv("model,fid,imported.cluster\nL/2,23,north\n")), 0) << err_;
  EXPECT_EQ(json({"query", "--where", "imported.cluster = 'north'"}).size(), 2U);
}

TEST_F(Import, WrongRowsAreNamedWithTheirLine) {
  EXPECT_EQ(import_file(csv("model,fid\nS/2,68.4\nM/2,50\n")), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("runs.csv:3"), HasSubstr("\"M/2\" is not a published size")));
  EXPECT_EQ(import_file(csv("model,fid\nS/2,68.4\nS/2,70\n")), 1);
  EXPECT_THAT(err_, HasSubstr("a column that tells them apart"));
  EXPECT_EQ(import_file(csv("model,fid\nS/2,good\n")), 1);
  EXPECT_THAT(err_, HasSubstr("\"good\" is not a number"));
  EXPECT_EQ(analysis({"import", csv("model,fid\nS/2,68.4\n"), "--db", database_}), 1);
  EXPECT_THAT(err_, HasSubstr("give --settings features=inception"));
  EXPECT_FALSE(std::filesystem::exists(database_));
  EXPECT_EQ(import_file(DITSCALE_SOURCE_DIR "/tests/golden/paper_tables.json"), 1);
  EXPECT_THAT(err_, HasSubstr("choose one with --table"));
}

TEST_F(Import, AnotherLossOfTheSameConfigurationAndStepIsRefused) {
  EXPECT_EQ(import_file(csv("model,loss\nS/2,0.5\nS/2,0.4\n")), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("runs.csv:3"), HasSubstr("another loss"), HasSubstr("tells them apart")));
  ASSERT_EQ(import_file(csv("model,guidance,loss,fid\nS/2,1,0.5,70\nS/2,2,0.5,50\n")), 0) << err_;
  EXPECT_EQ(json({"query", "--sql", "SELECT loss FROM v_metrics"}).size(), 1U);
}

TEST_F(Import, RunsThatAnUnknownColumnTellsApartAreNotMadeOne) {
  EXPECT_EQ(import_file(csv("model,optimizer,step,fid\nS/2,adam,500,50\nS/2,sgd,1000,40\n")), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("runs.csv:3"), HasSubstr("optimizer is \"sgd\", and \"adam\" in a row before"),
                          HasSubstr("tells them apart")));
  EXPECT_EQ(import_file(csv("model,gflops,step,fid\nS/2,6,500,50\nS/2,7,1000,40\n")), 1);
  EXPECT_THAT(err_, HasSubstr("another number of forward MACs"));
  EXPECT_FALSE(std::filesystem::exists(database_));
  // A cell that says nothing contradicts nothing.
  ASSERT_EQ(import_file(csv("model,gflops,cluster,step,fid\nS/2,6,,500,50\nS/2,,north,1000,40\n")), 0) << err_;
  EXPECT_EQ(json({"query", "--where", "imported.cluster = 'north' and gflops = 6"}).size(), 1U);
}

TEST_F(Import, AStatedSizeWinsOverArithmeticWhicheverRowStatesIt) {
  ASSERT_EQ(import_file(csv("model,steps,global_batch,gflops,parameters,step,fid\nS/2,10,1,,,5,50\n"
                            "S/2,10,1,7,3000,10,40\n")),
            0)
      << err_;
  const Json row = json({"query", "--columns", "forward_macs,parameters,training_flops"})[0];
  EXPECT_EQ(row["forward_macs"], 7'000'000'000);
  EXPECT_EQ(row["parameters"], 3000);
  EXPECT_DOUBLE_EQ(row["training_flops"].get<double>(), 6 * 7e9 * 10);
}

TEST_F(Import, NumbersThatChangeFromStepToStepAreNoConfiguration) {
  ASSERT_EQ(import_file(csv("model,cluster,grad_norm,step,fid\nS/2,north,0.5,500,50\nS/2,north,0.4,1000,40\n"
                            "B/2,north,0.3,1000,30\n")),
            0)
      << err_;
  EXPECT_THAT(err_, HasSubstr("not kept, for they change from step to step of a run: grad_norm"));
  const Json rows = json({"query", "--columns", "label,imported.cluster"});
  EXPECT_EQ(rows[0]["label"], "model=S/2");
  EXPECT_EQ(rows[1]["label"], "model=B/2");
  EXPECT_EQ(rows[1]["imported.cluster"], "north");
  // At one step it tells two runs apart.
  std::filesystem::remove(database_);
  EXPECT_EQ(import_file(csv("model,decay,step,loss\nS/2,0.1,500,5\nS/2,0.2,500,5\n")), 1);
  EXPECT_THAT(err_, HasSubstr("decay is 0.2, and 0.1 in a row before"));
}

TEST_F(Import, AScoreCalledLikeAColumnOfTrialsIsTold) {
  ASSERT_EQ(import_file(csv("model,fid,seconds\nS/2,68.4,12\n"), {"--scores", "seconds"}), 0) << err_;
  EXPECT_EQ(json({"trials"})[0]["seconds (score)"], 12);
}

TEST_F(Import, SuggestPutsNoDepthBesideAPublishedName) {
  ASSERT_EQ(import_file(csv("model,lr,fid\nS/4,1e-4,101\nB/4,1e-4,68\nB/4,2e-4,69\nL/4,1e-4,45.6\n")), 0) << err_;
  const Json sweep = json({"suggest", "--count", "50"})["sweep"];
  EXPECT_GT(sweep["include"].size(), 5U);
  for (const Json& cell : sweep["include"]) {
    EXPECT_NE(cell.contains("model"), cell.contains("model.depth")) << cell;
    EXPECT_EQ(cell["train.lr"], 1e-4) << "lr moves no x: that of the best is held";
  }
}

TEST_F(Import, SizesThatCannotBeAreRefused) {
  const auto refusal = [&](const std::string& column, const std::string& value) {
    EXPECT_EQ(import_file(csv("model,steps,fid," + column + "\nS/2,1000,68," + value + "\n")), 1) << value;
    return err_;
  };
  for (const char* value : {"0", "-5", "1e30"}) {
    for (const char* column : {"gflops", "forward_macs", "parameters", "parameters_millions"}) {
      EXPECT_THAT(refusal(column, value), AllOf(HasSubstr("runs.csv:2"), HasSubstr(column), HasSubstr("positive")));
    }
  }
  for (const char* column : {"step", "seconds", "loss"}) {
    EXPECT_THAT(refusal(column, "-1"), AllOf(HasSubstr(column), HasSubstr("at least 0")));
  }
  EXPECT_THAT(refusal("step", "1001"), HasSubstr("step 1001 of a run of 1000 steps"));
  EXPECT_FALSE(std::filesystem::exists(database_));
  EXPECT_EQ(import_file(csv("model,steps,fid,step\nS/2,1000,400,0\nS/2,1000,68,1000\n")), 0) << err_;
}

TEST_F(Import, AScoreAtStepZeroIsLeftOutOfLogarithmicFigures) {
  ASSERT_EQ(import_file(csv("model,steps,step,fid\nS/2,1000,0,400\nS/2,1000,1000,68\n")), 0) << err_;
  ASSERT_EQ(analysis({"curves", "--db", database_, "--out", (folder_ / "figures").string()}), 0) << err_;
  EXPECT_EQ(common::read_json(folder_ / "figures/fid_by_training_flops.json").value["num_points"], 1);
  ASSERT_EQ(analysis({"report", "--db", database_, "--out", (folder_ / "report.html").string()}), 0) << err_;
  EXPECT_THAT(common::read_file(folder_ / "report.html"), HasSubstr("no place on a logarithmic axis: 1."));
}

TEST_F(Import, ATrialThatIsThereAlreadyIsRefused) {
  const std::string file = csv("model,fid\nS/2,68.4\n");
  ASSERT_EQ(import_file(file), 0) << err_;
  EXPECT_EQ(import_file(file), 1);
  EXPECT_THAT(err_, HasSubstr("import into a new file, then merge"));
}

TEST_F(Import, IntoAStudyThatRunsIsRefused) {
  const auto held = common::FileLock::try_acquire(folder_ / "coordinator.lock");
  EXPECT_EQ(import_file(csv("model,fid\nS/2,68.4\n")), 1);
  EXPECT_THAT(err_, HasSubstr("works on this study now"));
  EXPECT_FALSE(std::filesystem::exists(database_));
}

TEST_F(Import, ExportsAreTheViewsWhole) {
  ASSERT_EQ(import_file(csv("model,fid,loss\nS/2,68.4,0.2\n")), 0) << err_;
  ASSERT_EQ(analysis({"export", "--db", database_, "--out", (folder_ / "out").string()}), 0) << err_;
  EXPECT_THAT(common::read_file(folder_ / "out/evaluations.csv"), HasSubstr(",fid,68.4,"));
  EXPECT_THAT(common::read_file(folder_ / "out/metrics.csv"), HasSubstr(",400000,102400000,0.2,"));
  EXPECT_EQ(common::read_json(folder_ / "out/export.json").value["rows"]["trials.csv"], 1);
  EXPECT_EQ(analysis({"check", "--db", database_}), 0);
  EXPECT_THAT(out_, HasSubstr("nothing wrong was found"));
}

}  // namespace
}  // namespace ditscale::analysis
