#include "worker/storage/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "worker/storage/hdf5_call.hpp"

namespace ditscale::worker {

static_assert(sizeof(hid_t) == sizeof(std::int64_t));

namespace {

using common::CorruptData;

/// Datasets from this size on start at a multiple of kAlignment_bytes.
constexpr hsize_t kAlignFrom_bytes = hsize_t{1} << 20;
constexpr hsize_t kAlignment_bytes = 4096;
constexpr int kMaxDimensions = 8;

/// One element type in memory and on disk (little-endian).
struct ElementType {
  at::ScalarType scalar;
  hid_t memory;
  hid_t disk;
};

/// IEEE 754 binary16, which HDF5 describes but does not name: sign in bit 15, five bits of exponent, ten of mantissa.
hid_t half_type() {
  static const hid_t type = [] {
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    return half;
  }();
  return type;
}

/// HDF5's types are variables that exist once the library is open.
std::array<ElementType, 5> element_types() {
  return {{{at::kFloat, H5T_NATIVE_FLOAT, H5T_IEEE_F32LE},
           {at::kHalf, half_type(), half_type()},
           {at::kDouble, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE},
           {at::kLong, H5T_NATIVE_INT64, H5T_STD_I64LE},
           {at::kByte, H5T_NATIVE_UINT8, H5T_STD_U8LE}}};
}

ElementType element_type(at::ScalarType scalar) {
  for (const ElementType& type : element_types()) {
    if (type.scalar == scalar) return type;
  }
  throw common::InternalError(
      fmt::format("{} cannot be written to HDF5: use float16, float32, float64, int64 or uint8", at::toString(scalar)));
}

std::string shape_text(at::IntArrayRef shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

Hdf5Handle property_list(hid_t kind) { return {H5Pcreate(kind), H5Pclose}; }

Hdf5Handle file_access() {
  Hdf5Handle access = property_list(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_alignment(access.get(), kAlignFrom_bytes, kAlignment_bytes);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  // Writers use names of their own, and network file systems may lack locks.
  H5Pset_file_locking(access.get(), false, true);
  return access;
}

/// Settings of a new file, group or dataset (`kind`): no time stamps, which would make equal content differ.
Hdf5Handle creation_list(hid_t kind) {
  Hdf5Handle creation = property_list(kind);
  H5Pset_obj_track_times(creation.get(), false);
  return creation;
}

Hdf5Handle dataset_creation() {
  Hdf5Handle creation = creation_list(H5P_DATASET_CREATE);
  H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
  H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  return creation;
}

/// Makes the groups that `name` goes through. HDF5 could, but with time stamps.
void make_groups(hid_t file, const std::string& action, const std::string& name) {
  for (std::size_t end = name.find('/', 1); end != std::string::npos; end = name.find('/', end + 1)) {
    const std::string group = name.substr(0, end);
    if (H5Lexists(file, group.c_str(), H5P_DEFAULT) > 0) continue;
    const Hdf5Handle creation = creation_list(H5P_GROUP_CREATE);
    const Hdf5Handle made(check_hdf5(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), action,
                                     Hdf5Blame::kSystem),
                          H5Gclose);
  }
}

Hdf5Handle make_dataset(hid_t file, const std::string& action, const std::string& name, hid_t disk,
                        const Hdf5Handle& space) {
  make_groups(file, action, name);
  const Hdf5Handle creation = dataset_creation();
  return {check_hdf5(H5Dcreate2(file, name.c_str(), disk, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                     action, Hdf5Blame::kSystem),
          H5Dclose};
}

void write_dataset(hid_t file, const std::string& action, const std::string& name, hid_t disk, hid_t memory,
                   const Hdf5Handle& space, const void* data) {
  const Hdf5Handle dataset = make_dataset(file, action, name, disk, space);
  if (H5Sget_simple_extent_npoints(space.get()) == 0) return;
  check_hdf5(H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), action, Hdf5Blame::kSystem);
}

/// Whether `name` is there, every link to it lying in this very file: HDF5 would follow an external one to any file or
/// pipe of this machine.
bool is_there(hid_t file, const std::string& action, const std::string& name) {
  // Each link is looked at before the next one is reached through it.
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    const std::string part = name.substr(0, end);
    if (H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) return false;
    H5L_info_t link{};
    check_hdf5(H5Lget_info(file, part.c_str(), &link, H5P_DEFAULT), action, Hdf5Blame::kContent);
    if (link.type != H5L_TYPE_HARD)
      throw CorruptData(
          fmt::format("{}: {} is a soft or external link; only what lies in the file is read", action, part));
  }
  return true;
}

Hdf5Handle open_dataset(hid_t file, const std::string& action, const std::string& name) {
  if (!is_there(file, action, name))
    throw CorruptData(fmt::format("{}: the file has none of that name, or what leads to it is damaged", action));
  return {check_hdf5(H5Dopen2(file, name.c_str(), H5P_DEFAULT), action, Hdf5Blame::kContent), H5Dclose};
}

/// Refuses data that is not one run of `num_bytes` bytes inside the file, before anything is allocated for it.
void check_placement(hid_t file, hid_t dataset, const std::string& action, hsize_t num_bytes) {
  const Hdf5Handle creation(check_hdf5(H5Dget_create_plist(dataset), action, Hdf5Blame::kContent), H5Pclose);
  if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS || H5Pget_external_count(creation.get()) != 0)
    throw CorruptData(fmt::format("{}: only contiguous datasets inside the file are read", action));
  if (num_bytes == 0) return;
  hsize_t file_bytes = 0;
  check_hdf5(H5Fget_filesize(file, &file_bytes), action, Hdf5Blame::kContent);
  const haddr_t offset = H5Dget_offset(dataset);
  const bool inside = offset != HADDR_UNDEF && offset <= file_bytes && num_bytes <= file_bytes - offset;
  if (!inside || H5Dget_storage_size(dataset) != num_bytes)
    throw CorruptData(
        fmt::format("{}: its {} bytes are not inside the file of {} bytes", action, num_bytes, file_bytes));
}

std::vector<std::int64_t> read_shape(hid_t dataset, const std::string& action) {
  const Hdf5Handle space(check_hdf5(H5Dget_space(dataset), action, Hdf5Blame::kContent), H5Sclose);
  const int rank = check_hdf5(H5Sget_simple_extent_ndims(space.get()), action, Hdf5Blame::kContent);
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL || rank > kMaxDimensions)
    throw CorruptData(fmt::format("{}: it is no array of at most {} dimensions", action, kMaxDimensions));
  std::array<hsize_t, kMaxDimensions> sizes{};
  check_hdf5(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr), action, Hdf5Blame::kContent);
  return {sizes.begin(), sizes.begin() + rank};
}

