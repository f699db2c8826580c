#include "orchestrator/coordinator/coordinator.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "orchestrator/agent/standstill.hpp"
#include "orchestrator/coordinator/admission.hpp"
#include "orchestrator/coordinator/room.hpp"
#include "orchestrator/mpi/backoff.hpp"
#include "orchestrator/mpi/sleep.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

namespace {

/// Speeds that differ by less than this share would only reshuffle equals.
constexpr double kSpeedChange = 0.02;
/// Events that are held in memory before they are recorded, and then the messages wait.
constexpr std::size_t kMostPending = 4096;

std::string hosts_of(const AgentsJoined& joined) {
  std::set<std::string> hosts;
  for (const AgentReport& report : joined.agents) hosts.insert(report.host);
  return hosts.empty() ? "none" : fmt::format("{}", fmt::join(hosts, ", "));
}

/// Of the GPUs, where all nodes that have some agree; else empty.
std::string common_gpu_name(const std::vector<AgentReport>& agents) {
  std::set<std::string> names;
  for (const AgentReport& agent : agents) {
    if (!agent.devices.gpus.empty()) names.insert(agent.gpu_name);
  }
  return names.size() == 1 ? *names.begin() : "";
}

std::string text_of(const RestNode& rest) {
  return fmt::format("{} trainers in a row failed on {} before they had begun; nothing starts there for {:.0f} s",
                     rest.num_false_starts, rest.host, rest.seconds);
}

void log_action(const Action& action) {
  if (const auto* set = std::get_if<SetTrialState>(&action)) {
    spdlog::info("trial {} is {}{}{}", set->trial.str(), results::to_name(set->state), set->reason.empty() ? "" : ": ",
                 set->reason);
  } else if (const auto* start = std::get_if<StartTrainer>(&action)) {
    spdlog::info("trial {}: attempt {} starts on agent {}, {}", start->trial.str(), common::to_int(start->attempt),
                 start->shares.front().agent, devices_text(start->shares));
  } else if (const auto* stop = std::get_if<StopTrainer>(&action)) {
    spdlog::info("trial {}: attempt {} is {}", stop->trial.str(), common::to_int(stop->attempt),
                 stop->kind == StopKind::kKill ? "killed" : "asked to save and stop");
  } else if (const auto* rest = std::get_if<RestNode>(&action)) {
    spdlog::warn("{}", text_of(*rest));
  } else if (const auto* give_up = std::get_if<GiveUp>(&action)) {
    spdlog::error("{}", give_up->trouble);
  } else if (const auto* finish = std::get_if<Finish>(&action)) {
    spdlog::info("finished with exit code {}: {}", common::to_int(finish->code), finish->reason);
  }
}

}  // namespace

Coordinator::Coordinator(const Parts& parts)
    : parts_(parts), unix_offset_s_(parts.clock.unix_s() - parts.clock.monotonic_s()) {}

double Coordinator::now_s() const { return parts_.clock.monotonic_s() + unix_offset_s_; }

ExitCode Coordinator::run() {
  if (!await_agents()) return ExitCode::kIncomplete;
  Backoff backoff(parts_.timing);
  while (!finish_) {
    const bool news = look();
    if (!finish_) sleep(backoff.next_s(news));
  }
  parts_.display.close();
  if (!trouble_) trouble_ = parts_.state.trouble;
  if (trouble_) {
    throw common::SystemError(fmt::format(
        "{}. The study was stopped; trainers saved where they could. Put this right and run the same command again: "
        "what was finished is not run again",
        *trouble_));
  }
  parts_.display.notice(finish_->reason);
  return finish_->code;
}

