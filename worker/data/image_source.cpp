#include "worker/data/image_source.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <system_error>
#include <utility>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/data/array_source.hpp"
#include "worker/data/decode_image.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxImageFile_bytes = std::size_t{256} << 20;
/// Deeper folders are taken for a loop of links.
constexpr int kMaxDepth = 32;

bool is_image_name(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return std::tolower(c); });
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png";
}

/// Collects the images below a folder into a list.
class Scan {
 public:
  Scan(fs::path root, SourceList& list) : root_(std::move(root)), list_(list) {}

  void visit(const std::string& below, int depth = 0) {
    if (depth > kMaxDepth)
      throw common::UsageError(
          fmt::format("{}: folders deeper than {}: is there a loop of links?", (root_ / below).string(), kMaxDepth));
    std::error_code code;
    for (fs::directory_iterator entry(root_ / below, code), end; !code && entry != end; entry.increment(code))
      take(*entry, below, depth);
    if (code) throw common::errno_error("list", (root_ / below).string(), code.value());
  }

 private:
  void take(const fs::directory_entry& entry, const std::string& below, int depth) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) return;
    const std::string path = below.empty() ? name : below + "/" + name;
    std::error_code code;
    if (entry.is_directory(code)) return visit(path, depth + 1);
    if (!is_image_name(name)) {
      ++list_.num_ignored;
    } else if (entry.is_regular_file(code)) {
      list_.names.push_back(path);
    } else {
      throw common::UsageError(fmt::format("{}: neither a file nor a link to one: remove it", entry.path().string()));
    }
  }

  fs::path root_;
  SourceList& list_;
};

/// Classes are the first parts of the paths, which are sorted.
void find_classes(SourceList& list, const fs::path& source) {
  const auto depth_0 = [](const std::string& name) { return name.find('/') == std::string::npos; };
  const auto loose = std::find_if(list.names.begin(), list.names.end(), depth_0);
  if (std::all_of(list.names.begin(), list.names.end(), depth_0)) return;
  if (loose != list.names.end())
    throw common::UsageError(fmt::format(
        "{}: {} lies beside folders of images: put it into one, so that it has a class", source.string(), *loose));
  for (const std::string& name : list.names) {
    const std::string class_name = name.substr(0, name.find('/'));
    if (list.class_names.empty() || list.class_names.back() != class_name) list.class_names.push_back(class_name);
    list.labels.push_back(list.num_classes() - 1);
  }
}

/// By class first: "a-b/x" must not stand between "a/x" and "a/y" (in bytes, '-' comes before '/').
bool comes_before(const std::string& a, const std::string& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto order = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
    return order(x) < order(y);
  });
}

SourceList list_folder(const fs::path& source) {
  SourceList list;
  Scan(source, list).visit("");
  std::sort(list.names.begin(), list.names.end(), comes_before);
  if (list.names.empty())
    throw common::UsageError(fmt::format("{}: no .jpg, .jpeg or .png file is there or below", source.string()));
  list.num_images = static_cast<std::int64_t>(list.names.size());
  find_classes(list, source);
  std::string all;
  for (const std::string& name : list.names) all.append(name).push_back('\0');
  list.digest = common::hash_hex128(all);
  return list;
}

class FolderSource final : public ImageSource {
 public:
  FolderSource(fs::path root, std::vector<std::string> names) : root_(std::move(root)), names_(std::move(names)) {}

  [[nodiscard]] std::string name(std::int64_t index) const override {
    return (root_ / names_[static_cast<std::size_t>(index)]).string();
  }
  [[nodiscard]] Picture picture(std::int64_t index) const override {
    return decode_image(common::read_file(name(index), kMaxImageFile_bytes));
  }

 private:
  fs::path root_;
  std::vector<std::string> names_;
};

}  // namespace

SourceKind kind_of_source(const fs::path& source) {
  if (!fs::exists(source))
    throw common::UsageError(fmt::format("{}: there is no such file or folder", source.string()));
  if (fs::is_directory(source)) return SourceKind::kFolder;
  std::array<char, 4> head{};
  std::ifstream stream(source, std::ios::binary);
  if (!stream) throw common::errno_error("open", source.string());
  stream.read(head.data(), head.size());
  const std::string_view start(head.data(), static_cast<std::size_t>(stream.gcount()));
  if (start.starts_with("\x1f\x8b") || start.starts_with(std::string_view("\0\0\x08", 3))) return SourceKind::kIdx;
  if (start.starts_with("PK")) return SourceKind::kNpz;
  throw common::UsageError(
      fmt::format("{}: neither a folder of images, nor an IDX file (plain or gzip), nor an npz file", source.string()));
}

SourceList list_source(const fs::path& source, const fs::path& labels) {
  const SourceKind kind = kind_of_source(source);
  if (kind != SourceKind::kIdx && !labels.empty())
    throw common::UsageError("--labels goes with an IDX file; folders and npz files bring their own");
  switch (kind) {
    case SourceKind::kFolder:
      return list_folder(source);
    case SourceKind::kIdx:
      return list_idx(source, labels);
    case SourceKind::kNpz:
      return list_npz(source);
  }
  throw common::InternalError("a kind of source without a list");
}

std::unique_ptr<ImageSource> open_source(const fs::path& source, SourceKind kind, std::vector<std::string> names) {
  if (kind == SourceKind::kIdx) return open_idx(source);
  if (kind == SourceKind::kNpz) return open_npz(source);
  return std::make_unique<FolderSource>(source, std::move(names));
}

}  // namespace ditscale::worker
