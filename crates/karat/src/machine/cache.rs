//! The last-level cache: what a model has to be larger than for memory to be what limits it.

/// Bytes of last-level cache, all of them together where processors have several; `None` where the
/// system does not tell.
pub fn last_level_cache() -> Option<u64> {
    system_cache().filter(|&bytes| bytes > 0)
}

/// The highest level in `/sys/devices/system/cpu`, each cache once.
#[cfg(target_os = "linux")]
fn system_cache() -> Option<u64> {
    use std::collections::BTreeMap;
    use std::fs;

    let mut caches = BTreeMap::new();
    for cpu in fs::read_dir("/sys/devices/system/cpu").ok()?.flatten() {
        let Ok(indexes) = fs::read_dir(cpu.path().join("cache")) else { continue };
        for index in indexes.flatten() {
            let read = |name: &str| {
                let text = fs::read_to_string(index.path().join(name)).ok()?;
                Some(text.trim().to_owned())
            };
            let is_data = read("type").is_some_and(|kind| kind != "Instruction");
            let facts = (|| {
                let level: u32 = read("level")?.parse().ok()?;
                Some((level, read("shared_cpu_list")?, kib(&read("size")?)?))
            })();
            if let (true, Some((level, shared, bytes))) = (is_data, facts) {
                caches.insert((level, shared), bytes);
            }
        }
    }
    let (last, _) = caches.keys().next_back()?.clone();
    Some(caches.iter().filter(|((level, _), _)| *level == last).map(|(_, bytes)| bytes).sum())
}

/// `32768K`, as the kernel writes sizes.
#[cfg(target_os = "linux")]
fn kib(text: &str) -> Option<u64> {
    text.strip_suffix('K')?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The largest that the kernel names; on Apple's processors that is the performance cores' L2.
#[cfg(target_os = "macos")]
fn system_cache() -> Option<u64> {
    let ask = |name: &str| -> Option<u64> {
        let output = std::process::Command::new("sysctl").args(["-n", name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    ["hw.l3cachesize", "hw.perflevel0.l2cachesize", "hw.l2cachesize"]
        .into_iter()
        .filter_map(ask)
        .max()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn system_cache() -> Option<u64> {
    None
}
