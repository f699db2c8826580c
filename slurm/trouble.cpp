#include <array>
#include <string_view>

#include "slurm/slurm.hpp"

namespace ditscale::slurm {

namespace {

/// Words of Slurm's messages (slurm_errno.c), 22.05 to 24.05. "Job violates accounting/QOS policy (job submit limit,
/// user's size and/or time limits)" alone is no limit that passes: the line before it names the one that is meant.
constexpr std::array kLater{
    std::string_view("MaxSubmitJob"),
    std::string_view("GrpSubmitJob"),
    std::string_view("temporarily unable to accept job"),
    std::string_view("Unable to contact slurm controller"),
    std::string_view("Resource temporarily unavailable"),
    std::string_view("Slurm backup controller in standby mode"),
    std::string_view("reached the maximum allowed"),
    std::string_view("Connection refused"),
    std::string_view("Too many jobs"),
    std::string_view("rate limit"),
    std::string_view("try again later"),
};
constexpr std::array kAnswerLost{
    std::string_view("Socket timed out"),
    std::string_view("Zero Bytes were transmitted"),
    std::string_view("Unexpected message received"),
    std::string_view("Communication connection failure"),
};

template <typename Words>
bool says(const std::string& text, const Words& words) {
  for (const std::string_view word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Trouble trouble_of(const CommandResult& result) {
  if (result.timed_out || says(result.err, kAnswerLost)) return Trouble::kAnswerLost;
  return says(result.err, kLater) ? Trouble::kLater : Trouble::kFinal;
}

bool is_refusal_by_policy(const CommandResult& result) {
  return result.err.find("violates accounting/QOS policy") != std::string::npos;
}

}  // namespace ditscale::slurm
