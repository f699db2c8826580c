#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <torch/types.h>
#include <unistd.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/storage/hdf5_file.hpp"
#include "worker/storage/row_file.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using common::SystemError;
using testing::AllOf;
using testing::HasSubstr;

class Hdf5FileTest : public InScratchFolder {
 protected:
  void write_one(const std::string& file, const std::string& name, const torch::Tensor& tensor) {
    Hdf5File out = Hdf5File::create(at(file));
    out.write(name, tensor);
    out.close();
  }

  /// A dataset whose header claims `num_elements` float32 values that were never written.
  void claim(const std::string& file, hsize_t num_elements) {
    const hid_t out = H5Fcreate(at(file).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &num_elements, nullptr);
    const hid_t set = H5Dcreate2(out, "huge", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(out);
  }
};

/// Lowers the size that files of this process may reach while it lives: a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t num_bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{num_bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit before_{};
  sighandler_t old_handler_;
};

TEST_F(Hdf5FileTest, ReadsBackEveryTypeAsItWasWritten) {
  const std::vector<torch::Tensor> tensors{
      torch::tensor({1.5F, -0.0F, 3e38F}), torch::tensor({{1.0, 2.0}, {3.0, 1e-300}}, torch::kDouble),
      torch::tensor({INT64_MIN, INT64_MAX, std::int64_t{0}}, torch::kLong),
      torch::arange(24).reshape({2, 3, 4}).to(torch::kByte), torch::tensor({0.5F, -65504.0F, 6e-8F}).to(torch::kHalf)};
  {
    Hdf5File out = Hdf5File::create(at("a.h5"));
    for (std::size_t i = 0; i < tensors.size(); ++i) out.write("group/t" + std::to_string(i), tensors[i]);
    out.close();
  }
  const Hdf5File in = Hdf5File::open(at("a.h5"));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const torch::Tensor back = in.read("group/t" + std::to_string(i));
    EXPECT_EQ(back.scalar_type(), tensors[i].scalar_type());
    EXPECT_TRUE(torch::equal(back, tensors[i])) << i;
  }
}

TEST_F(Hdf5FileTest, KeepsScalarsAndEmptyTensors) {
  {
    Hdf5File out = Hdf5File::create(at("a.h5"));
    out.write("scalar", torch::tensor(7, torch::kLong));
    out.write("empty", torch::zeros({0, 3}));
    out.close();
  }
  const Hdf5File in = Hdf5File::open(at("a.h5"));
  EXPECT_EQ(in.read("scalar", torch::kLong, {}).item<std::int64_t>(), 7);
  EXPECT_EQ(in.read("empty").sizes(), (std::vector<std::int64_t>{0, 3}));
}

TEST_F(Hdf5FileTest, WritesAViewThatIsNotContiguousAsItsValues) {
  const torch::Tensor view = torch::arange(6, torch::kFloat).reshape({2, 3}).t();
  write_one("a.h5", "view", view);
  EXPECT_TRUE(torch::equal(Hdf5File::open(at("a.h5")).read("view"), view));
}

TEST_F(Hdf5FileTest, GivesTheSameBytesForTheSameContent) {
  for (const char* file : {"a.h5", "b.h5"}) write_one(file, "group/x", torch::arange(1000, torch::kFloat));
  EXPECT_EQ(bytes_of(at("a.h5")), bytes_of(at("b.h5")));
}

