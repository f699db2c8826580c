#include "analysis/figures/sample_matrix.hpp"

#include <array>
#include <fstream>

#include <fmt/format.h>

#include "analysis/figures/trial_names.hpp"

namespace ditscale::analysis {

using Kind = Column::Kind;

namespace {

/// Width and height out of a PNG's first chunk, which always holds them (ISO/IEC 15948, 11.2.2); 0 for other files.
FigureImage read_header(const std::filesystem::path& file) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  std::array<char, 24> bytes{};
  std::ifstream(file, std::ios::binary).read(bytes.data(), bytes.size());
  FigureImage image{file, "", 0, 0};
  if (std::string_view(bytes.data(), 8) != kSignature || std::string_view(bytes.data() + 12, 4) != "IHDR") return image;
  const auto number_at = [&](std::size_t at) {
    int value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  image.width_px = number_at(16);
  image.height_px = number_at(20);
  return image;
}

}  // namespace

Figure sample_matrix(const Study& study, const results::SettingsRow& settings,
                     const std::vector<SamplePicture>& pictures) {
  Figure figure;
  figure.name = "sample_matrix";
  figure.title = fmt::format("{}: samples by training FLOPs, settings {}", study.name, settings.id.substr(0, 8));
  figure.table.columns = {
      {"trial"},       {"label"}, {"model"}, {"step", Kind::kInteger}, {"training_flops", Kind::kNumber},
      {"settings_id"}, {"file"}};
  std::vector<const StudyTrial*> drawn;
  for (const SamplePicture& picture : pictures) drawn.push_back(picture.trial);
  TrialNames names = names_among(drawn);
  for (const SamplePicture& picture : pictures) {
    FigureImage image = read_header(picture.file);
    if (image.width_px <= 0 || image.height_px <= 0) continue;
    const StudyTrial& trial = *picture.trial;
    image.caption = fmt::format("{:.2g} FLOPs: {}", trial.training_flops_after(picture.step), names[&trial]);
    figure.images.push_back(std::move(image));
    figure.table.rows.push_back({trial.id().str(), trial.row.trial.label, trial.model, picture.step,
                                 trial.training_flops_after(picture.step), settings.id, picture.file.string()});
  }
  return figure;
}

}  // namespace ditscale::analysis
