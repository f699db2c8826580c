#pragma once

namespace ditscale::worker {

/// From now on SIGTERM, SIGINT and SIGUSR2 ask this process to stop at the next step instead of ending it. A process
/// that has not ended 120 s after the first such signal is ended by an alarm, so that none is ever left behind; a
/// second SIGINT ends it at once.
void listen_for_stop();

/// Whether somebody asked.
[[nodiscard]] bool stop_requested();

}  // namespace ditscale::worker
