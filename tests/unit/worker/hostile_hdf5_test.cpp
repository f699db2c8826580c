#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <hdf5.h>
#include <sys/wait.h>
#include <torch/types.h>
#include <unistd.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::HasSubstr;

/// Seconds after which a reader counts as hung.
constexpr unsigned kPatience_s = 120;

/// What came of reading everything in a damaged file.
enum class Outcome { kRead, kRefused };

class HostileHdf5 : public InScratchFolder {
 protected:
  HostileHdf5() {
    Hdf5File out = Hdf5File::create(at("good.h5"));
    out.write("group/matrix", torch::arange(24, torch::kDouble).reshape({4, 6}));
    out.write("flat", torch::arange(100, torch::kFloat));
    out.write("bytes", torch::arange(16, torch::kByte));
    out.write_text("text", R"({"depth": 4})");
    out.close();
    good_ = bytes_of(at("good.h5"));
  }

  /// Reads all that the good file has, from memory as the embedded weights are and through the file system.
  static Outcome read_all(const Hdf5File& file) {
    Outcome outcome = Outcome::kRead;
    const std::vector<std::function<void()>> readers{
        [&] {
          (void)file.read("group/matrix", torch::kDouble, {4, 6});
        },
        [&] { (void)file.read("flat"); }, [&] { (void)file.read("bytes"); }, [&] { (void)file.read_text("text"); },
        [&] { (void)file.has("group/x"); }};
    for (const auto& reader : readers) {
      try {
        reader();
      } catch (const common::Error&) {
        outcome = Outcome::kRefused;
      }
    }
    return outcome;
  }

  Outcome read_from_disk(const std::string& bytes) const {
    put(at("bad.h5"), bytes);
    try {
      return read_all(Hdf5File::open(at("bad.h5")));
    } catch (const common::Error&) {
      return Outcome::kRefused;
    }
  }

  static Outcome read_from_memory(const std::string& bytes) {
    try {
      return read_all(Hdf5File::open_image(std::as_bytes(std::span(bytes))));
    } catch (const common::Error&) {
      return Outcome::kRefused;
    }
  }

