#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <torch/types.h>

#include "common/error.hpp"
#include "tests/unit/worker/handmade_zip.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/evaluation/scores/adm_reference.hpp"
#include "worker/evaluation/scores/features_file.hpp"
#include "worker/evaluation/scores/make_reference.hpp"
#include "worker/evaluation/scores/reference_file.hpp"
#include "worker/evaluation/scores/score_collector.hpp"
#include "worker/evaluation/training_reference.hpp"
#include "worker/storage/npy_header.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {
namespace {

using testing::HasSubstr;

FeatureSet set_of(const torch::Tensor& pooled, const torch::Tensor& logits = {}) {
  return {{pooled, {}, logits}, "made_up", "1"};
}

Scores score(const FeatureSet& samples, const FeatureSet& real, const std::set<std::string>& metrics,
             std::int64_t batch = 1'000'000) {
  const Reference reference = reference_of(real, "real");
  ScoreCollector collector({metrics}, samples.num_images(), samples.widths());
  for (std::int64_t begin = 0; begin < samples.num_images(); begin += batch) {
    const auto part = [&](const torch::Tensor& all) {
      return all.defined() ? all.slice(0, begin, begin + batch) : all;
    };
    collector.add(begin, {part(samples.features.pooled), {}, part(samples.features.logits)});
  }
  return collector.finish(&reference);
}

double value(const Scores& scores, const std::string& metric) { return scores.by_metric.at(metric).value.value(); }

const std::set<std::string> kFive{"fid", "fid_infinity", "precision", "recall", "kid"};

TEST(Scores, OfIdenticalSetsAreZeroAndOne) {
  torch::manual_seed(1);
  const FeatureSet set = set_of(torch::randn({400, 6}));
  const Scores scores = score(set, set, kFive);
  EXPECT_NEAR(value(scores, "fid"), 0, 1e-10);
  EXPECT_EQ(value(scores, "precision"), 1);
  EXPECT_EQ(value(scores, "recall"), 1);
  EXPECT_LT(value(scores, "kid"), 0);  // no pair of a vector with itself, but all across: below zero by construction
  EXPECT_EQ(scores.covariance_rank, 6);
}

TEST(Scores, OfSeparatedSetsHaveNoPrecisionAndNoRecall) {
  torch::manual_seed(2);
  const Scores scores = score(set_of(torch::randn({200, 4}) + 100), set_of(torch::randn({200, 4})), kFive);
  EXPECT_EQ(value(scores, "precision"), 0);
  EXPECT_EQ(value(scores, "recall"), 0);
  EXPECT_EQ(scores.by_metric.at("precision").standard_error, 0);
}

TEST(Scores, TellPrecisionFromRecall) {
  torch::manual_seed(3);
  const torch::Tensor one = torch::randn({400, 3});
  const torch::Tensor both = at::cat({one.slice(0, 0, 200), one.slice(0, 200) + 50}, 0);
  const Scores scores = score(set_of(one.slice(0, 0, 200)), set_of(both), {"precision", "recall"});
  EXPECT_EQ(value(scores, "precision"), 1);
  EXPECT_EQ(value(scores, "recall"), 0.5);
}

TEST(Scores, KidIsTheUnbiasedSumOverPairs) {
  const torch::Tensor x = torch::tensor({{1.F, 0.F}, {0.F, 2.F}, {1.F, 1.F}});
  const torch::Tensor y = torch::tensor({{0.F, 0.F}, {2.F, 0.F}});
  // By hand, k = (x·y / 2 + 1)³: among x: (1 + 3.375 + 8) / 3; among y: 1; across: (1 + 8 + 1 + 1 + 1 + 8) / 6.
  EXPECT_NEAR(value(score(set_of(x), set_of(y), {"kid"}), "kid"), 12.375 / 3 + 1 - 2 * 20.0 / 6, 1e-12);
}

TEST(Scores, InceptionScoreIsOneWithoutAndTheNumberOfClassesWithPerfectKnowledge) {
  const FeatureSet blind = set_of(torch::randn({100, 2}), torch::zeros({100, 5}));
  EXPECT_NEAR(value(score(blind, blind, {"inception_score"}), "inception_score"), 1, 1e-12);
  const FeatureSet sure = set_of(torch::randn({100, 2}), torch::eye(5).repeat({20, 1}) * 1000);
  const Scores scores = score(sure, sure, {"inception_score"});
  EXPECT_NEAR(value(scores, "inception_score"), 5, 1e-12);
  EXPECT_THAT(scores.by_metric.at("inception_score").note, HasSubstr("one split of 100"));
}

TEST(Scores, InceptionScoreIsTheMeanOverSplitsOfFiveThousand) {
  // The first split knows two classes, the second none.
  const torch::Tensor logits = at::cat({torch::eye(2).repeat({2500, 1}) * 1000, torch::zeros({5000, 2})}, 0);
  const FeatureSet set = set_of(torch::zeros({10'000, 1}), logits);
  const Scores scores = score(set, set, {"inception_score"});
  EXPECT_NEAR(value(scores, "inception_score"), 1.5, 1e-12);
  EXPECT_THAT(scores.by_metric.at("inception_score").note, HasSubstr("2 splits of 5000"));
}

TEST(Scores, SayTheRankOfTooFewSamplesAndDoNotExtrapolateThem) {
  torch::manual_seed(4);
  const Scores scores = score(set_of(torch::randn({50, 64})), set_of(torch::randn({300, 64})), kFive);
  EXPECT_EQ(scores.covariance_rank, 49);
  EXPECT_TRUE(scores.by_metric.at("fid").standard_error.has_value());
  EXPECT_FALSE(scores.by_metric.at("fid_infinity").value.has_value());
  EXPECT_THAT(scores.by_metric.at("fid_infinity").reason, HasSubstr("rank 49 of 64"));
}

TEST(Scores, OfFewerThanTwoSamplesPerGroupHaveNoError) {
  torch::manual_seed(5);
  const Scores scores = score(set_of(torch::randn({39, 2})), set_of(torch::randn({100, 2})), kFive);
  for (const auto& [name, one] : scores.by_metric) {
    EXPECT_FALSE(one.standard_error.has_value()) << name;
    EXPECT_THAT(one.reason, HasSubstr("39 samples are fewer than two in each of 20 groups")) << name;
  }
}

TEST(Scores, AreTheSameToTheLastBitWhateverTheBatches) {
  torch::manual_seed(6);
  const FeatureSet samples = set_of(torch::randn({6100, 5}), torch::randn({6100, 7}));
  const FeatureSet real = set_of(torch::randn({300, 5}) * 1.2);
  std::set<std::string> metrics{"fid", "fid_infinity", "inception_score"};
  const Scores once = score(samples, real, metrics);
  for (const std::int64_t batch : {1, 64, 333}) {
    const Scores again = score(samples, real, metrics, batch);
    for (const std::string& name : metrics) {
      EXPECT_EQ(value(again, name), value(once, name)) << name << batch;
      EXPECT_EQ(again.by_metric.at(name).standard_error, once.by_metric.at(name).standard_error);
    }
  }
}

TEST(Scores, RefuseFeaturesThatAreNotFinite) {
  torch::Tensor features = torch::zeros({10, 2});
  features[7][1] = std::numeric_limits<float>::quiet_NaN();
  ScoreCollector collector({{"fid"}}, 1000, {2, 0, 0});
  EXPECT_THAT(message_of<NotFinite>([&] { collector.add(500, {features, {}, {}}); }), HasSubstr("image 507"));
}

TEST(Scores, RefuseFeaturesThatFloat32CannotHold) {
  ScoreCollector collector({{"kid"}}, 10, {2, 0, 0});
  collector.add(0, {torch::zeros({9, 2}, torch::kDouble), {}, {}});
  EXPECT_THAT(message_of<NotFinite>([&] {
                collector.add(9, {torch::full({1, 2}, 1e200, torch::kDouble), {}, {}});
              }),
              HasSubstr("float32"));
}

TEST(Scores, ThatAreNotFiniteAreEmptyWithTheirReason) {
  torch::manual_seed(11);
  const Scores scores = score(set_of(torch::randn({100, 2}) * 1e36), set_of(torch::randn({100, 2})), {"kid"});
  const Score& kid = scores.by_metric.at("kid");
  EXPECT_TRUE(kid.value.has_value());
  EXPECT_FALSE(kid.standard_error.has_value()) << "the square of 1e200 and more";
  EXPECT_THAT(kid.reason, HasSubstr("too large"));
  const Score none = with_error(std::nan(""), {}, SampleGroups{10});
  EXPECT_FALSE(none.value.has_value());
  EXPECT_THAT(none.reason, HasSubstr("came out as nan"));
}

TEST(Scores, RefuseUnknownNamesAndReferencesThatDoNotFit) {
  using common::ConfigError;
  EXPECT_THAT(message_of<ConfigError>([] { ScoreCollector({{"fit"}}, 10, {2, 0, 0}); }), HasSubstr("fid"));
  EXPECT_THROW(ScoreCollector({{"sfid"}}, 10, {2, 0, 0}), ConfigError);
  const auto set = set_of(torch::randn({10, 3}));
  EXPECT_THAT(message_of<ConfigError>([&] {
                (void)score(set, set_of(torch::randn({10, 2})), {"fid"});
              }),
              HasSubstr("width 2"));
  const Reference reference = reference_of(set, "real");
  reference.check_made_by("made_up", "1");
  EXPECT_THROW(reference.check_made_by("made_up", "2"), ConfigError);
  EXPECT_THROW(reference.check_made_by("inception", ""), ConfigError);
}

/// Standard normals against a planted Gaussian of another scale and mean: distance D (0.25 + 0.04).
TEST(Jackknife, KnowsTheScatterOfTheDistanceAndTakesItsBiasAway) {
  constexpr std::int64_t kWidth = 8;
  constexpr int kRepetitions = 300;
  constexpr double kTrue = kWidth * (0.25 + 0.04);
  torch::manual_seed(8);
  const FrechetReference reference({0, torch::zeros({kWidth}, torch::kDouble), torch::eye(kWidth, torch::kDouble)});
  std::vector<double> plain;
  std::vector<double> extrapolated;
  double mean_error = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    GaussianGroups groups(400, kWidth);
    const torch::Tensor samples = torch::randn({400, kWidth}) * 1.5 + 0.2;
    for (std::int64_t begin = 0; begin < 400; begin += 20) groups.add(begin, samples.slice(0, begin, begin + 20));
    const FrechetScores scores = groups.scores(reference);
    plain.push_back(*scores.distance.value);
    extrapolated.push_back(*scores.extrapolated.value);
    mean_error += *scores.distance.standard_error / kRepetitions;
  }
  const torch::Tensor of_plain = torch::tensor(plain, torch::kDouble);
  const torch::Tensor of_limit = torch::tensor(extrapolated, torch::kDouble);
  const double scatter = of_plain.std().item<double>();
  const double error_of_mean = of_limit.std().item<double>() / std::sqrt(kRepetitions);
  EXPECT_NEAR(mean_error, scatter, 0.15 * scatter);  // a scatter of 300 is known to 4 %, the jackknife of 20 to 16 %
  EXPECT_NEAR(of_limit.mean().item<double>(), kTrue, 4 * error_of_mean);
  EXPECT_GT(of_plain.mean().item<double>(), kTrue + 4 * error_of_mean);
}

// The error by which others would judge the same samples.
TEST(Jackknife, AgreesWithABootstrapOverSamples) {
  constexpr std::int64_t kWidth = 8, kSamples = 2000, kSets = 20;
  constexpr int kResamples = 100;
  torch::manual_seed(10);
  const FrechetReference reference({0, torch::zeros({kWidth}, torch::kDouble), torch::eye(kWidth, torch::kDouble)});
  double jackknifed = 0, bootstrapped = 0;
  for (std::int64_t set = 0; set < kSets; ++set) {
    const torch::Tensor samples = torch::randn({kSamples, kWidth}) * 1.5 + 0.2;
    GaussianGroups groups(kSamples, kWidth);
    for (std::int64_t begin = 0; begin < kSamples; begin += 100)
      groups.add(begin, samples.slice(0, begin, begin + 100));
    jackknifed += *groups.scores(reference).distance.standard_error / kSets;
    std::vector<double> distances;
    for (int i = 0; i < kResamples; ++i) {
      GaussianAccumulator resample(kWidth);
      resample.add(samples.index({torch::randint(kSamples, {kSamples}, torch::kLong)}));
      distances.push_back(reference.distance(resample.stats()).value);
    }
    bootstrapped += torch::tensor(distances, torch::kDouble).std().item<double>() / kSets;
  }
  // Over 20 sets the jackknife of 20 groups is known to 16 / √20 %, the bootstrap of 100 to 7 / √20 %.
  EXPECT_NEAR(jackknifed / bootstrapped, 1.0, 3 * std::hypot(0.16, 0.07) / std::sqrt(20.0));
}

TEST(Jackknife, LeavesAMeanWhereItIs) {
  const SampleGroups groups{50};  // groups of two and of three
  const torch::Tensor x = torch::arange(50, torch::kDouble).square();
  std::vector<double> left_out;
  for (std::int64_t g = 0; g < SampleGroups::kGroups; ++g) {
    const double own = x.slice(0, groups.begin(g), groups.begin(g + 1)).sum().item<double>();
    left_out.push_back((x.sum().item<double>() - own) / static_cast<double>(50 - groups.size(g)));
  }
  const auto result = jackknife(x.mean().item<double>(), left_out, groups);
  ASSERT_TRUE(result.has_value());
  EXPECT_NEAR(result->extrapolated, x.mean().item<double>(), 1e-9);
}

class References : public InScratchFolder {
 protected:
  void SetUp() override { torch::manual_seed(9); }
};

TEST_F(References, AreReadAsTheyWereWritten) {
  const Reference written = reference_of(set_of(torch::randn({30, 4})), "some images");
  write_reference(at("r.h5"), written);
  ASSERT_TRUE(is_reference_file(at("r.h5")));
  const Reference read = read_reference(at("r.h5"));
  EXPECT_EQ(read.digest(), written.digest());
  EXPECT_EQ(read.content().name, "some images");
  EXPECT_EQ(read.content().num_images, 30);
  EXPECT_TRUE(torch::equal(read.content().features, written.content().features));
}

TEST_F(References, ThatAreDamagedAreRefused) {
  write_reference(at("r.h5"), reference_of(set_of(torch::randn({30, 4})), "some images"));
  std::string bytes = bytes_of(at("r.h5"));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  put(at("bad.h5"), bytes);
  EXPECT_THROW((void)read_reference(at("bad.h5")), common::Error);
  put(at("short.h5"), bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW((void)read_reference(at("short.h5")), common::Error);
}

TEST_F(References, OfAdmAreHeldAgainstTheirPromises) {
  const torch::Tensor mean = torch::zeros({3}, torch::kDouble);
  const torch::Tensor covariance = torch::eye(3, torch::kDouble);
  write_npz(at("adm.npz"), {{"mu", mean}, {"sigma", covariance}, {"mu_s", mean}, {"sigma_s", covariance}});
  const Reference reference = read_adm_reference(at("adm.npz"));
  EXPECT_EQ(reference.content().network, "inception");
  EXPECT_TRUE(reference.content().spatial.has_value());
  torch::Tensor skewed = covariance.clone();
  skewed[0][1] = 0.5;
  const auto refusal = [&](const torch::Tensor& sigma) {
    write_npz(at("bad.npz"), {{"mu", mean}, {"sigma", sigma}});
    return message_of<common::CorruptData>([&] { (void)read_adm_reference(at("bad.npz")); });
  };
  EXPECT_THAT(refusal(skewed), HasSubstr("not symmetric"));
  EXPECT_THAT(refusal(covariance / 0), HasSubstr("NaN"));
  EXPECT_THAT(refusal(torch::eye(2, torch::kDouble)), HasSubstr("do not fit"));
}

// Three megabytes that would unpack to as many gigabytes.
TEST_F(References, OfAdmAreLookedAtBeforeMemoryIsTaken) {
  const auto npy = [](std::int64_t packed_bytes, at::IntArrayRef shape) {
    const torch::Tensor zeros = torch::zeros({1}, torch::kDouble).expand(shape);
    HandmadeEntry entry = deflated("", npy_header_text(zeros));
    entry.num_bytes += static_cast<std::uint32_t>(zeros.numel() * 8);
    entry.packed.resize(entry.packed.size() + static_cast<std::size_t>(packed_bytes));
    return entry;
  };
  HandmadeEntry mu = npy(1000, {20'000}), sigma = npy(4'000'000, {20'000, 20'000});
  mu.name = "mu.npy";
  sigma.name = "sigma.npy";
  put(at("adm.npz"), handmade_zip({mu, sigma}));
  EXPECT_THAT(message_of<common::CorruptData>([&] { (void)read_adm_reference(at("adm.npz")); }),
              HasSubstr("D up to 16384"));
}

/// Takes the first three bytes of an image, as this machine rounds them.
class FirstBytes final : public FeatureNetwork {
 public:
  explicit FirstBytes(float rounding) : rounding_(rounding) {}
  [[nodiscard]] std::string name() const override { return "inception"; }
  [[nodiscard]] std::string digest() const override { return "1"; }
  [[nodiscard]] std::int64_t width() const override { return 3; }
  [[nodiscard]] ImageFeatures extract(const torch::Tensor& images, FeatureParts) const override {
    ++num_calls_;
    return {images.flatten(1).slice(1, 0, 3).to(torch::kFloat) + rounding_, {}, {}};
  }

  mutable int num_calls_ = 0;

 private:
  float rounding_;
};

TEST_F(References, OfAdmNeedImagesOnlyWhereScoresCompareSingleOnes) {
  const torch::Tensor mean = torch::zeros({3}, torch::kDouble);
  const torch::Tensor covariance = torch::eye(3, torch::kDouble);
  const FirstBytes network(0);
  write_npz(at("fid.npz"), {{"mu", mean}, {"sigma", covariance}});
  EXPECT_EQ(load_reference(at("fid.npz"), network, false).width(), 3);
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)load_reference(at("fid.npz"), network, true); }),
              HasSubstr("has no images (arr_0)"));
  const torch::Tensor images = (torch::arange(501 * 12) % 256).to(torch::kByte).view({501, 2, 2, 3});
  write_npz(at("adm.npz"), {{"mu", mean}, {"sigma", covariance}, {"arr_0", images}});
  EXPECT_FALSE(load_reference(at("adm.npz"), network, false).content().features.defined());
  EXPECT_EQ(network.num_calls_, 0);
  EXPECT_TRUE(torch::equal(load_reference(at("adm.npz"), network, true).content().features,
                           images.permute({0, 3, 1, 2}).flatten(1).slice(1, 0, 3).to(torch::kFloat)));
  EXPECT_EQ(network.num_calls_, 2) << "500 images at a time";
}

TEST_F(References, OfAdmAreToldByTheirFileWhateverTheMachine) {
  const torch::Tensor mean = torch::zeros({3}, torch::kDouble);
  const torch::Tensor covariance = torch::eye(3, torch::kDouble);
  const auto digest = [&](float rounding, bool keeps_features, int grey) {
    const torch::Tensor images = torch::full({4, 2, 2, 3}, grey, torch::kByte);
    write_npz(at("adm.npz"), {{"mu", mean}, {"sigma", covariance}, {"arr_0", images}});
    return load_reference(at("adm.npz"), FirstBytes(rounding), keeps_features).digest();
  };
  const std::string here = digest(0, true, 1);
  EXPECT_EQ(digest(1e-3F, true, 1), here);
  EXPECT_EQ(digest(0, false, 1), here);
  EXPECT_NE(digest(0, true, 2), here);
}

TEST_F(References, KeepFeaturesThroughAFile) {
  const FeatureSet set = set_of(torch::randn({5, 3}), torch::randn({5, 2}));
  write_features(at("f.npz"), set);
  const FeatureSet read = read_features(at("f.npz"));
  EXPECT_EQ(NpzFile::open(at("f.npz")).names(), (std::vector<std::string>{"pooled", "logits", "network", "digest"}));
  EXPECT_EQ(read.network, "made_up");
  EXPECT_EQ(read.digest, "1");
  EXPECT_TRUE(torch::equal(read.features.logits, set.features.logits));
  EXPECT_FALSE(read.features.spatial.defined());
}

}  // namespace
}  // namespace ditscale::worker