bool Coordinator::await_agents() {
  const int num_agents = parts_.world.size() - 1;
  double give_up_s = now_s() + parts_.timing.join_wait_s;
  Standstill standstill(parts_.timing.standstill_s);
  AgentsJoined joined;
  while (std::ssize(joined.agents) < num_agents) {
    if (parts_.stop_source.poll()) return false;
    give_up_s += standstill.seconds_before(now_s());
    if (now_s() > give_up_s) {
      throw common::SystemError(
          fmt::format("only {} of {} agents reported within {} s, those on: {}. No other node has started one: look at "
                      "them, or go on "
                      "without them",
                      joined.agents.size(), num_agents, parts_.timing.join_wait_s, hosts_of(joined)));
    }
    const auto received = parts_.world.receive();
    if (!received) {
      parts_.world.sleep(parts_.timing.shortest_sleep_s);
      continue;
    }
    const auto hello = std::get<HelloMessage>(received->message);
    spdlog::info("agent {} on {}: {}", received->rank, hello.host, hello.devices.text());
    joined.agents.push_back({received->rank, hello.host, hello.devices, hello.node, hello.gpu_name});
  }
  share_devices(joined.agents);
  gpu_name_ = common_gpu_name(joined.agents);
  std::vector<sweeps::Cell> unfinished;
  for (const Trial& trial : parts_.state.trials) {
    if (!results::is_final(trial.state)) unfinished.push_back(trial.cell);
  }
  const auto problem = why_too_large(unfinished, joined.agents);
  if (problem && !parts_.in_allocation) throw common::ConfigError(*problem);
  if (problem) parts_.display.notice(*problem + ". Trials that fit are run now");
  // What is placed first is placed by them, too.
  const Nodes nodes = empty_nodes(joined.agents);
  std::set<Ask> asks;
  for (const Trial& trial : parts_.state.trials) {
    num_ended_ += trial.num_attempts;
    asks.insert(ask_for(nodes, trial.cell.trial));
  }
  learn_speeds_of(asks);
  dispatch(joined);
  return true;
}

/// A sleep that lasts far too long was a standstill of the whole job. Work that takes long is none: the batch system's
/// clock runs on meanwhile.
void Coordinator::sleep(double seconds) {
  const double before_s = now_s();
  parts_.world.sleep(seconds);
  const double still_s = now_s() - before_s - seconds;
  if (still_s > parts_.timing.standstill_s) dispatch(StoodStill{still_s});
}

bool Coordinator::look() {
  bool news = false;
  if (const auto wish = parts_.stop_source.poll()) {
    parts_.display.notice(wish->at_once ? "killing the trainers"
                                        : "stopping: the trainers save a checkpoint; once more kills them at once");
    dispatch(*wish);
    news = true;
  }
  while (pending_.size() < kMostPending) {
    const auto received = parts_.world.receive();
    if (!received) break;
    std::visit([this](const auto& each) { on(each); }, received->message);
    news = true;
  }
  dispatch(Tick{});
  if (is_urgent()) apply();
  parts_.display.update(parts_.state, now_s());
  return news;
}

/// What trainers tell is in their files: it may wait, so that many events share one transaction.
bool Coordinator::is_urgent() const {
  return now_s() >= next_record_s_ || pending_.size() >= kMostPending ||
         std::any_of(pending_.begin(), pending_.end(),
                     [](const Action& action) { return !std::holds_alternative<Ingest>(action); });
}

void Coordinator::dispatch(ClusterEvent event) {
  Actions actions = react(parts_.state, std::move(event), now_s());
  pending_.insert(pending_.end(), std::make_move_iterator(actions.begin()), std::make_move_iterator(actions.end()));
}

void Coordinator::on(const LinesMessage& lines) { hear(lines.trial, lines.attempt, lines.lines); }

bool Coordinator::hear(const common::TrialId& trial, common::AttemptNumber attempt, std::string_view lines) {
  bool over = false;
  for (std::size_t end = lines.find('\n'); end != std::string_view::npos; end = lines.find('\n')) {
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    try {
      common::Event event = common::Event::from_line(line);
      if (event.kind == "started") ingest_previous(trial, attempt);
      over = over || outcome_of(event);
      dispatch(TrainerSpoke{trial, attempt, std::move(event)});
    } catch (const common::CorruptData& error) {
      spdlog::warn("trial {}: {}", trial.str(), error.what());
    }
  }
  return over;
}

/// An attempt whose agent was killed may have saved and spoken after its end was recorded. Its successor starts only
/// when it is gone, so its file is complete now.
void Coordinator::ingest_previous(const common::TrialId& trial, common::AttemptNumber attempt) {
  const common::AttemptNumber previous{common::to_int(attempt) - 1};
  if (common::to_int(previous) < 1) return;
  try {
    const std::int64_t known = parts_.study.last_event(trial, previous);
    for (const common::Event& event : parts_.study.events_of(trial, previous, known)) {
      pending_.push_back(Ingest{{trial, previous, event}});
    }
  } catch (const common::SystemError& error) {
    give_up(error.what());
  }
}

/// What the pipe did not tell of an attempt stands in its file. Where that cannot be read now, the next run reads it:
/// the attempt's end is not recorded any more.
void Coordinator::read_rest(const EndedMessage& ended) {
  const Trial* trial = find_trial(parts_.state, ended.trial);
  const bool current = trial != nullptr && trial->run && trial->run->attempt == ended.attempt;
  const std::int64_t known = current ? trial->run->last_event : 0;
  try {
    for (const common::Event& event : parts_.study.events_of(ended.trial, ended.attempt, known)) {
      dispatch(TrainerSpoke{ended.trial, ended.attempt, event});
    }
  } catch (const common::SystemError& error) {
    give_up(error.what());
  }
}

