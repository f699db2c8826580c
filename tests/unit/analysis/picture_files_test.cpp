#include "analysis/figures/picture_files.hpp"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/figures/write_figure.hpp"
#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::analysis {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// A gnuplot that ends well, but whose files of one ending stop in the middle, as on a full disk.
class HalfGnuplot {
 public:
  explicit HalfGnuplot(const std::string& broken) : path_(::getenv("PATH")) {
    std::ofstream(folder_ / "gnuplot") << "#!/bin/sh\n"
                                          "sed -n \"s/^set output '\\(.*\\)'$/\\1/p\" \"$2\" | while read -r file; do\n"
                                          "  case \"$file\" in\n"
                                          "    *." +
                                              broken +
                                              ".*) printf half > \"$file\" ;;\n"
                                              "    *.svg.*) printf '<svg></svg>\\n\\n' > \"$file\" ;;\n"
                                              "    *.png.*) printf '\\0\\0\\0\\0IEND\\256B`\\202' > \"$file\" ;;\n"
                                              "    *.pdf.*) printf '%%PDF %%%%EOF\\n' > \"$file\" ;;\n"
                                              "  esac\n"
                                              "done\n";
    fs::permissions(folder_ / "gnuplot", fs::perms::owner_all);
    ::setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
  }
  ~HalfGnuplot() { ::setenv("PATH", path_.c_str(), 1); }
  HalfGnuplot(const HalfGnuplot&) = delete;
  HalfGnuplot& operator=(const HalfGnuplot&) = delete;

 private:
  test::TemporaryFolder folder_;
  std::string path_;
};

class Pictures : public ::testing::Test {
 protected:
  void write() const {
    Figure figure;
    figure.name = "sample";
    figure.series = {{"a", {{1, 2, ""}, {2, 3, ""}}}};
    (void)write_figure(figure, folder_.path(), {"1", "r", {"analysis"}}, common::Json::object(),
                       picture_size_from("page"));
  }
  [[nodiscard]] fs::path picture(const std::string& ending) const { return folder_ / ("sample." + ending); }

  test::TemporaryFolder folder_;
};

class PicturesOfOneEnding : public Pictures, public ::testing::WithParamInterface<const char*> {};

TEST_P(PicturesOfOneEnding, HalfWrittenLeaveTheOldOnesAndTheirFileIsNamed) {
  for (const char* ending : {"svg", "png", "pdf"}) std::ofstream(picture(ending)) << "old";
  std::string message;
  {
    const HalfGnuplot gnuplot(GetParam());
    try {
      write();
    } catch (const common::SystemError& error) {
      message = error.what();
    }
  }
  EXPECT_THAT(message, HasSubstr(picture(GetParam()).string() + ": gnuplot wrote only a part of it"));
  for (const char* ending : {"svg", "png", "pdf"}) EXPECT_EQ(common::read_file(picture(ending)), "old");
  EXPECT_EQ(files_in(folder_.path()), 5U) << "a temporary file was left";
}
INSTANTIATE_TEST_SUITE_P(Endings, PicturesOfOneEnding, ::testing::Values("svg", "png", "pdf"));

TEST_F(Pictures, WholeOnesReplaceTheOld) {
  std::ofstream(picture("png")) << "old";
  const HalfGnuplot gnuplot("none");
  write();
  EXPECT_THAT(common::read_file(picture("png")), HasSubstr("IEND"));
}

}  // namespace
}  // namespace ditscale::analysis
