#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/coordinator/devices.hpp"

namespace ditscale::orchestrator {

/// Numbers of devices.
struct DeviceCount {
  /// GPUs first: what orders nodes leaves those with GPUs to trials that need them.
  std::int64_t gpus = 0;
  std::int64_t cpus = 0;

  auto operator<=>(const DeviceCount&) const = default;
  /// How many of the processes that `ask` describes find room in so many.
  [[nodiscard]] std::int64_t room_for(const Ask& ask) const;
  /// Adds what `processes` of `ask` hold; a negative number takes it away.
  void add(const Ask& ask, std::int64_t processes);
};
[[nodiscard]] DeviceCount count_of(const Devices& devices);

/// A trial that holds devices of a node.
struct Tenant {
  std::size_t position = 0;
  double started_s = 0;
  /// By prediction, made when it started.
  double end_s = 0;
  DeviceCount devices;

  /// When it will be gone, seen at `now_s`: one that has outlived its prediction is taken to last a tenth of its age
  /// longer.
  [[nodiscard]] double expected_end_s(double now_s) const;
};

/// A node as its agent reported it.
struct Node {
  std::string host;
  Devices all;
  Devices free;
  std::vector<Tenant> tenants;
  /// Trainers in a row that failed here before they had begun.
  int num_false_starts = 0;
  /// Kept from trials until `rest_end_s`.
  Devices at_rest;
  double rest_end_s = 0;

  /// Devices that are free at `at_s` if nothing else starts here.
  [[nodiscard]] DeviceCount free_at(double at_s, double now_s) const;
  /// When it will have room for `processes` of `ask`: `now_s` or the end of a tenant or a rest; infinity when it is too
  /// small.
  [[nodiscard]] double room_at_s(const Ask& ask, std::int64_t processes, double now_s) const;
};

/// All nodes by the rank of their agent, found by what is free on them too.
class Nodes {
 public:
  /// False when there is one of that rank already.
  [[nodiscard]] bool add(int agent, const std::string& host, const Devices& devices);
  void remove(int agent);

  [[nodiscard]] const Node& at(int agent) const { return nodes_.at(agent); }
  [[nodiscard]] bool contains(int agent) const { return nodes_.count(agent) != 0; }
  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] auto begin() const { return nodes_.begin(); }
  [[nodiscard]] auto end() const { return nodes_.end(); }
  /// Of all nodes together.
  [[nodiscard]] const DeviceCount& total() const { return total_; }
  /// Whether some node holds the whole ask when it is wholly free.
  [[nodiscard]] bool one_can_hold(const Ask& ask) const;
  /// Agents by the number of free devices on their nodes, fewest first.
  [[nodiscard]] const std::map<DeviceCount, std::set<int>>& by_free() const { return by_free_; }

  /// Takes devices for `processes` of `ask` from a node that has room for them.
  [[nodiscard]] Devices take(int agent, const Ask& ask, std::int64_t processes, Tenant tenant);
  /// Gives back all that the trial at `position` holds there.
  void give_back(int agent, std::size_t position, const Devices& devices);
  /// Counts one more false start there; returns how many in a row that makes.
  int count_false_start(int agent) { return ++nodes_.at(agent).num_false_starts; }
  /// Keeps what is free there from trials until `end_s`; when it rests already, longer, with what has come free since.
  void rest(int agent, double end_s);
  /// A trainer has begun there: the node is well, and its rest over.
  void is_well(int agent);
  /// Ends the rests that are over.
  void wake_rested(double now_s);
  /// When the next rest will be over; infinity when no node rests.
  [[nodiscard]] double next_rest_end_s() const;
  /// Whether a node other than `agent` that does not rest holds the whole ask when it is wholly free.
  [[nodiscard]] bool another_can_hold(const Ask& ask, int agent) const;

  /// Gives tenants new positions, `places` of their old ones, and by those new ends.
  void rename_tenants(const std::map<std::size_t, std::size_t>& places, const std::map<std::size_t, double>& ends_s);

 private:
  void wake(int agent);
  void index(int agent);
  void unindex(int agent);

  std::map<int, Node> nodes_;
  std::map<DeviceCount, std::set<int>> by_free_;
  /// (end, agent)
  std::set<std::pair<double, int>> rests_;
  /// Nodes by the number of all their devices.
  std::map<DeviceCount, int> sizes_;
  DeviceCount total_;
};

}  // namespace ditscale::orchestrator
