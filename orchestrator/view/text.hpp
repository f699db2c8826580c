#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ditscale::orchestrator {

/// "4.2 s", "3 min 20 s", "2 h 05 min", "3 d 04 h".
[[nodiscard]] std::string duration_text(double seconds);
/// "1.2 GB" (powers of 1000).
[[nodiscard]] std::string bytes_text(double bytes);
/// "1.23e18" and the like become "1.23 E"; with SI prefixes up to exa.
[[nodiscard]] std::string si_text(double value);
/// At most `columns` bytes, the last three dots when it was longer.
[[nodiscard]] std::string cut(const std::string& text, std::size_t columns);

/// A table of text: the first line of `rows` is the head. Columns whose cells all look like numbers (below the head) or
/// are empty stand to the right.
[[nodiscard]] std::string table_text(const std::vector<std::vector<std::string>>& rows);

/// The same on a terminal of so many columns (0: no terminal, all is shown). Where it is wider, columns of the names
/// `giving_way` are left out, the first ones first, and a line below says which.
[[nodiscard]] std::string fitted_table_text(std::vector<std::vector<std::string>> rows, std::size_t columns,
                                            const std::vector<std::string>& giving_way);

}  // namespace ditscale::orchestrator
