#pragma once

/// Compiles the function that follows for several instruction sets; the loader picks the best the processor has.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define DITSCALE_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DITSCALE_VECTOR_CLONES
#endif
