//! Compute devices the engine can see, and their memory.

use std::ffi::CStr;

use llama_cpp_sys_2 as sys;

/// What kind of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A graphics card with memory of its own.
    Gpu,
    /// A graphics unit that shares the host's memory.
    IntegratedGpu,
    /// A helper such as a matrix library.
    Accelerator,
}

/// One compute device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Engine's name, e.g. `CUDA0`.
    pub name: String,
    /// Maker's name, e.g. `NVIDIA H100`.
    pub description: String,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// Free memory in bytes, as the driver says; 0 where it does not say.
    pub free_bytes: u64,
    /// Total memory in bytes.
    pub total_bytes: u64,
}

/// All devices, in the engine's order.
pub fn devices() -> Vec<Device> {
    crate::init();
    // SAFETY: the registry is filled by `init`; indexes below the count are valid, and the strings
    // are static.
    unsafe {
        (0..sys::ggml_backend_dev_count())
            .map(|index| {
                let device = sys::ggml_backend_dev_get(index);
                let (mut free, mut total) = (0, 0);
                sys::ggml_backend_dev_memory(device, &raw mut free, &raw mut total);
                let text = |pointer| CStr::from_ptr(pointer).to_string_lossy().trim().to_owned();
                Device {
                    name: text(sys::ggml_backend_dev_name(device)),
                    description: text(sys::ggml_backend_dev_description(device)),
                    kind: match sys::ggml_backend_dev_type(device) {
                        sys::GGML_BACKEND_DEVICE_TYPE_CPU => DeviceKind::Cpu,
                        sys::GGML_BACKEND_DEVICE_TYPE_GPU => DeviceKind::Gpu,
                        sys::GGML_BACKEND_DEVICE_TYPE_IGPU => DeviceKind::IntegratedGpu,
                        _ => DeviceKind::Accelerator,
                    },
                    free_bytes: free as u64,
                    total_bytes: total as u64,
                }
            })
            .collect()
    }
}
