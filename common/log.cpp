#include "common/log.hpp"

#include <map>
#include <memory>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "common/error.hpp"

namespace ditscale::common {

namespace {

spdlog::level::level_enum level_from(const std::string& level) {
  static const std::map<std::string, spdlog::level::level_enum> levels{{"trace", spdlog::level::trace},
                                                                       {"debug", spdlog::level::debug},
                                                                       {"info", spdlog::level::info},
                                                                       {"warn", spdlog::level::warn},
                                                                       {"error", spdlog::level::err}};
  const auto found = levels.find(level);
  if (found == levels.end())
    throw UsageError(fmt::format("log level \"{}\" is not known; allowed: trace, debug, info, warn, error", level));
  return found->second;
}

std::vector<spdlog::sink_ptr> make_sinks(const std::filesystem::path& file) {
  std::vector<spdlog::sink_ptr> sinks{std::make_shared<spdlog::sinks::stderr_color_sink_mt>()};
  try {
    if (!file.empty()) sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()));
  } catch (const spdlog::spdlog_ex& error) {
    throw SystemError(fmt::format("open log {}: {}", file.string(), error.what()));
  }
  return sinks;
}

}  // namespace

void start_log(const std::string& name, const std::string& level, const std::filesystem::path& file) {
  const auto parsed = level_from(level);
  const auto sinks = make_sinks(file);
  auto logger = std::make_shared<spdlog::logger>(name, sinks.begin(), sinks.end());
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ [%n] %v");
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace ditscale::common
