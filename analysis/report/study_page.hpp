#pragma once

#include "analysis/figures/write_figure.hpp"
#include "analysis/queries/study.hpp"
#include "analysis/report/page.hpp"

namespace ditscale::analysis {

/// Everything a study says, as one page: trials, a chapter per score and setting (figures, laws, residuals), the sample
/// pictures found beside the database, devices and cost, and what is needed to do it again.
[[nodiscard]] Page study_page(const Study& study, const Provenance& provenance);

}  // namespace ditscale::analysis