/// Bytes of an array; throws when the number has no meaning on this machine.
hsize_t count_bytes(at::IntArrayRef shape, std::size_t element_bytes, const std::string& action) {
  std::int64_t bytes = static_cast<std::int64_t>(element_bytes);
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes))
      throw CorruptData(fmt::format("{}: impossible shape {}", action, shape_text(shape)));
  }
  return static_cast<hsize_t>(bytes);
}

ElementType read_element_type(hid_t dataset, const std::string& action) {
  const Hdf5Handle type(check_hdf5(H5Dget_type(dataset), action, Hdf5Blame::kContent), H5Tclose);
  for (const ElementType& known : element_types()) {
    if (H5Tequal(type.get(), known.disk) > 0) return known;
  }
  throw CorruptData(
      fmt::format("{}: its elements are not little-endian float16, float32, float64, int64 or uint8", action));
}

/// A dataset that was found fit to be read.
struct ReadableArray {
  Hdf5Handle dataset;
  ElementType type;
  std::vector<std::int64_t> shape;
};

ReadableArray open_array(hid_t file, const std::string& action, const std::string& name) {
  Hdf5Handle dataset = open_dataset(file, action, name);
  const ElementType type = read_element_type(dataset.get(), action);
  std::vector<std::int64_t> shape = read_shape(dataset.get(), action);
  check_placement(file, dataset.get(), action, count_bytes(shape, at::elementSize(type.scalar), action));
  return {std::move(dataset), type, std::move(shape)};
}

torch::Tensor read_array(const ReadableArray& array, const std::string& action) {
  torch::Tensor tensor = torch::empty(array.shape, torch::dtype(array.type.scalar));
  if (tensor.numel() == 0) return tensor;
  check_hdf5(H5Dread(array.dataset.get(), array.type.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.data_ptr()), action,
             Hdf5Blame::kContent);
  return tensor;
}

Hdf5Handle array_space(at::IntArrayRef shape) {
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return {
      sizes.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
      H5Sclose};
}

Hdf5Handle text_type(std::size_t num_bytes) {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), num_bytes);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

}  // namespace

Hdf5File::Hdf5File(std::int64_t file, std::string label) : file_(file), label_(std::move(label)) {}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : file_(std::exchange(other.file_, -1)), label_(std::move(other.label_)) {}

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  if (this != &other) {
    release();
    file_ = std::exchange(other.file_, -1);
    label_ = std::move(other.label_);
  }
  return *this;
}

Hdf5File::~Hdf5File() { release(); }

void Hdf5File::release() noexcept {
  if (file_ < 0) return;
  const Hdf5Session session;
  H5Fclose(std::exchange(file_, -1));
}

std::int64_t Hdf5File::file() const {
  DITSCALE_CHECK(file_ >= 0, "{} is used after it was closed", label_);
  return file_;
}

Hdf5File Hdf5File::create(const std::filesystem::path& path) {
  const Hdf5Session session;
  const Hdf5Handle access = file_access();
  const Hdf5Handle creation = creation_list(H5P_FILE_CREATE);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get());
  return {check_hdf5(file, fmt::format("create {}", path.string()), Hdf5Blame::kSystem), path.string()};
}

