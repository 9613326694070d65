//! What this machine is, and how much of it this process took. Reads the operating system only.

mod cache;
mod sensors;

use std::fs;

pub use cache::last_level_cache;
pub use sensors::{ProcessorTime, clock_mhz, temperature_celsius};
use sysinfo::System;

use crate::record::MachineRecord;

/// Describes the machine, as far as it lets itself be described. `devices`: compute devices that the
/// engine sees besides the processor.
pub fn describe(devices: Vec<String>) -> MachineRecord {
    let unknown = || "unknown".to_owned();
    let os = System::long_os_version().unwrap_or_else(|_| unknown());
    let Ok(mut system) = System::new() else {
        return MachineRecord { os, cpu: unknown(), cores: 0, memory_bytes: 0, devices };
    };
    system.refresh_memory();
    system.refresh_cpu_all();
    let cpu = system.cpus().first().map_or_else(unknown, |cpu| cpu.brand().trim().to_owned());
    let cores = system.cpus().len() as u32;
    MachineRecord { os, cpu, cores, memory_bytes: system.total_memory(), devices }
}

/// Processors that are not hyper-threads of others, which is how many threads llama.cpp's runners take;
/// `None` where the system does not say.
pub fn physical_cores() -> Option<u32> {
    System::physical_core_count().ok().map(|cores| cores as u32)
}

/// Most memory this process has held resident so far, in bytes; `None` where the system does not
/// say (it does on Linux).
pub fn peak_memory() -> Option<u64> {
    process_memory("VmHWM:")
}

/// Memory this process holds resident now, in bytes; `None` where the system does not say.
pub fn resident_memory() -> Option<u64> {
    process_memory("VmRSS:")
}

fn process_memory(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
