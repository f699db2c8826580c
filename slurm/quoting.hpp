#pragma once

#include <string>
#include <string_view>

namespace ditscale::slurm {

/// `text` as one word of a POSIX shell, whatever it holds. Throws UsageError for a NUL byte, which no argument can
/// have.
[[nodiscard]] std::string shell_word(const std::string& text);

/// What shell_word was given, of the word that begins `text`; text that it did not make gives something else, never an
/// error.
[[nodiscard]] std::string text_of_shell_word(std::string_view text);

/// `text` as one argument of an #SBATCH line. Slurm's reader of these lines knows quotes but no line breaks: throws
/// UsageError for control characters, and for text with both kinds of quotes.
[[nodiscard]] std::string directive_word(const std::string& text);

/// A file name for --output: Slurm replaces %j and the like there, so a '%' of the path itself is doubled. Throws
/// UsageError for a backslash, which would switch that off.
[[nodiscard]] std::string output_pattern(const std::string& path);

}  // namespace ditscale::slurm