TEST_F(Hdf5FileTest, HoldsNoTimeStamps) {
  write_one("a.h5", "group/x", torch::zeros({3}));
  const hid_t file = H5Fopen(at("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (const char* object : {"/", "/group", "/group/x"}) {
    H5O_info_t info{};
    EXPECT_GE(H5Oget_info_by_name2(file, object, &info, H5O_INFO_TIME, H5P_DEFAULT), 0);
    EXPECT_EQ(info.ctime, 0) << object;
    EXPECT_EQ(info.btime, 0) << object;
  }
  H5Fclose(file);
}

TEST_F(Hdf5FileTest, AlignsLargeDatasetsToPages) {
  write_one("a.h5", "flat", torch::zeros({1 << 19}));
  const hid_t file = H5Fopen(at("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "flat", H5P_DEFAULT);
  EXPECT_EQ(H5Dget_offset(set) % 4096, 0U);
  H5Dclose(set);
  H5Fclose(file);
}

TEST_F(Hdf5FileTest, KeepsTextOfAnyLength) {
  const std::string json = R"({"name": "Übergröße", "n": [1, 2]})";
  {
    Hdf5File out = Hdf5File::create(at("a.h5"));
    out.write_text("meta/json", json);
    out.write_text("meta/empty", "");
    out.close();
  }
  const Hdf5File in = Hdf5File::open(at("a.h5"));
  EXPECT_EQ(in.read_text("meta/json"), json);
  EXPECT_EQ(in.read_text("meta/empty"), "");
  EXPECT_THAT(message_of<CorruptData>([&] { (void)in.read_text("meta/json", 10); }), HasSubstr("at most 10"));
}

TEST_F(Hdf5FileTest, TellsWhatItHas) {
  write_one("a.h5", "one/two/three", torch::zeros({1}));
  const Hdf5File in = Hdf5File::open(at("a.h5"));
  EXPECT_TRUE(in.has("one"));
  EXPECT_TRUE(in.has("one/two/three"));
  EXPECT_FALSE(in.has("one/2/three"));
  EXPECT_FALSE(in.has("four"));
}

TEST_F(Hdf5FileTest, OpensAFileThatLiesInMemory) {
  write_one("a.h5", "x", torch::arange(5, torch::kLong));
  const std::string bytes = bytes_of(at("a.h5"));
  std::filesystem::remove(at("a.h5"));
  const Hdf5File in = Hdf5File::open_image(std::as_bytes(std::span(bytes)), "weights");
  EXPECT_TRUE(torch::equal(in.read("x"), torch::arange(5, torch::kLong)));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)in.read("y"); }), HasSubstr("read y of weights"));
}

TEST_F(Hdf5FileTest, RefusesAnotherShapeOrTypeByName) {
  write_one("a.h5", "x", torch::zeros({2, 3}));
  const Hdf5File in = Hdf5File::open(at("a.h5"));
  EXPECT_THAT(message_of<CorruptData>([&] {
                (void)in.read("x", torch::kFloat, {3, 2});
              }),
              AllOf(HasSubstr("read x of"), HasSubstr("a.h5"), HasSubstr("(2, 3)"), HasSubstr("(3, 2)")));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)in.read("x", torch::kDouble, {2, 3}); }), HasSubstr("Double"));
}

TEST_F(Hdf5FileTest, RefusesClaimsBeyondTheFileBeforeAllocating) {
  claim("a.h5", hsize_t{1} << 50);
  const Hdf5File in = Hdf5File::open(at("a.h5"));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)in.read("huge"); }), HasSubstr("not inside the file"));
}

TEST_F(Hdf5FileTest, NamesAMissingFileAndItsReason) {
  EXPECT_THAT(message_of<SystemError>([&] { (void)Hdf5File::open(at("none.h5")); }),
              AllOf(HasSubstr("none.h5"), HasSubstr("No such file or directory")));
  EXPECT_THAT(message_of<SystemError>([&] { (void)Hdf5File::create(at("no/such/folder.h5")); }),
              AllOf(HasSubstr("folder.h5"), HasSubstr("No such file or directory")));
}

TEST_F(Hdf5FileTest, RefusesAFileOfAnotherKind) {
  put(at("a.h5"), std::string(5000, 'x'));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)Hdf5File::open(at("a.h5")); }), HasSubstr("a.h5"));
  put(at("empty.h5"), "");
  EXPECT_THROW((void)Hdf5File::open(at("empty.h5")), CorruptData);
}

