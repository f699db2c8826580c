#include "orchestrator/view/outlook_note.hpp"

#include <algorithm>
#include <limits>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::orchestrator {

using common::Json;

namespace {

/// Far above `estimate_s`, and above what clocks of two hosts differ by.
constexpr double kTooOld_s = 60;

}  // namespace

OutlookNote::OutlookNote(std::filesystem::path file, const Timing& timing, const common::Clock& clock)
    : file_(std::move(file)), estimate_s_(timing.estimate_s), clock_(clock) {
  std::error_code absent;
  if (!file_.empty()) std::filesystem::remove(file_, absent);
}

const Outlook& OutlookNote::newest(const State& state, double now_s) {
  const double look_s = clock_.monotonic_s();
  if (look_s >= next_look_s_) {
    outlook_ = look_ahead(state, now_s);
    next_look_s_ = look_s + estimate_s_;
    if (!file_.empty()) write();
  }
  return outlook_;
}

void OutlookNote::write() const {
  // Infinite seconds become null.
  const Json note{{"written_s", clock_.unix_s()}, {"left_s", outlook_.left_s}, {"next", outlook_.next}};
  try {
    common::replace_file(file_, note.dump() + "\n");
  } catch (const common::SystemError&) {
    // Records are refused by the same disk, and stop the study; a view is not worth that.
  }
}

std::optional<Outlook> read_outlook(const std::filesystem::path& file, double unix_s) {
  try {
    const Json note = common::parse_json(common::read_file(file), file.string()).value;
    const double age_s = std::max(0.0, unix_s - note.at("written_s").get<double>());
    if (age_s > kTooOld_s) return std::nullopt;
    const Json& left_s = note.at("left_s");
    return Outlook{left_s.is_null() ? std::numeric_limits<double>::infinity() : left_s.get<double>() - age_s,
                   note.at("next").get<std::string>()};
  } catch (const common::Error&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace ditscale::orchestrator
