#include "common/usage_text.hpp"

#include <vector>

#include <fmt/format.h>

#include "common/object_reader.hpp"

namespace ditscale::common {

namespace {

/// Those that are shown have a group.
std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string hint(const CLI::App& app, const std::string& word) {
  const auto chosen = app.get_subcommands();
  const bool is_option = word.starts_with("-");
  if (!is_option && !chosen.empty()) return "";
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  const std::string near = nearest_word(word, is_option ? options_of(command) : commands_of(app));
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

}  // namespace

std::string usage_text(const CLI::App* app, const CLI::Error& error) {
  const std::vector<std::string> unknown = app->remaining(/*recurse=*/true);
  if (unknown.empty()) return CLI::FailureMessage::simple(app, error);
  const std::string word = unknown.front().substr(0, unknown.front().find('='));
  const auto chosen = app->get_subcommands();
  const std::string command = app->get_name() + (chosen.empty() ? "" : " " + chosen.front()->get_name());
  const bool is_command = chosen.empty() && !word.starts_with("-");
  return fmt::format("{}: {}{}\nRun {} --help for more information.\n",
                     is_command ? "there is no such command" : "not expected here", word, hint(*app, word), command);
}

}  // namespace ditscale::common
