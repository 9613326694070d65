// Reads llama.cpp's memory breakdown through a C interface. The engine offers it in C++ only, as a
// map; nothing else is done here.

#include "llama-ext.h"

#include "ggml-backend.h"

#include <cstddef>

struct karat_memory_row {
    const char * buffer;
    const char * device;
    bool on_host;
    size_t model;
    size_t context;
    size_t compute;
};

// Fills at most `capacity` rows and returns how many there are.
extern "C" size_t karat_memory_breakdown(const llama_context * ctx, karat_memory_row * rows, size_t capacity) {
    size_t count = 0;
    for (const auto & [buft, data] : llama_get_memory_breakdown(ctx)) {
        if (count < capacity) {
            ggml_backend_dev_t dev = ggml_backend_buft_get_device(buft);
            rows[count] = {
                ggml_backend_buft_name(buft),
                dev ? ggml_backend_dev_name(dev) : "CPU",
                ggml_backend_buft_is_host(buft),
                data.model,
                data.context,
                data.compute,
            };
        }
        ++count;
    }
    return count;
}
