#include "worker/storage/npz_file.hpp"

#include <cstring>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/handmade_zip.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::ElementsAre;
using testing::HasSubstr;

/// An .npy file of version 1 as NumPy's format.py describes it.
std::string npy(const std::string& dictionary, const std::string& values) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  append(bytes, static_cast<std::uint16_t>(dictionary.size()));
  return bytes + dictionary + values;
}

template <typename T>
std::string bytes_of_values(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class Npz : public InScratchFolder {
 protected:
  NpzFile open(const std::vector<HandmadeEntry>& entries) const {
    put(at("a.npz"), handmade_zip(entries));
    return NpzFile::open(at("a.npz"));
  }
  std::string refusal(const std::string& npy_bytes) const {
    return message_of<CorruptData>([&] { (void)open({stored("x.npy", npy_bytes)}).read("x"); });
  }
  std::string refusal(const std::string& dictionary, const std::string& values) const {
    return refusal(npy(dictionary, values));
  }
};

TEST_F(Npz, ReadsWhatNumPyWrites) {
  const std::string values = bytes_of_values<float>({1, 2, 3, 4, 5, 6});
  const NpzFile file =
      open({deflated("x.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n", values)),
            stored("labels.npy", npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n",
                                     bytes_of_values<std::int64_t>({7, -1}))),
            stored("one.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", "\x05")),
            stored("readme.txt", "no array")});
  EXPECT_THAT(file.names(), ElementsAre("x", "labels", "one"));
  EXPECT_TRUE(file.read("x").equal(torch::tensor({{1.F, 2.F, 3.F}, {4.F, 5.F, 6.F}})));
  EXPECT_TRUE(file.read("labels").equal(torch::tensor({7, -1}, torch::kInt64)));
  EXPECT_EQ(file.read("one").item<int>(), 5);
  EXPECT_FALSE(file.has("y"));
}

TEST_F(Npz, TurnsFortranOrderAround) {
  const std::string values = bytes_of_values<double>({1, 4, 2, 5, 3, 6});
  const NpzFile file =
      open({stored("x.npy", npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n", values))});
  EXPECT_TRUE(file.read("x").equal(torch::tensor({{1., 2., 3.}, {4., 5., 6.}}, torch::kFloat64)));
}

TEST_F(Npz, GivesBackWhatItWrote) {
  const std::vector<std::pair<std::string, torch::Tensor>> arrays{
      {"a", torch::randn({2, 3, 4})},
      {"b", torch::tensor({1, 2}, torch::kInt64)},
      {"c", torch::tensor(3.5, torch::kFloat64)},
      {"d", torch::arange(6, torch::kInt32).view({2, 3}).t()},
      {"e", torch::empty({0, 5})},
      {"f", torch::tensor({1, 0}, torch::kUInt8).to(torch::kBool)},
      {"g", torch::randn({3}).to(torch::kHalf)},
  };
  write_npz(at("out.npz"), arrays);
  const NpzFile file = NpzFile::open(at("out.npz"));
  for (const auto& [name, array] : arrays) {
    const torch::Tensor read = file.read(name);
    EXPECT_EQ(read.scalar_type(), array.scalar_type()) << name;
    EXPECT_TRUE(read.equal(array)) << name;
  }
}

TEST_F(Npz, WhoseHeaderClaimsOtherThanTheEntryHoldsAreRefused) {
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", "abcd"),
              HasSubstr("needs 4000000000000 bytes"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcd"), HasSubstr("8 bytes"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "abcdefgh"), HasSubstr("4 bytes"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 8), }", "abcd"),
              HasSubstr("impossible"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "abcd"),
              HasSubstr("no size"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "abcd"), HasSubstr("no size"));
}

TEST_F(Npz, OfObjectsOrForeignNumbersAreRefused) {
  EXPECT_THAT(refusal("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "abcd"), HasSubstr("never read"));
  EXPECT_THAT(refusal("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "abcd"), HasSubstr(">f4"));
  EXPECT_THAT(refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "abcd"),
              HasSubstr("quoted"));
}

TEST_F(Npz, WithAnotherHeaderAreRefused) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_NE(refusal(good.substr(0, length), "abcd"), "");
  EXPECT_THAT(refusal("__import__('os').system('true')", "abcd"), HasSubstr("'{' is expected"));
  EXPECT_THAT(refusal("{'descr': '<f4', 'descr': '<f4', }", "abcd"), HasSubstr("unexpected descr"));
  EXPECT_THAT(refusal(good + "x", "abcd"), HasSubstr("no .npy header"));
  EXPECT_THAT(refusal("\x93NUMP"), HasSubstr("too short"));
  EXPECT_THAT(refusal("not a numpy array"), HasSubstr("no .npy array"));
  const std::string whole = npy(good, "abcd");
  for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_NE(refusal(whole.substr(0, length)), "");
}

}  // namespace
}  // namespace ditscale::worker
