#include "worker/data/store_set.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

/// Collects what differs between a trial and its store.
class Comparison {
 public:
  template <typename T>
  void expect(const char* what, const T& said, const T& found) {
    if (said != found) text_ += fmt::format("{}{} {} (the store: {})", text_.empty() ? "" : ", ", what, said, found);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void check_facts(const sweeps::DataSpec& data, const StoreFacts& facts) {
  Comparison difference;
  difference.expect<std::string>("space", std::string(to_name(data.space)), facts.latents ? "latents" : "pixels");
  difference.expect("image_size", data.image_size, facts.image_size);
  difference.expect("channels", data.channels, facts.channels);
  difference.expect("num_classes", data.num_classes, facts.num_classes);
  difference.expect("num_images", data.num_images, facts.num_images);
  if (data.is_store()) {
    difference.expect("digest", data.digest, facts.digest);
    difference.expect("context_tokens", data.context_tokens, facts.context_tokens);
    difference.expect("context_width", data.context_width, facts.context_width);
  }
  if (difference.text().empty()) return;
  throw common::ConfigError(
      fmt::format("{} is not the store that the trial describes: {}; `worker prepare` printed what "
                  "to write under \"data\"",
                  data.root, difference.text()));
}

}  // namespace

ImageSet load_store_set(const sweeps::DataSpec& data, std::size_t held_in_memory_bytes) {
  if (data.root.empty())
    throw common::ConfigError(fmt::format("data.root is empty: set it to the store of {}", data.name));
  auto store = std::make_shared<const Store>(data.root);
  const StoreFacts& facts = store->facts();
  check_facts(data, facts);
  ImageSet set{{}, store->labels(), facts.digest, store};
  const std::size_t num_bytes = store->row_bytes() * static_cast<std::size_t>(facts.num_images);
  if (facts.latents || facts.has_context() || num_bytes > held_in_memory_bytes) return set;
  set.images = store->rows(0, facts.num_images);
  set.store = nullptr;
  return set;
}

torch::Tensor ImageSet::piece(std::int64_t begin, std::int64_t end) const {
  if (images.defined()) return images.slice(0, begin, end);
  if (store->facts().latents)
    throw common::ConfigError("images are asked for, the store holds latents: scores of pixels need a decoder");
  return store->rows(begin, std::min(end, num_images()) - begin);
}

}  // namespace ditscale::worker
