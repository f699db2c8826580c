#include "worker/storage/hdf5_call.hpp"

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// Called with the innermost record first.
herr_t keep_first(unsigned number, const H5E_error2_t* record, void* out) {
  if (number == 0 && record->desc != nullptr) *static_cast<std::string*>(out) = record->desc;
  return 0;
}

std::string innermost_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

/// The text of the errno inside one of HDF5's descriptions ("…, errno = 28, error message = 'No space left on device',
/// …"), or empty.
std::string system_reason(const std::string& description) {
  constexpr std::string_view kMarker = "error message = '";
  const std::size_t marker = description.find(kMarker);
  if (marker == std::string::npos) return {};
  const std::size_t begin = marker + kMarker.size();
  return description.substr(begin, description.find('\'', begin) - begin);
}

}  // namespace

Hdf5Session::Hdf5Session() : lock_(library_mutex()) {
  // Every file is closed by its owner; a file that could not be flushed must not be tried again at exit.
  static const bool configured = [] {
    H5dont_atexit();
    return H5open() >= 0;
  }();
  DITSCALE_CHECK(configured, "HDF5 does not start");
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

void throw_hdf5_error(const std::string& action, Hdf5Blame blame) {
  const std::string reason = innermost_reason();
  const std::string system = system_reason(reason);
  if (!system.empty()) throw common::SystemError(fmt::format("{}: {}", action, system));
  if (blame == Hdf5Blame::kSystem) throw common::SystemError(fmt::format("{}: {}", action, reason));
  throw common::CorruptData(fmt::format("{}: {}", action, reason));
}

}  // namespace ditscale::worker
