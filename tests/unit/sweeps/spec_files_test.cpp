#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::sweeps {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kSource = DITSCALE_SOURCE_DIR;

std::vector<fs::path> sweep_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> expected_lines(fs::path file) {
  std::ifstream in(file.replace_extension(".expected"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(InvalidSpecs, EachIsRefusedWithItsPlaceAndWhatIsAllowed) {
  const auto files = sweep_files(kSource / "tests/specs/invalid");
  EXPECT_GE(files.size(), 20U);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename());
    const auto expected = expected_lines(file);
    EXPECT_FALSE(expected.empty()) << "there is no .expected file beside it";
    try {
      (void)load_sweep(file);
      ADD_FAILURE() << "was accepted";
    } catch (const common::ConfigError& error) {
      EXPECT_THAT(error.what(), testing::StartsWith(file.string() + ":"));
      for (const std::string& part : expected) EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
}

TEST(ValidSpecs, EachExpandsToItsNumberOfCells) {
  const auto files = sweep_files(kSource / "tests/specs/valid");
  EXPECT_GE(files.size(), 10U);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename());
    const Sweep sweep = load_sweep(file);
    const std::vector<std::string> found{"cells " + std::to_string(sweep.cells.size()),
                                         "excluded " + std::to_string(sweep.excluded.size())};
    EXPECT_EQ(found, expected_lines(file));
  }
}

TEST(ShippedSweeps, EachExpands) {
  const auto files = sweep_files(kSource / "sweeps");
  EXPECT_GE(files.size(), 2U);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename());
    const Sweep sweep = load_sweep(file);
    EXPECT_EQ(sweep.name, file.stem().string());
    EXPECT_FALSE(sweep.description.empty());
  }
}

TEST(ShippedSweeps, ThePaperGridIsThePapersTwelveModels) {
  const Sweep sweep = load_sweep(kSource / "sweeps/dit_paper_grid.json");
  ASSERT_EQ(sweep.cells.size(), 12U);
  std::vector<std::string> labels;
  for (const Cell& cell : sweep.cells) {
    labels.push_back(model_label(cell.trial.model));
    EXPECT_EQ(cell.trial.data.image_size, 256);
    EXPECT_EQ(cell.trial.train.steps, 400'000);
    EXPECT_EQ(cell.trial.train.global_batch, 256);
    EXPECT_EQ(cell.trial.train.lr, 1e-4);
    EXPECT_EQ(cell.trial.train.ema_decay, 0.9999);
    EXPECT_FALSE(cell.trial.train.clip_norm);
  }
  EXPECT_THAT(labels, testing::UnorderedElementsAreArray(named_model_names()));
}

TEST(ShippedSweeps, TheBlockDesignsAreFourOfTheLargestModel) {
  const Sweep sweep = load_sweep(kSource / "sweeps/dit_block_designs.json");
  std::vector<std::string> labels;
  for (const Cell& cell : sweep.cells) labels.push_back(model_label(cell.trial.model));
  EXPECT_THAT(labels, testing::UnorderedElementsAre("DiT-XL/2", "DiT-XL/2-adaln", "DiT-XL/2-cross_attention",
                                                    "DiT-XL/2-in_context"));
}

/// A code block of a page marked json. Its first line says what becomes of it: "// 6 cells" or
/// "// refused: <part of the message>".
struct Example {
  std::string verdict;
  std::string text;
};

std::vector<Example> examples_of(const char* page) {
  std::ifstream in(kSource / page);
  std::vector<Example> examples;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```json") {
      inside = true;
      examples.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      Example& example = examples.back();
      if (example.text.empty()) example.verdict = line;
      example.text += line + "\n";
    }
  }
  return examples;
}

std::string verdict_on(const std::string& text) {
  try {
    const auto cells = expand_sweep(common::parse_json(text, "example.json")).cells.size();
    return "// " + std::to_string(cells) + (cells == 1 ? " cell" : " cells");
  } catch (const common::ConfigError& error) {
    return std::string("// refused: ") + error.what();
  }
}

TEST(SweepReference, EveryExampleDoesWhatItSays) {
  const auto examples = examples_of("docs/sweeps.md");
  EXPECT_GE(examples.size(), 5U);
  for (const Example& example : examples) EXPECT_EQ(verdict_on(example.text), example.verdict) << example.text;
}

TEST(Readme, ItsSweepDoesWhatItSays) {
  const auto examples = examples_of("README.md");
  ASSERT_EQ(examples.size(), 1U);
  EXPECT_EQ(verdict_on(examples[0].text), examples[0].verdict);
}

TEST(SweepReference, NamesEveryKeyOfATrial) {
  std::stringstream text;
  text << std::ifstream(kSource / "docs/sweeps.md").rdbuf();
  TrialSpec trial;
  trial.evaluate.emplace_back();
  const std::regex last_name("^.*/([a-z][a-z0-9_]*)(/[0-9]+)*$");
  const common::Json leaves = trial.to_json().flatten();
  for (const auto& [path, unused] : leaves.items())
    EXPECT_NE(text.str().find("`" + std::regex_replace(path, last_name, "$1") + "`"), std::string::npos) << path;
}

}  // namespace
}  // namespace ditscale::sweeps
