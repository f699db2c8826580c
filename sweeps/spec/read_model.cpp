#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::ObjectReader;
using common::Range;

ModelSpec named_model_or_fail(ObjectReader& reader, const std::string& key, const std::string& name) {
  const auto model = named_model(name);
  if (!model)
    reader.fail(key,
                fmt::format("\"{}\" is no published size; allowed: {}", name, fmt::join(named_model_names(), ", ")));
  return *model;
}

void read_model(ObjectReader& reader, ModelSpec& model) {
  std::optional<std::string> name;
  reader.get("name", name);
  if (name) model = named_model_or_fail(reader, "name", *name);
  reader.get("depth", model.depth, Range{1, 1000});
  reader.get("width", model.width, Range{4, 65'536});
  reader.get("heads", model.heads, Range{1, 1024});
  reader.get("patch", model.patch, Range{1, 512});
  read_choice(reader, "block", model.block);
  reader.get("mlp_ratio", model.mlp_ratio, Range{0, 64, true});
  read_choice(reader, "conditioning", model.conditioning);
  if (model.conditioning == Conditioning::kNone) model.class_dropout = 0;
  reader.get("class_dropout", model.class_dropout, Range{0, 1});
  reader.get("qk_norm", model.qk_norm);
  read_choice(reader, "norm", model.norm);
  read_choice(reader, "mlp", model.mlp);
  read_choice(reader, "position", model.position);
  read_choice(reader, "adaln_init", model.adaln_init);
  reader.get("mup_base_width", model.mup_base_width, Range{4, 65'536});
  reader.get("mup_base_heads", model.mup_base_heads, Range{1, 1024});
  // What says the same as leaving it out must not make another trial of it; so in the other parts.
  if (model.mup_base_width && model.mup_base_heads == model.heads) model.mup_base_heads.reset();
}

}  // namespace ditscale::sweeps
