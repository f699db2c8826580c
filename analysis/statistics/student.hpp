#pragma once

namespace ditscale::analysis {

/// Distribution function of the standard normal.
[[nodiscard]] double normal_cdf(double z);

/// Quantile `p` in (0, 1) of Student's t with `freedom` >= 1 degrees of freedom.
[[nodiscard]] double student_quantile(double p, int freedom);

}  // namespace ditscale::analysis