  /// Runs `act` in a process of its own; it must come back, in time, saying true.
  static void expect_survival(const std::function<bool()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kPatience_s);
      ::_exit(act() ? 0 : 1);
    }
    ASSERT_GT(child, 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }

  /// A file with one dataset "x", made by `make(file)` with HDF5's own interface; gives the reader's message.
  std::string refusal(const std::function<void(hid_t)>& make) const {
    const hid_t file = H5Fcreate(at("odd.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    make(file);
    H5Fclose(file);
    const Hdf5File odd = Hdf5File::open(at("odd.h5"));
    return message_of<CorruptData>([&] { (void)odd.read("x"); });
  }

  static void make_dataset(hid_t file, hid_t type, const std::vector<hsize_t>& shape, hid_t creation = H5P_DEFAULT) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    H5Dclose(H5Dcreate2(file, "x", type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Sclose(space);
  }

  std::string good_;
};

TEST_F(HostileHdf5, IsRefusedAtEveryCut) {
  ASSERT_EQ(read_from_disk(good_), Outcome::kRead);
  expect_survival([&] {
    bool all_refused = true;
    for (std::size_t length = 0; length < good_.size(); ++length) {
      const std::string cut = good_.substr(0, length);
      all_refused = all_refused && read_from_memory(cut) == Outcome::kRefused;
      if (length % 7 == 0) all_refused = all_refused && read_from_disk(cut) == Outcome::kRefused;
    }
    return all_refused;
  });
}

TEST_F(HostileHdf5, NeverCrashesAReaderWithOneBitFlipped) {
  ASSERT_EQ(read_from_memory(good_), Outcome::kRead);
  expect_survival([&] {
    std::string bytes = good_;
    for (std::size_t bit = 0; bit < 8 * good_.size(); bit += 5) {  // every place and, over the file, every weight
      bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
      (void)read_from_memory(bytes);
      bytes[bit / 8] = good_[bit / 8];
    }
    return true;
  });
}

TEST_F(HostileHdf5, NeverCrashesAReaderWithARunOfBytesOverwritten) {
  expect_survival([&] {
    for (const char filler : {'\0', '\xff', '\x7f'}) {
      for (std::size_t begin = 0; begin + 8 <= good_.size(); begin += 3)
        (void)read_from_memory(std::string(good_).replace(begin, 8, 8, filler));
    }
    return true;
  });
}

TEST_F(HostileHdf5, IsRefusedWithShapesBeyondTheFile) {
  constexpr hsize_t kLarge = hsize_t{1} << 31;
  EXPECT_THAT(refusal([](hid_t f) {
                make_dataset(f, H5T_IEEE_F32LE, {kLarge, kLarge / 16});
              }),
              HasSubstr("not inside the file"));
  EXPECT_THAT(refusal([](hid_t f) { make_dataset(f, H5T_IEEE_F32LE, {1 << 20}); }), HasSubstr("not inside the file"));
}

TEST_F(HostileHdf5, IsRefusedWithTypesAndLayoutsThatAreNotOurs) {
  EXPECT_THAT(refusal([](hid_t f) { make_dataset(f, H5T_IEEE_F32BE, {4}); }), HasSubstr("little-endian"));
  EXPECT_THAT(refusal([](hid_t f) { make_dataset(f, H5T_STD_I16LE, {4}); }), HasSubstr("little-endian"));
  EXPECT_THAT(refusal([](hid_t f) {
                make_dataset(f, H5T_IEEE_F32LE, {1, 1, 1, 1, 1, 1, 1, 1, 1});
              }),
              HasSubstr("at most 8 dimensions"));
  EXPECT_THAT(refusal([](hid_t f) {
                const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
                const hsize_t chunk = 4;
                H5Pset_chunk(creation, 1, &chunk);
                H5Pset_deflate(creation, 9);
                make_dataset(f, H5T_IEEE_F32LE, {hsize_t{1} << 40}, creation);
                H5Pclose(creation);
              }),
              HasSubstr("contiguous"));
  EXPECT_THAT(refusal([](hid_t f) {
                const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
                H5Pset_external(creation, "/etc/hostname", 0, 4);
                make_dataset(f, H5T_STD_U8LE, {4}, creation);
                H5Pclose(creation);
              }),
              HasSubstr("inside the file"));
  EXPECT_THAT(refusal([](hid_t f) { H5Gclose(H5Gcreate2(f, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }),
              HasSubstr("read x"));
}

TEST_F(HostileHdf5, IsRefusedWithTextOfNoFixedLength) {
  const hid_t file = H5Fcreate(at("odd.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  make_dataset(file, type, {1});
  H5Tclose(type);
  H5Fclose(file);
  const Hdf5File odd = Hdf5File::open(at("odd.h5"));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)odd.read_text("x"); }), HasSubstr("fixed length"));
}

TEST_F(HostileHdf5, IsNotFollowedToOtherFiles) {
  const hid_t file = H5Fcreate(at("odd.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Lcreate_external(at("good.h5").c_str(), "/flat", file, "external", H5P_DEFAULT, H5P_DEFAULT), 0);
  ASSERT_GE(H5Lcreate_external(at("good.h5").c_str(), "/group", file, "group", H5P_DEFAULT, H5P_DEFAULT), 0);
  ASSERT_GE(H5Lcreate_external(at("good.h5").c_str(), "/text", file, "text", H5P_DEFAULT, H5P_DEFAULT), 0);
  ASSERT_GE(H5Lcreate_soft("/external", file, "soft", H5P_DEFAULT, H5P_DEFAULT), 0);
  H5Fclose(file);
  const Hdf5File odd = Hdf5File::open(at("odd.h5"));
  const std::vector<std::function<void()>> readers{
      [&] { (void)odd.read("external"); },     [&] { (void)odd.read("soft"); },
      [&] { (void)odd.read("group/matrix"); }, [&] { (void)odd.read_text("text"); },
      [&] { (void)odd.place("external"); },    [&] { (void)odd.has("external"); },
      [&] { (void)odd.has("group/matrix"); }};
  for (const auto& reader : readers) EXPECT_THAT(message_of<CorruptData>(reader), HasSubstr("soft or external link"));
}

}  // namespace
}  // namespace ditscale::worker
