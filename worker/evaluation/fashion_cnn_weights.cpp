#include "worker/evaluation/fashion_cnn_weights.hpp"

#ifndef DITSCALE_FASHION_CNN_FILE
#error "DITSCALE_FASHION_CNN_FILE is set by worker/evaluation/embed.cmake: include it in worker/CMakeLists.txt"
#endif

// The assembler puts the file itself into the read-only data.
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    ".global ditscale_fashion_cnn_begin\n"
    ".hidden ditscale_fashion_cnn_begin\n"
    "ditscale_fashion_cnn_begin:\n"
    ".incbin \"" DITSCALE_FASHION_CNN_FILE
    "\"\n"
    ".global ditscale_fashion_cnn_end\n"
    ".hidden ditscale_fashion_cnn_end\n"
    "ditscale_fashion_cnn_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const std::byte ditscale_fashion_cnn_begin[];
extern const std::byte ditscale_fashion_cnn_end[];
}

namespace ditscale::worker {

std::span<const std::byte> fashion_cnn_weights() { return {ditscale_fashion_cnn_begin, ditscale_fashion_cnn_end}; }

}  // namespace ditscale::worker
