#pragma once

#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "tests/integration/trainer/real_study.hpp"

namespace ditscale::tests {

/// What a member's death may cost until the others are ended.
inline constexpr double kEnd_s = 5;

/// One trial trained by several processes: `mpirun -n N worker train`.
class Gang : public RealStudy {
 protected:
  using Series = std::map<std::int64_t, std::pair<double, double>>;

  [[nodiscard]] std::vector<std::string> train(const std::filesystem::path& folder) const {
    return {"train",        (folder_ / "trial.json").string(), "--threads", "1", "--device", "cpu", "--folder",
            folder.string()};
  }
  Ended trained(const std::filesystem::path& folder, int processes) { return call_worker(train(folder), processes); }

  /// Step → loss and gradient norm; a later attempt's replaces an earlier one's.
  static Series series(const std::filesystem::path& folder) {
    Series result;
    for (const common::Json& m : events_of(folder, "metric"))
      result[m.at("step").get<std::int64_t>()] = {m.at("loss").get<double>(), m.at("grad_norm").get<double>()};
    return result;
  }

  /// The same up to the order in which float32 numbers were added: sums of ten thousand terms of random signs differ by
  /// about 6e-6 (unit roundoff 6e-8 times the square root of their number).
  static void expect_same_up_to_summation(const std::filesystem::path& seen_folder,
                                          const std::filesystem::path& expected_folder) {
    constexpr double kRoom = 1e-5;
    const Series expected = series(expected_folder), seen = series(seen_folder);
    ASSERT_EQ(expected.size(), seen.size());
    ASSERT_GT(expected.size(), 10U);
    for (const auto& [step, values] : expected) {
      EXPECT_NEAR(seen.at(step).first, values.first, kRoom * values.first) << "loss of step " << step;
      EXPECT_NEAR(seen.at(step).second, values.second, kRoom * values.second) << "gradient norm of step " << step;
    }
  }

  /// Whether a file whose name contains `part` lies in the folder.
  static bool holds(const std::filesystem::path& folder, const std::string& part) {
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
      if (entry.path().filename().string().find(part) != std::string::npos) return true;
    }
    return false;
  }
};

}  // namespace ditscale::tests
