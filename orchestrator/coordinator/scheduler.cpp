#include "orchestrator/coordinator/scheduler.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "orchestrator/coordinator/order.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr double kAnyLength = std::numeric_limits<double>::infinity();

/// The trial of a kind that is tried next.
struct Head {
  TrialKind kind;
  std::size_t position = 0;
};

/// A reservation as one pass sees it.
struct Claim {
  std::size_t position = 0;
  Reservation* reservation = nullptr;
  double start_s = 0;
  bool strict = false;
};

class Pass {
 public:
  Pass(State& state, double now_s) : state_(state), now_s_(now_s) {
    for (auto& [position, reservation] : state.reservations) add_claim(position, reservation);
  }

  std::vector<Placement> run() {
    place_those_that_waited_too_long();
    for (const auto& [kind, queue] : state_.ready.queues()) heads_.push_back({kind, queue.begin()->second});
    while (!heads_.empty()) {
      const auto next = std::min_element(heads_.begin(), heads_.end(), [this](const Head& a, const Head& b) {
        return goes_before(state_, a.position, b.position);
      });
      const std::optional<std::size_t> successor = try_to_place(*next);
      if (successor) {
        next->position = *successor;
      } else {
        heads_.erase(next);
      }
    }
    return std::move(placements_);
  }

 private:
  void add_claim(std::size_t position, Reservation& reservation) {
    claims_.push_back({position, &reservation, reservation.start_s(state_.nodes, now_s_),
                       reservation.overtaken >= state_.policy.max_overtakes});
  }

  /// They hold others up, so they must get on themselves, even where a longer one of their kind has come since.
  void place_those_that_waited_too_long() {
    std::vector<Head> waited;
    for (const Claim& claim : claims_) {
      if (claim.strict) waited.push_back({kind_of(state_.trials[claim.position]), claim.position});
    }
    std::sort(waited.begin(), waited.end(),
              [this](const Head& a, const Head& b) { return goes_before(state_, a.position, b.position); });
    for (const Head& head : waited) {
      const std::vector<Seat> seats = find_room_for(head);
      if (!seats.empty()) place(head, seats);
    }
  }

  /// Places the head or sets it aside. Returns who of its kind is tried next; nobody when the rest finds no room
  /// either.
  std::optional<std::size_t> try_to_place(const Head& head) {
    std::vector<Seat> seats = find_room(state_.nodes, head.kind.ask);
    if (seats.empty()) return set_aside(head), std::nullopt;
    reserve_for_blocked();
    if (!claims_.empty() && !all_allow(head, seats)) seats = find_room_for(head);
    if (seats.empty()) {
      set_aside(head);
      return shorter_one(head);
    }
    place(head, seats);
    return state_.ready.first(head.kind, kAnyLength);
  }

  void set_aside(const Head& head) {
    // Of each kind the first only: the others of it wait for the same.
    const bool is_first_of_kind = state_.ready.first(head.kind, kAnyLength) == head.position;
    if (is_first_of_kind && !is_blocked(head.position)) blocked_.push_back(head);
  }

  bool is_blocked(std::size_t position) const {
    return std::any_of(blocked_.begin(), blocked_.end(),
                       [position](const Head& head) { return head.position == position; });
  }

  /// Makes sure that the first trial that found no room has a reservation before anybody goes ahead of it.
  void reserve_for_blocked() {
    for (std::size_t i = 0; i < blocked_.size(); ++i) {
      const Head& head = blocked_[i];
      const bool is_due = i == 0 || state_.trials[head.position].overtaken >= state_.policy.max_overtakes;
      if (!is_due || state_.reservations.count(head.position) != 0) continue;
      const auto unclaimed = [this](int agent, std::int64_t) {
        return std::none_of(claims_.begin(), claims_.end(),
                            [&](const Claim& claim) { return claim.reservation->seat_on(agent) != nullptr; });
      };
      std::vector<Seat> seats = room_to_come(state_.nodes, head.kind.ask, now_s_, unclaimed);
      if (seats.empty()) seats = room_to_come(state_.nodes, head.kind.ask, now_s_, any_seat);
      if (seats.empty()) continue;
      Reservation& made = state_.reservations[head.position] = {head.kind.ask, std::move(seats), 0};
      add_claim(head.position, made);
    }
  }

