#include "worker/weights/key_rules.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "worker/weights/infer_trial.hpp"

namespace ditscale::worker {

using common::CorruptData;

namespace {

constexpr const char* kDiffusersBlocks = "transformer_blocks.";

void add_linear(std::vector<KeyRule>& rules, const std::string& ours, const std::vector<std::string>& theirs) {
  for (const char* part : {".weight", ".bias"}) {
    KeyRule rule{ours + part, {}, {}};
    for (const std::string& name : theirs) rule.parts.push_back(name + part);
    rules.push_back(std::move(rule));
  }
}

/// What each block repeats: its place in a block, and ours.
void add_embedders(std::vector<KeyRule>& rules, std::int64_t depth) {
  const auto add = [&](const std::string& ours, const std::string& theirs) {
    KeyRule rule{ours, {fmt::format("{}0.norm1.emb.{}", kDiffusersBlocks, theirs)}, {}};
    for (std::int64_t i = 1; i < depth; ++i)
      rule.copies.push_back(fmt::format("{}{}.norm1.emb.{}", kDiffusersBlocks, i, theirs));
    rules.push_back(std::move(rule));
  };
  for (const char* part : {"weight", "bias"}) {
    add(fmt::format("t_embedder.mlp.0.{}", part), fmt::format("timestep_embedder.linear_1.{}", part));
    add(fmt::format("t_embedder.mlp.2.{}", part), fmt::format("timestep_embedder.linear_2.{}", part));
  }
  add("y_embedder.embedding_table.weight", "class_embedder.embedding_table.weight");
}

void add_block(std::vector<KeyRule>& rules, std::int64_t i) {
  const std::string ours = fmt::format("blocks.{}.", i), theirs = fmt::format("{}{}.", kDiffusersBlocks, i);
  add_linear(rules, ours + "attn.qkv", {theirs + "attn1.to_q", theirs + "attn1.to_k", theirs + "attn1.to_v"});
  add_linear(rules, ours + "attn.proj", {theirs + "attn1.to_out.0"});
  add_linear(rules, ours + "mlp.fc1", {theirs + "ff.net.0.proj"});
  add_linear(rules, ours + "mlp.fc2", {theirs + "ff.net.2"});
  add_linear(rules, ours + "adaLN_modulation.1", {theirs + "norm1.linear"});
}

/// A source under other names.
class AssembledSource final : public TensorSource {
 public:
  AssembledSource(std::unique_ptr<TensorSource> inner, const std::vector<KeyRule>& rules) : inner_(std::move(inner)) {
    std::set<std::string> left(inner_->names().begin(), inner_->names().end());
    const auto take = [&](const std::string& part, const std::string& name) {
      if (left.erase(part) == 0)
        throw CorruptData(fmt::format("tensor {} is missing (it is needed for {})", part, name));
    };
    for (const KeyRule& rule : rules) {
      for (const std::string& part : rule.parts) take(part, rule.name);
      for (const std::string& copy : rule.copies) take(copy, rule.name);
      add(rule);
    }
    if (!left.empty())
      throw CorruptData(fmt::format("tensor {} has no place in a DiT", common::valid_utf8(*left.begin())));
  }

  const std::vector<std::string>& names() const override { return names_; }
  const std::vector<std::int64_t>& shape(const std::string& name) const override { return entry(name).shape; }
  at::ScalarType type(const std::string& name) const override { return inner_->type(entry(name).rule.parts[0]); }
  const TextMap& metadata() const override { return inner_->metadata(); }
  const std::string& key() const override { return inner_->key(); }

  torch::Tensor read(const std::string& name) override {
    const KeyRule& rule = entry(name).rule;
    std::vector<torch::Tensor> parts;
    for (const std::string& part : rule.parts) parts.push_back(inner_->read(part));
    for (const std::string& copy : rule.copies) {
      if (!inner_->read(copy).equal(parts[0])) {
        throw CorruptData(fmt::format("{} and {} differ: a DiT has one for all blocks", copy, rule.parts[0]));
      }
    }
    return parts.size() == 1 ? parts[0] : torch::cat(parts, 0);
  }

 private:
  struct Entry {
    KeyRule rule;
    std::vector<std::int64_t> shape;
  };

  [[nodiscard]] const Entry& entry(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) throw CorruptData(fmt::format("no tensor {}", common::valid_utf8(name)));
    return found->second;
  }

  void add(const KeyRule& rule) {
    std::vector<std::int64_t> shape = inner_->shape(rule.parts[0]);
    for (std::size_t i = 1; i < rule.parts.size(); ++i) {
      const std::vector<std::int64_t>& other = inner_->shape(rule.parts[i]);
      const bool fits = !shape.empty() && other.size() == shape.size() &&
                        std::equal(shape.begin() + 1, shape.end(), other.begin() + 1) &&
                        inner_->type(rule.parts[i]) == inner_->type(rule.parts[0]);
      if (!fits) throw CorruptData(fmt::format("{} and {} do not go together", rule.parts[0], rule.parts[i]));
      shape[0] += other[0];
    }
    entries_[rule.name] = {rule, shape};
    names_.push_back(rule.name);
  }

  std::unique_ptr<TensorSource> inner_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> names_;
};

bool all_start_with(const TensorSource& source, const std::string& prefix) {
  const auto& names = source.names();
  return !names.empty() &&
         std::all_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(prefix); });
}

/// Wrappers of training programs put these in front of every name.
std::unique_ptr<TensorSource> without_prefix(std::unique_ptr<TensorSource> source) {
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "transformer."}) {
    if (!all_start_with(*source, prefix)) continue;
    std::vector<KeyRule> rules;
    for (const std::string& name : source->names()) rules.push_back({name.substr(prefix.size()), {name}, {}});
    return without_prefix(std::make_unique<AssembledSource>(std::move(source), rules));
  }
  return source;
}

std::int64_t count_blocks(const TensorSource& source) {
  std::int64_t depth = 0;
  const auto& names = source.names();
  const std::set<std::string> all(names.begin(), names.end());
  while (all.count(fmt::format("{}{}.norm1.linear.weight", kDiffusersBlocks, depth)) != 0) ++depth;
  return depth;
}

}  // namespace

std::vector<KeyRule> diffusers_rules(std::int64_t depth) {
  std::vector<KeyRule> rules;
  add_linear(rules, "x_embedder.proj", {"pos_embed.proj"});
  add_embedders(rules, depth);
  for (std::int64_t i = 0; i < depth; ++i) add_block(rules, i);
  add_linear(rules, "final_layer.adaLN_modulation.1", {"proj_out_1"});
  add_linear(rules, "final_layer.linear", {"proj_out_2"});
  return rules;
}

bool is_diffusers_layout(const TensorSource& source) {
  const auto& names = source.names();
  return std::find(names.begin(), names.end(), fmt::format("{}0.norm1.linear.weight", kDiffusersBlocks)) != names.end();
}

std::unique_ptr<TensorSource> under_reference_names(std::unique_ptr<TensorSource> source) {
  source = without_prefix(std::move(source));
  if (!is_diffusers_layout(*source)) return source;
  std::vector<KeyRule> rules = diffusers_rules(count_blocks(*source));
  const auto& names = source->names();
  // Old versions of diffusers stored the position embedding.
  constexpr const char* kPositions = "pos_embed.pos_embed";
  if (std::find(names.begin(), names.end(), kPositions) != names.end())
    rules.push_back({kPositionTensor, {kPositions}, {}});
  return std::make_unique<AssembledSource>(std::move(source), rules);
}

}  // namespace ditscale::worker
