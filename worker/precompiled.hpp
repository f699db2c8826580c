#pragma once

// The one header that is worth precompiling: it costs most of a unit's compile time.
#include <torch/torch.h>