Hdf5File Hdf5File::open(const std::filesystem::path& path) {
  const Hdf5Session session;
  const Hdf5Handle access = file_access();
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  return {check_hdf5(file, fmt::format("open {} as an HDF5 file", path.string()), Hdf5Blame::kContent), path.string()};
}

Hdf5File Hdf5File::open_image(std::span<const std::byte> bytes, const std::string& name) {
  const Hdf5Session session;
  const std::string action = fmt::format("open {} as an HDF5 file", name);
  const Hdf5Handle access = file_access();
  H5Pset_fapl_core(access.get(), std::size_t{1} << 16, false);
  // HDF5 copies the image; its parameter lacks const only.
  void* image = const_cast<std::byte*>(bytes.data());
  check_hdf5(H5Pset_file_image(access.get(), image, bytes.size()), action, Hdf5Blame::kContent);
  return {check_hdf5(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.get()), action, Hdf5Blame::kContent), name};
}

void Hdf5File::write(const std::string& name, const torch::Tensor& tensor) {
  DITSCALE_CHECK(tensor.device().is_cpu(), "{} must be on the CPU to be written", name);
  const torch::Tensor data = tensor.contiguous();
  const Hdf5Session session;
  const ElementType type = element_type(data.scalar_type());
  write_dataset(file(), fmt::format("write {} to {}", name, label_), name, type.disk, type.memory,
                array_space(data.sizes()), data.const_data_ptr());
}

void Hdf5File::reserve(const std::string& name, at::ScalarType type, at::IntArrayRef shape) {
  const Hdf5Session session;
  (void)make_dataset(file(), fmt::format("reserve {} in {}", name, label_), name, element_type(type).disk,
                     array_space(shape));
}

ArrayPlace Hdf5File::place(const std::string& name) const {
  const Hdf5Session session;
  const ReadableArray array = open_array(file(), fmt::format("look up {} of {}", name, label_), name);
  const haddr_t offset = H5Dget_offset(array.dataset.get());
  return {array.type.scalar, array.shape, offset == HADDR_UNDEF ? 0 : offset};
}

torch::Tensor Hdf5File::read(const std::string& name) const {
  const Hdf5Session session;
  const std::string action = fmt::format("read {} of {}", name, label_);
  return read_array(open_array(file(), action, name), action);
}

torch::Tensor Hdf5File::read(const std::string& name, at::ScalarType type, at::IntArrayRef shape) const {
  const Hdf5Session session;
  const std::string action = fmt::format("read {} of {}", name, label_);
  const ReadableArray array = open_array(file(), action, name);
  if (array.type.scalar != type || !shape.equals(array.shape))
    throw CorruptData(fmt::format("{}: it is {} of shape {}, needed is {} of shape {}", action,
                                  at::toString(array.type.scalar), shape_text(array.shape), at::toString(type),
                                  shape_text(shape)));
  return read_array(array, action);
}

void Hdf5File::write_text(const std::string& name, const std::string& text) {
  DITSCALE_CHECK(text.find('\0') == std::string::npos, "{} holds a NUL character", name);
  const Hdf5Session session;
  const Hdf5Handle type = text_type(std::max<std::size_t>(text.size(), 1));
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  write_dataset(file(), fmt::format("write {} to {}", name, label_), name, type.get(), type.get(), space, text.c_str());
}

std::string Hdf5File::read_text(const std::string& name, std::size_t max_bytes) const {
  const Hdf5Session session;
  const std::string action = fmt::format("read {} of {}", name, label_);
  const Hdf5Handle dataset = open_dataset(file(), action, name);
  const Hdf5Handle type(check_hdf5(H5Dget_type(dataset.get()), action, Hdf5Blame::kContent), H5Tclose);
  const bool fixed_text = H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0;
  if (!fixed_text || !read_shape(dataset.get(), action).empty())
    throw CorruptData(fmt::format("{}: it is no single text of fixed length", action));
  const std::size_t num_bytes = H5Tget_size(type.get());
  if (num_bytes > max_bytes)
    throw CorruptData(fmt::format("{}: {} bytes of text, at most {} are expected", action, num_bytes, max_bytes));
  check_placement(file(), dataset.get(), action, num_bytes);
  std::string text(num_bytes, '\0');
  const Hdf5Handle memory = text_type(num_bytes);
  check_hdf5(H5Dread(dataset.get(), memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), action,
             Hdf5Blame::kContent);
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

bool Hdf5File::has(const std::string& name) const {
  const Hdf5Session session;
  return is_there(file(), fmt::format("look for {} in {}", name, label_), name);
}

void Hdf5File::close() {
  const hid_t open_file = file();
  const Hdf5Session session;
  const std::string action = fmt::format("write {}", label_);
  const herr_t flushed = H5Fflush(open_file, H5F_SCOPE_LOCAL);
  if (flushed < 0) {
    const Hdf5Handle closed_in_any_case(std::exchange(file_, -1), H5Fclose);
    throw_hdf5_error(action, Hdf5Blame::kSystem);
  }
  check_hdf5(H5Fclose(std::exchange(file_, -1)), action, Hdf5Blame::kSystem);
}

}  // namespace ditscale::worker
