#pragma once

// The headers that are worth precompiling: they cost most of a unit's compile time.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
