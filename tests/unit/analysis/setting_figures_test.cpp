#include "analysis/figures/setting_figures.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/queries/sample_pictures.hpp"
#include "common/trial_paths.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

using common::Json;
using ::testing::ElementsAre;

class SettingFigures : public ::testing::Test {
 protected:
  SettingFigures() {
    study_.database = folder_ / "results.db";
    StudyTrial& trial = study_.trials.emplace_back();
    trial.row.trial.id = common::TrialId("0123456789abcdef");
    trial.row.trial.forward_macs = 1'000'000'000;
    trial.planned_steps = 300;
  }
  void scored(const std::string& id, Json settings, std::optional<double> sampling_macs = std::nullopt) {
    study_.settings.push_back({id, std::move(settings)});
    results::EvaluationRow row;
    row.trial = study_.trials[0].id();
    row.step = 300;
    row.settings_id = id;
    row.metric = "fid";
    row.value = 20;
    row.sampling_macs = sampling_macs;
    row.num_samples = 1000;
    study_.evaluations.push_back(row);
    study_.index();
  }
  /// x of the figure by sampling compute, in 1e9 multiply-accumulates.
  std::vector<double> passes() const {
    const Figure figure = score_by_sampling_compute({study_, "fid", "FID", study_.settings[0]});
    std::vector<double> xs;
    for (const FigurePoint& point : figure.series.at(0).points) xs.push_back(std::round(point.x * 1e6) / 1e3);
    return xs;
  }
  void picture(const std::string& name) const {
    const auto samples = common::StudyPaths{folder_.path()}.trial(study_.trials[0].id()).samples();
    std::filesystem::create_directories(samples);
    std::ofstream(samples / name) << "a picture";
  }
  std::vector<std::string> pictures(std::size_t settings) const {
    std::vector<std::string> names;
    for (const SamplePicture& one : SamplePictures(study_).newest(study_.settings[settings], 8)) {
      names.push_back(one.file.filename().string());
    }
    return names;
  }

  test::TemporaryFolder folder_;
  Study study_;
};

TEST_F(SettingFigures, HeunsMethodTakesTwoPassesAStepButOneAtTheLast) {
  scored("a", {{"sampler", "heun"}, {"steps", 18}, {"guidance", 1.0}});
  scored("b", {{"sampler", "heun"}, {"steps", 32}, {"guidance", 1.0}});
  EXPECT_THAT(passes(), ElementsAre(35, 63));
}

TEST_F(SettingFigures, GuidanceDoublesThePassesOfItsInterval) {
  const Json interval{0.25, 0.5};
  scored("a", {{"sampler", "ddim"}, {"steps", 40}, {"guidance", 1.5}, {"guidance_interval", interval}});
  scored("b", {{"sampler", "ddim"}, {"steps", 80}, {"guidance", 1.5}, {"guidance_interval", interval}});
  EXPECT_THAT(passes(), ElementsAre(50, 100));
}

TEST_F(SettingFigures, WhatTheWorkerCountedWins) {
  scored("a", {{"sampler", "ddim"}, {"steps", 40}}, 7e12);
  scored("b", {{"sampler", "ddim"}, {"steps", 80}}, 9e12);
  EXPECT_THAT(passes(), ElementsAre(7, 9));
}

TEST_F(SettingFigures, PicturesAreThoseOfTheSettingsAskedFor) {
  scored("aa", {{"guidance", 1.0}, {"num_samples", 1000}});
  scored("bb", {{"guidance", 4.0}, {"num_samples", 1000}});
  scored("cc", {{"guidance", 4.0}, {"num_samples", 2000}});
  for (const char* name : {"step-300-aa.png", "step-200-bb.png", "step-100-cc.png", "step-900-dd.png"}) picture(name);
  EXPECT_THAT(pictures(0), ElementsAre("step-300-aa.png"));
  EXPECT_THAT(pictures(1), ElementsAre("step-200-bb.png"));
  EXPECT_THAT(pictures(2), ElementsAre("step-200-bb.png"));
  EXPECT_EQ(SamplePictures(study_).settings().size(), 2U);
}

TEST_F(SettingFigures, APictureWithoutSettingsIsOfThoseItsTrialWasScoredUnder) {
  scored("aa", {{"guidance", 1.0}});
  study_.settings.push_back({"bb", {{"guidance", 4.0}}});
  picture("step-300.png");
  EXPECT_THAT(pictures(0), ElementsAre("step-300.png"));
  EXPECT_THAT(pictures(1), ElementsAre());
}

}  // namespace
}  // namespace ditscale::analysis
