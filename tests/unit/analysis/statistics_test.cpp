#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/statistics/correlation.hpp"
#include "analysis/statistics/summary.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::ElementsAre;

// Expected numbers of this file were computed with scipy 1.x (pearsonr, spearmanr, rankdata) and numpy (quantile).
const std::vector<double> kX{1, 2, 2, 3, 5, 8, 13};
const std::vector<double> kY{9, 7, 8, 8, 4, 1, -3};

TEST(Statistics, RanksShareTheirMeanOnTies) { EXPECT_THAT(ranks(kY), ElementsAre(7, 4, 5.5, 5.5, 3, 2, 1)); }

TEST(Statistics, CorrelationsAgreeWithScipy) {
  EXPECT_NEAR(pearson(kX, kY).value(), -0.9856725403802397, 1e-14);
  EXPECT_NEAR(spearman(kX, kY).value(), -0.9181818181818182, 1e-14);
}

TEST(Statistics, FisherIntervalAgreesWithScipy) {
  const auto interval = fisher_interval(*pearson(kX, kY), kX.size()).value();
  EXPECT_NEAR(interval.low, -0.997969285697972, 1e-12);
  EXPECT_NEAR(interval.high, -0.9025462982374918, 1e-12);
}

TEST(Statistics, TooFewOrConstantValuesHaveNoCorrelation) {
  EXPECT_FALSE(pearson(std::vector<double>{1, 2}, std::vector<double>{1, 2}).has_value());
  EXPECT_FALSE(pearson(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3}).has_value());
  // 0.1 six times: the mean is not 0.1 but the next number below it.
  EXPECT_FALSE(pearson(std::vector<double>(6, 0.1), std::vector<double>{3, 1, 4, 1, 5, 9}).has_value());
  EXPECT_FALSE(pearson(std::vector<double>{3, 1, 4, 1, 5, 9}, std::vector<double>(6, 0.1)).has_value());
  EXPECT_FALSE(fisher_interval(0.5, 3).has_value());
  EXPECT_FALSE(fisher_interval(1.0, 10).has_value());
}

TEST(Statistics, QuantilesInterpolateAsNumpyDoes) {
  const std::vector<double> values{3, 1, 4, 1, 5, 9, 2, 6};
  EXPECT_DOUBLE_EQ(quantile(values, 0.025).value(), 1.0);
  EXPECT_DOUBLE_EQ(median(values).value(), 3.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.975).value(), 8.475);
  EXPECT_FALSE(median({}).has_value());
}

TEST(Statistics, ThePapersTableHasThePapersCorrelation) {
  const auto document = common::read_json(DITSCALE_SOURCE_DIR "/tests/golden/paper_tables.json");
  const common::Json& table = document.value["scaling_400k"];
  std::vector<double> gflops;
  std::vector<double> parameters;
  std::vector<double> fid;
  for (const common::Json& row : table["rows"]) {
    gflops.push_back(row[2]);
    parameters.push_back(row[3]);
    fid.push_back(row[4]);
  }
  ASSERT_EQ(fid.size(), 12U);
  const double r = pearson(log10_of(gflops), fid).value();
  EXPECT_NEAR(r, table["gflops_fid_correlation"].get<double>(), 0.005);  // printed with two digits: -0.93
  EXPECT_NEAR(r, -0.9298498784798248, 1e-13);
  EXPECT_NEAR(pearson(log10_of(parameters), fid).value(), -0.4708606944830163, 1e-13);
  EXPECT_NEAR(spearman(gflops, fid).value(), -0.9160839160839163, 1e-13);
}

}  // namespace
}  // namespace ditscale::analysis
