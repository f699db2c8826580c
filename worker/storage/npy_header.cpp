#include "worker/storage/npy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::worker {

using common::CorruptData;

namespace {

struct NpyType {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<NpyType, 9> kNpyTypes{{{"<f4", at::kFloat},
                                            {"<f8", at::kDouble},
                                            {"<f2", at::kHalf},
                                            {"<i8", at::kLong},
                                            {"<i4", at::kInt},
                                            {"<i2", at::kShort},
                                            {"|i1", at::kChar},
                                            {"|u1", at::kByte},
                                            {"|b1", at::kBool}}};
constexpr std::size_t kMaxNpyDimensions = 16;

/// Walks over Python's text of the dictionary.
class NpyScanner {
 public:
  NpyScanner(std::string_view text, std::string label) : text_(text), label_(std::move(label)) {}

  [[noreturn]] void fail(const std::string& reason) const { throw CorruptData(fmt::format("{}: {}", label_, reason)); }
  bool take(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("its header is no .npy header: '{}' is expected", c));
  }
  std::string quoted() {
    skip_space();
    const char quote = text_.empty() ? ' ' : text_.front();
    if (quote != '\'' && quote != '"') fail("its header is no .npy header: a quoted text is expected");
    const std::size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) fail("its header is no .npy header: a quoted text never ends");
    std::string result(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return result;
  }
  bool truth() {
    skip_space();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(std::string_view(word).size());
      return value;
    }
    fail("its fortran_order is neither True nor False");
  }
  std::int64_t whole_number() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (code != std::errc() || value < 0) fail("its shape holds something that is no size");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!take(')')) {
      if (sizes.size() == kMaxNpyDimensions) fail(fmt::format("it has more than {} dimensions", kMaxNpyDimensions));
      sizes.push_back(whole_number());
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }
  [[nodiscard]] bool at_end() {
    skip_space();
    return text_.empty();
  }

 private:
  void skip_space() {
    const std::size_t at = text_.find_first_not_of(" \n");
    text_.remove_prefix(std::min(at, text_.size()));
  }
  std::string_view text_;
  std::string label_;
};

at::ScalarType type_from(const std::string& name, const NpyScanner& scanner) {
  for (const NpyType& type : kNpyTypes) {
    if (type.name == name) return type.type;
  }
  if (name.find('O') != std::string::npos)
    scanner.fail("an array of Python objects is a pickle, which is never read; allowed are arrays of numbers");
  scanner.fail(fmt::format("elements of type {} are not read; allowed: <f2 <f4 <f8 <i2 <i4 <i8 |i1 |u1 |b1",
                           common::valid_utf8(name)));
}

std::uint64_t count_bytes(const NpyHeader& header, const NpyScanner& scanner) {
  std::int64_t bytes = static_cast<std::int64_t>(at::elementSize(header.type));
  bool is_empty = false;
  for (const std::int64_t size : header.shape) {
    is_empty = is_empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes)) scanner.fail("impossible shape");
  }
  return is_empty ? 0 : static_cast<std::uint64_t>(bytes);
}

}  // namespace

NpyHeader parse_npy_header(std::string_view text, const std::string& label) {
  NpyScanner scanner(text, label);
  NpyHeader header;
  bool has_type = false, has_order = false, has_shape = false;
  scanner.expect('{');
  while (!scanner.take('}')) {
    const std::string key = scanner.quoted();
    scanner.expect(':');
    bool* known = key == "descr"           ? &has_type
                  : key == "fortran_order" ? &has_order
                  : key == "shape"         ? &has_shape
                                           : nullptr;
    if (known == nullptr || *known)
      scanner.fail(fmt::format("its header has an unexpected {}", common::valid_utf8(key)));
    *known = true;
    if (key == "descr") header.type = type_from(scanner.quoted(), scanner);
    if (key == "fortran_order") header.fortran_order = scanner.truth();
    if (key == "shape") header.shape = scanner.shape();
    if (!scanner.take(',')) {
      scanner.expect('}');
      break;
    }
  }
  if (!has_type || !has_order || !has_shape || !scanner.at_end())
    scanner.fail("its header is no .npy header: descr, fortran_order and shape are expected");
  header.num_bytes = count_bytes(header, scanner);
  return header;
}

std::string npy_header_text(const torch::Tensor& array) {
  const auto* type =
      std::find_if(kNpyTypes.begin(), kNpyTypes.end(), [&](const NpyType& t) { return t.type == array.scalar_type(); });
  DITSCALE_CHECK(type != kNpyTypes.end(), "{} has no place in an .npy file", at::toString(array.scalar_type()));
  std::string shape;
  for (const std::int64_t size : array.sizes()) shape += fmt::format("{}, ", size);
  if (array.dim() > 1) shape.resize(shape.size() - 2);
  if (array.dim() == 1) shape.resize(shape.size() - 1);
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type->name, shape);
  constexpr std::size_t kAlignment_bytes = 64;
  const std::size_t whole =
      (kNpyShortStart_bytes + text.size() + 1 + kAlignment_bytes - 1) / kAlignment_bytes * kAlignment_bytes;
  text.resize(whole - kNpyShortStart_bytes - 1, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  std::string start("\x93NUMPY\x01\x00", 8);
  start.append(reinterpret_cast<const char*>(&length), sizeof length);
  return start + text;
}

}  // namespace ditscale::worker
