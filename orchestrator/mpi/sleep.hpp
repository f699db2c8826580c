#pragma once

#include <chrono>
#include <thread>

namespace ditscale::orchestrator {

inline void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace ditscale::orchestrator