void Coordinator::on(const EndedMessage& ended) {
  const bool heard_all = hear(ended.trial, ended.attempt, ended.lines);
  if (!heard_all) read_rest(ended);
  dispatch(
      TrainerEnded{ended.trial, ended.attempt, ended.code, ended.signal, ended.how, ended.silent_s, ended.log_tail});
  apply();
  ++num_ended_;
  learn_speeds();
}

template <typename Other>
void Coordinator::on(const Other&) {
  throw common::InternalError("the coordinator was sent a message for an agent");
}

void Coordinator::learn_speeds() {
  if (trouble_ || num_ended_ < next_lesson_) return;
  // Each answer reads the records of all attempts: a tenth more of them make it worth while.
  next_lesson_ = num_ended_ + num_ended_ / 10 + 1;
  std::set<Ask> asks;
  for (const Trial& trial : parts_.state.trials) asks.insert(trial.ask);
  learn_speeds_of(asks);
}

void Coordinator::learn_speeds_of(const std::set<Ask>& asks) {
  try {
    for (const Ask& ask : asks) learn_speed(ask);
  } catch (const common::SystemError& error) {
    spdlog::warn("speeds are not learnt this time: {}", error.what());
  }
}

void Coordinator::learn_speed(const Ask& ask) {
  auto speed = parts_.study.measured_speed(ask);
  if (!speed && ask.gpus > 0 && !gpu_name_.empty()) speed = sweeps::Speed{.gpu_name = gpu_name_};
  const auto known = parts_.state.speeds.find(ask);
  const bool same = speed && known != parts_.state.speeds.end() && speed->is_like(known->second, kSpeedChange);
  if (speed && !same) dispatch(SpeedMeasured{ask, *speed});
}

void Coordinator::apply() {
  Actions actions = std::exchange(pending_, {});
  if (actions.empty() && afterwards_.empty()) return;
  if (!trouble_) {
    try {
      parts_.study.record(actions);
      next_record_s_ = now_s() + parts_.timing.record_s;
    } catch (const common::SystemError& error) {
      give_up(error.what());
    }
  }
  for (const Action& action : actions) {
    if (const auto* start = std::get_if<StartTrainer>(&action)) perform(*start);
    if (const auto* stop = std::get_if<StopTrainer>(&action)) {
      parts_.world.send(stop->agent, StopMessage{stop->trial, stop->attempt, stop->kind == StopKind::kKill});
    }
    if (const auto* rest = std::get_if<RestNode>(&action)) parts_.display.notice(text_of(*rest));
    if (const auto* give_up = std::get_if<GiveUp>(&action)) parts_.display.notice("stopping: " + give_up->trouble);
    if (const auto* finish = std::get_if<Finish>(&action)) finish_ = *finish;
  }
  // A free device waits for its message, nobody for these.
  for (const Action& action : actions) log_action(action);
  spdlog::default_logger_raw()->flush();
  parts_.display.changed(parts_.state, actions);
  for (const ClusterEvent& event : std::exchange(afterwards_, {})) dispatch(event);
  apply();
}

/// A trainer starts only when its attempt is on record and its folder is there; else the start itself has failed.
void Coordinator::perform(const StartTrainer& start) {
  if (!trouble_) {
    try {
      parts_.study.prepare(start);
      const auto folder = std::filesystem::absolute(parts_.study.paths().trial(start.trial).folder);
      parts_.world.send(start.shares.front().agent,
                        StartMessage{start.trial, start.attempt, folder.string(), start.shares});
      return;
    } catch (const common::SystemError& error) {
      give_up(error.what());
    }
  }
  TrainerEnded ended;
  ended.trial = start.trial;
  ended.attempt = start.attempt;
  ended.how = *trouble_;
  afterwards_.push_back(ended);
}

void Coordinator::give_up(const std::string& trouble) {
  if (trouble_) return;
  spdlog::error("{}", trouble);
  trouble_ = trouble;
  parts_.display.notice("stopping: " + trouble);
  afterwards_.push_back(StopRequested{});
}

void shut_down_agents(World& world, const Timing& timing) {
  for (int rank = 1; rank < world.size(); ++rank) world.send(rank, ShutdownMessage{});
  while (!world.all_sent()) {
    sleep_for(timing.shortest_sleep_s);
    // Whatever agents still had to say is in the trainers' files.
    [[maybe_unused]] const auto late = world.receive();
  }
}

}  // namespace ditscale::orchestrator