  std::vector<Seat> find_room_for(const Head& head) const {
    return find_room(state_.nodes, head.kind.ask,
                     [&](int agent, std::int64_t processes) { return allow(head, agent, processes); });
  }

  bool all_allow(const Head& head, const std::vector<Seat>& seats) const {
    return std::all_of(seats.begin(), seats.end(),
                       [&](const Seat& seat) { return allow(head, seat.agent, seat.processes); });
  }

  bool allow(const Head& head, int agent, std::int64_t processes) const {
    return std::all_of(claims_.begin(), claims_.end(),
                       [&](const Claim& claim) { return allows(claim, head, agent, processes); });
  }

  bool binds(const Claim& claim, std::size_t position) const {
    if (claim.position == position) return false;
    const bool waited_too_long = is_strict(position);
    return claim.strict == waited_too_long ? goes_before(state_, claim.position, position) : claim.strict;
  }

  bool is_strict(std::size_t position) const {
    return std::any_of(claims_.begin(), claims_.end(),
                       [&](const Claim& claim) { return claim.strict && claim.position == position; });
  }

  bool allows(const Claim& claim, const Head& head, int agent, std::int64_t processes) const {
    if (!binds(claim, head.position)) return true;
    const Seat* seat = claim.reservation->seat_on(agent);
    if (seat == nullptr) return true;
    const double end_s = now_s_ + state_.trials[head.position].remaining_s();
    if (!claim.strict && end_s <= claim.start_s) return true;
    DeviceCount left = state_.nodes.at(agent).free_at(claim.start_s, now_s_);
    left.add(head.kind.ask, -processes);
    return left.cpus >= 0 && left.gpus >= 0 && left.room_for(claim.reservation->ask) >= seat->processes;
  }

  /// The longest of the head's kind that ends before some reserved node is needed.
  std::optional<std::size_t> shorter_one(const Head& head) const {
    const double length_s = state_.trials[head.position].remaining_s();
    double limit_s = 0;
    for (const Claim& claim : claims_) {
      const double gap_s = claim.start_s - now_s_;
      if (binds(claim, head.position) && !claim.strict && gap_s < length_s) limit_s = std::max(limit_s, gap_s);
    }
    return limit_s > 0 ? state_.ready.first(head.kind, limit_s) : std::nullopt;
  }

  void place(const Head& head, const std::vector<Seat>& seats) {
    const Trial& trial = state_.trials[head.position];
    count_overtaken(head, seats);
    std::erase_if(claims_, [&](const Claim& claim) { return claim.position == head.position; });
    std::erase_if(blocked_, [&](const Head& blocked) { return blocked.position == head.position; });
    dequeue(state_, head.position);
    const double end_s = now_s_ + trial.remaining_s();
    Placement placement{head.position, {}};
    for (const Seat& seat : seats) {
      Devices taken = state_.nodes.take(seat.agent, head.kind.ask, seat.processes, {head.position, now_s_, end_s, {}});
      placement.shares.push_back({seat.agent, state_.nodes.at(seat.agent).host, seat.processes, std::move(taken)});
    }
    placements_.push_back(std::move(placement));
  }

  void count_overtaken(const Head& head, const std::vector<Seat>& seats) {
    for (Claim& claim : claims_) {
      if (!binds(claim, head.position)) continue;
      const bool touches = std::any_of(seats.begin(), seats.end(), [&](const Seat& seat) {
        return claim.reservation->seat_on(seat.agent) != nullptr;
      });
      if (touches && ++claim.reservation->overtaken >= state_.policy.max_overtakes) claim.strict = true;
    }
    for (const Head& blocked : blocked_) ++state_.trials[blocked.position].overtaken;
  }

  State& state_;
  double now_s_;
  std::vector<Head> heads_;
  std::vector<Claim> claims_;
  /// First of their kinds that found no room, in order.
  std::vector<Head> blocked_;
  std::vector<Placement> placements_;
};

}  // namespace

std::vector<Placement> place_ready(State& state, double now_s) {
  if (state.stopping) return {};
  set_aside_too_late(state, now_s);
  if (state.ready.empty()) return {};
  return Pass(state, now_s).run();
}

}  // namespace ditscale::orchestrator
