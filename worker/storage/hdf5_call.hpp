#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <hdf5.h>

namespace ditscale::worker {

/// Held during every use of HDF5: one thread at a time, whether or not the library was built for threads, and HDF5's
/// own printing of errors switched off for this thread.
class Hdf5Session {
 public:
  Hdf5Session();

 private:
  std::unique_lock<std::mutex> lock_;
};

/// Owns one HDF5 identifier. Used inside a session only.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&&) = delete;
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_;
  Close close_;
};

/// Whose fault a failed call is when the system reported no error of its own.
enum class Hdf5Blame { kContent, kSystem };

/// Throws CorruptData or SystemError: `action` ("read weights of a.h5"), then HDF5's innermost reason. A failure that
/// carries an errno is the system's in any case.
[[noreturn]] void throw_hdf5_error(const std::string& action, Hdf5Blame blame);

/// Passes the result of an HDF5 call through; a negative one throws as above.
template <typename Result>
Result check_hdf5(Result result, const std::string& action, Hdf5Blame blame) {
  if (result < 0) throw_hdf5_error(action, blame);
  return result;
}

}  // namespace ditscale::worker
