#pragma once

#include <span>

namespace ditscale::results {

/// One step of the schema: what brings version - 1 to version. Released steps are never edited, only followed.
struct SchemaStep {
  int version;
  const char* what;
  const char* sql;
};

/// All steps, in order, starting with version 1.
[[nodiscard]] std::span<const SchemaStep> schema_steps();

}  // namespace ditscale::results