TEST_F(Hdf5FileTest, RefusesTheFileOfAWriterThatWasKilled) {
  const torch::Tensor data = torch::zeros({1 << 16});  // made here: LibTorch's threads do not survive a fork
  const pid_t writer = ::fork();
  if (writer == 0) {
    Hdf5File out = Hdf5File::create(at("a.h5"));
    out.write("x", data);
    ::_exit(0);
  }
  ASSERT_GT(writer, 0);
  ::waitpid(writer, nullptr, 0);
  EXPECT_THROW((void)Hdf5File::open(at("a.h5")), CorruptData);
}

TEST_F(Hdf5FileTest, ReportsAFullDiskAndGoesOn) {
  {
    const FullDisk full(100'000);
    EXPECT_THAT(message_of<SystemError>([&] { write_one("a.h5", "flat", torch::zeros({1 << 20})); }),
                AllOf(HasSubstr("write flat to"), HasSubstr("a.h5"), HasSubstr("File too large")));
  }
  write_one("b.h5", "flat", torch::ones({1 << 10}));
  EXPECT_TRUE(torch::equal(Hdf5File::open(at("b.h5")).read("flat"), torch::ones({1 << 10})));
}

TEST_F(Hdf5FileTest, ReportsMetadataThatDoesNotFitWhenClosing) {
  const FullDisk full(1000);
  Hdf5File out = Hdf5File::create(at("a.h5"));
  out.write("small", torch::zeros({16}));
  EXPECT_THAT(message_of<SystemError>([&] {
                for (int i = 0; i < 100; ++i) out.write("group" + std::to_string(i) + "/x", torch::zeros({1}));
                out.close();
              }),
              AllOf(HasSubstr("a.h5"), HasSubstr("File too large")));
}

TEST_F(Hdf5FileTest, ShowsWhereAReservedDatasetLies) {
  {
    Hdf5File out = Hdf5File::create(at("a.h5"));
    out.write("before", torch::zeros({3}));
    out.reserve("rows", torch::kHalf, {5, 2, 2});
    out.close();
  }
  const torch::Tensor rows = torch::arange(20).reshape({5, 2, 2}).to(torch::kHalf);
  {
    const RowFile file(at("a.h5"), "rows", RowFile::Access::kReadWrite);
    EXPECT_EQ(file.num_rows(), 5);
    EXPECT_EQ(file.row_bytes(), 8U);
    file.write(0, {static_cast<const std::byte*>(rows.const_data_ptr()), rows.nbytes()});
    EXPECT_TRUE(torch::equal(file.rows(1, 3), rows.slice(0, 1, 4)));
  }
  EXPECT_TRUE(torch::equal(Hdf5File::open(at("a.h5")).read("rows"), rows));
}

TEST_F(Hdf5FileTest, NamesTheRowAtWhichAFileWasCutWhileItWasOpen) {
  write_one("a.h5", "rows", torch::zeros({100, 1000}));
  const RowFile file(at("a.h5"), "rows");
  std::filesystem::resize_file(at("a.h5"), 50'000);
  EXPECT_THAT(message_of<CorruptData>([&] { (void)file.rows(90, 1); }), AllOf(HasSubstr("a.h5"), HasSubstr("row 90")));
}

TEST_F(Hdf5FileTest, RefusesToWriteANameTwice) {
  Hdf5File out = Hdf5File::create(at("a.h5"));
  out.write("x", torch::zeros({1}));
  EXPECT_THROW(out.write("x", torch::zeros({1})), SystemError);
}

TEST_F(Hdf5FileTest, CanBeMovedAndIsClosedOnce) {
  Hdf5File first = Hdf5File::create(at("a.h5"));
  Hdf5File second = std::move(first);
  second.write("x", torch::ones({3}));
  second.close();
  EXPECT_THROW(second.write("y", torch::ones({3})), common::InternalError);
  EXPECT_TRUE(Hdf5File::open(at("a.h5")).has("x"));
}

}  // namespace
}  // namespace ditscale::worker
