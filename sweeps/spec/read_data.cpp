#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/spec/data_sets.hpp"
#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::ObjectReader;
using common::Range;

namespace {

constexpr char kStore[] = "store";

std::vector<std::string> data_names() {
  std::vector<std::string> names;
  for (const DataSetFacts& facts : data_sets()) names.push_back(facts.name);
  names.emplace_back(kStore);
  return names;
}

void read_known_set(ObjectReader& reader, DataSpec& data) {
  const DataSetFacts& facts = data_set(data.name);
  data.image_size = facts.image_sizes.front();
  reader.get("image_size", data.image_size, kPositive);
  if (std::find(facts.image_sizes.begin(), facts.image_sizes.end(), data.image_size) == facts.image_sizes.end()) {
    reader.fail("image_size", fmt::format("{} has no images of {} pixels; allowed: {}", data.name, data.image_size,
                                          fmt::join(facts.image_sizes, ", ")));
  }
  data.space = facts.space;
  data.channels = facts.channels;
  data.num_classes = facts.num_classes;
  data.num_images = facts.num_images;
}

void read_store(ObjectReader& reader, DataSpec& data) {
  for (const char* key : {"image_size", "space", "channels", "num_classes", "num_images", "digest"}) {
    if (!reader.has(key))
      reader.fail("", fmt::format("a store needs \"{}\": paste the \"data\" object that worker prepare printed", key));
  }
  reader.get("image_size", data.image_size, Range{1, 65'536});
  read_choice(reader, "space", data.space);
  reader.get("channels", data.channels, Range{1, 1024});
  reader.get("num_classes", data.num_classes, Range{0, 1 << 24});
  reader.get("num_images", data.num_images, kPositive);
  reader.get("digest", data.digest);
  reader.get("context_tokens", data.context_tokens, Range{0, 65'536});
  reader.get("context_width", data.context_width, Range{0, 65'536});
  if ((data.context_tokens == 0) != (data.context_width == 0))
    reader.fail("context_width", "context_tokens and context_width are both 0 (no embeddings) or both above it");
  if (data.space == DataSpace::kLatents && data.image_size % kLatentDownsampling != 0)
    reader.fail("image_size", fmt::format("{} pixels have no latents; allowed: a multiple of {}", data.image_size,
                                          kLatentDownsampling));
}

}  // namespace

void read_data(ObjectReader& reader, DataSpec& data) {
  reader.get_choice("name", data.name, data_names());
  if (data.is_store()) {
    read_store(reader, data);
  } else {
    read_known_set(reader, data);
  }
  reader.get("root", data.root);
  reader.get("flip", data.flip);
}

}  // namespace ditscale::sweeps
