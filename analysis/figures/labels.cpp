#include "analysis/figures/labels.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/tables/cell_text.hpp"

namespace ditscale::analysis {

namespace {

/// Of the labels' 10-pixel font, with a little to spare; radius of a point with its gap.
constexpr double kLabelCharacter_px = 6.6;
constexpr double kLine_px = 13;
constexpr double kPoint_px = 5;

/// Among more points than this no label can be told to belong to one.
constexpr std::size_t kMostPoints = 300;

struct Box {
  double left, bottom, right, top;
  [[nodiscard]] bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && bottom < other.top && other.bottom < top;
  }
  [[nodiscard]] bool contains(double x, double y) const { return x > left && x < right && y > bottom && y < top; }
};

struct Pixel {
  double x, y;
};

using Anchor = PlacedLabel::Anchor;

/// Room for a label, whose text lies at one of its ends or in its middle.
struct Room {
  Box box;
  Anchor anchor;
  [[nodiscard]] double x() const {
    switch (anchor) {
      case Anchor::kLeft:
        return box.left;
      case Anchor::kRight:
        return box.right;
      case Anchor::kCentre:
        break;
    }
    return (box.left + box.right) / 2;
  }
};

bool has_marks(const Series& series) {
  return series.look == Series::Look::kPointsAndLine || series.look == Series::Look::kPoints;
}

class Placer {
 public:
  Placer(const std::vector<Series>& series, const Scale& x, const Scale& y, const PlotArea& area)
      : x_(x), y_(y), area_(area) {
    for (const Series& one : series) {
      for (std::size_t i = 0; i < one.points.size(); ++i) {
        const Pixel at = pixel_of(one.points[i]);
        if (has_marks(one)) {
          taken_.push_back(around(at));
          points_.push_back(at);
        }
        if (i > 0) segments_.push_back({pixel_of(one.points[i - 1]), at});
      }
    }
  }

  [[nodiscard]] Pixel pixel_of(const FigurePoint& point) const {
    return {area_.left + x_.place(point.x) * (area_.right - area_.left),
            area_.bottom + y_.place(point.y) * (area_.top - area_.bottom)};
  }

  /// The first free room around `at` for a text, which then is taken.
  std::optional<Room> place(Pixel at, double width) {
    const double half = kLine_px / 2;
    const double gap = kPoint_px + 1;
    const auto left_at = [&](double left, double bottom) {
      return Room{{left, bottom, left + width, bottom + kLine_px}, Anchor::kLeft};
    };
    const auto right_at = [&](double right, double bottom) {
      return Room{{right - width, bottom, right, bottom + kLine_px}, Anchor::kRight};
    };
    const auto middle_at = [&](double middle, double bottom) {
      return Room{{middle - width / 2, bottom, middle + width / 2, bottom + kLine_px}, Anchor::kCentre};
    };
    const std::array<Room, 8> candidates{
        left_at(at.x + gap, at.y - half),             // right
        left_at(at.x + gap, at.y + gap),              // above right: free beside a falling curve
        right_at(at.x - gap, at.y - gap - kLine_px),  // below left
        right_at(at.x - gap, at.y - half),            // left
        middle_at(at.x, at.y + gap),                  // above
        middle_at(at.x, at.y - gap - kLine_px),       // below
        left_at(at.x + gap, at.y - gap - kLine_px),   // below right
        right_at(at.x - gap, at.y + gap),             // above left
    };
    for (const Room& room : candidates) {
      if (!free(room.box) || !belongs_to(at, room.box)) continue;
      taken_.push_back(room.box);
      return room;
    }
    return std::nullopt;
  }

 private:
  static Box around(Pixel at) { return {at.x - kPoint_px, at.y - kPoint_px, at.x + kPoint_px, at.y + kPoint_px}; }

  [[nodiscard]] bool free(const Box& box) const {
    const bool inside =
        box.left > area_.left && box.right < area_.right && box.bottom > area_.bottom && box.top < area_.top;
    return inside && std::none_of(taken_.begin(), taken_.end(), [&](const Box& t) { return t.overlaps(box); }) &&
           std::none_of(segments_.begin(), segments_.end(), [&](const auto& s) { return crosses(s, box); });
  }

  /// Whether a reader takes the box for the label of the point at `at`: no other point is as near to it.
  [[nodiscard]] bool belongs_to(Pixel at, const Box& box) const {
    constexpr double kClearly_px = 5;
    const auto distance = [&box](Pixel point) {
      return std::hypot(std::max({box.left - point.x, 0.0, point.x - box.right}),
                        std::max({box.bottom - point.y, 0.0, point.y - box.top}));
    };
    return std::none_of(points_.begin(), points_.end(), [&](Pixel other) {
      const bool own = other.x == at.x && other.y == at.y;
      return !own && distance(other) < distance(at) + kClearly_px;
    });
  }

  /// Whether a line between two points runs through the box; looked at every few pixels.
  static bool crosses(const std::pair<Pixel, Pixel>& segment, const Box& box) {
    const auto [from, to] = segment;
    const int steps = 1 + static_cast<int>(std::hypot(to.x - from.x, to.y - from.y) / 3);
    for (int i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / steps;
      if (box.contains(from.x + part * (to.x - from.x), from.y + part * (to.y - from.y))) return true;
    }
    return false;
  }

  const Scale& x_;
  const Scale& y_;
  const PlotArea& area_;
  std::vector<Box> taken_;
  std::vector<Pixel> points_;
  std::vector<std::pair<Pixel, Pixel>> segments_;
};

}  // namespace

std::vector<PlacedLabel> place_labels(const std::vector<Series>& series, const Scale& x, const Scale& y,
                                      const PlotArea& area) {
  std::vector<PlacedLabel> placed;
  std::size_t num_points = 0;
  for (const Series& one : series) {
    if (has_marks(one)) num_points += one.points.size();
  }
  if (num_points > kMostPoints) return placed;
  Placer placer(series, x, y, area);
  for (const Series& one : series) {
    if (one.look == Series::Look::kSegments) continue;  // bars are close to each other
    for (const FigurePoint& point : one.points) {
      if (point.label.empty()) continue;
      const double width = kLabelCharacter_px * static_cast<double>(width_of(point.label));
      const auto room = placer.place(placer.pixel_of(point), width);
      if (!room) continue;
      const double middle = (room->box.bottom + room->box.top) / 2;
      placed.push_back({point.label, room->x() / area.width, middle / area.height, room->anchor});
    }
  }
  return placed;
}

}  // namespace ditscale::analysis
