#pragma once

// The headers that are worth precompiling: they cost most of a unit's compile time. CLI11's is not: the units that do
// not need it would pay for its templates.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "worker/torch.hpp"
