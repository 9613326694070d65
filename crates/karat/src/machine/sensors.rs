//! What moves a rate besides the work: clock, temperature, and what else is running. Each is `None`
//! where the system does not tell.

use std::fs;
use std::path::PathBuf;

/// Mean clock of the processors in MHz, from cpufreq, else from `/proc/cpuinfo`.
pub fn clock_mhz() -> Option<f64> {
    let folders = matching("/sys/devices/system/cpu", |name| {
        name.strip_prefix("cpu").is_some_and(|rest| rest.parse::<u32>().is_ok())
    });
    let scaled = folders
        .iter()
        .filter_map(|folder| number(&folder.join("cpufreq/scaling_cur_freq")).map(|khz| khz / 1e3));
    mean(scaled).or_else(|| {
        let info = fs::read_to_string("/proc/cpuinfo").ok()?;
        let lines = info.lines().filter(|line| line.starts_with("cpu MHz"));
        mean(lines.filter_map(|line| line.split_once(':')?.1.trim().parse().ok()))
    })
}

/// Highest temperature in °C that a thermal zone or a hardware monitor reads.
pub fn temperature_celsius() -> Option<f64> {
    let zones = matching("/sys/class/thermal", |name| name.starts_with("thermal_zone"));
    let zones = zones.into_iter().map(|zone| zone.join("temp"));
    let monitors = matching("/sys/class/hwmon", |name| name.starts_with("hwmon"));
    let inputs = monitors.iter().flat_map(|monitor| {
        matching(&monitor.to_string_lossy(), |name| {
            name.starts_with("temp") && name.ends_with("_input")
        })
    });
    let readings = zones.chain(inputs).filter_map(|path| number(&path)).map(|milli| milli / 1e3);
    // A sensor that is not connected reads 0 or nonsense.
    readings.filter(|celsius| (1.0..150.0).contains(celsius)).reduce(f64::max)
}

/// Processor time so far, in the kernel's ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessorTime {
    all: f64,
    busy: f64,
    own: f64,
}

/// Ticks of all processors together, mostly of 10 ms, below which a share of them is rounding.
const FEWEST_TICKS: f64 = 100.0;

impl ProcessorTime {
    /// Reads `/proc`.
    pub fn now() -> Option<Self> {
        let system = fs::read_to_string("/proc/stat").ok()?;
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        Self::parse(&system, &own)
    }

    /// Share of all processors' time since `before` that went to other processes, or that a
    /// hypervisor kept for itself. None of a time so short that the system's ticks hide it.
    pub fn others_since(&self, before: &Self) -> Option<f64> {
        let all = self.all - before.all;
        let others = (self.busy - before.busy) - (self.own - before.own);
        (all >= FEWEST_TICKS).then(|| (others / all).clamp(0.0, 1.0))
    }

    /// The first line of `/proc/stat` (user, nice, system, idle, iowait, irq, softirq, steal; what
    /// follows is counted in user already), and fields 14 and 15 of `/proc/self/stat`.
    fn parse(system: &str, own: &str) -> Option<Self> {
        let line = system.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<f64> =
            line.split_whitespace().take(8).map_while(|tick| tick.parse().ok()).collect();
        let all: f64 = ticks.iter().sum();
        let idle = ticks.get(3)? + ticks.get(4)?;
        // The name, in brackets, may hold blanks.
        let fields: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Self { all, busy: all - idle, own: field(11)? + field(12)? })
    }
}

fn matching(folder: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_str().is_some_and(&is_wanted));
    wanted.map(|entry| entry.path()).collect()
}

fn number(path: &std::path::Path) -> Option<f64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_others_is_what_is_neither_idle_nor_ours() {
        let at = |user: u32, steal: u32, idle: u32, own: u32| {
            let system = format!("cpu  {user} 0 0 {idle} 0 0 0 {steal} 0 0\ncpu0 1 2 3\n");
            let own = format!("7 (a (b) c) R 1 1 1 0 -1 0 0 0 0 0 {own} 0 0 0 20 0 1 0 5");
            ProcessorTime::parse(&system, &own).unwrap()
        };
        // Of 200 ticks, 100 were ours, 40 of another process, 20 stolen, 40 idle.
        let share = at(240, 20, 140, 100).others_since(&at(100, 0, 100, 0));
        assert_eq!(share, Some(0.3));
        assert_eq!(at(1, 1, 1, 1).others_since(&at(1, 1, 1, 1)), None);
    }

    #[test]
    fn a_kernel_that_tells_nothing_is_no_error() {
        assert_eq!(ProcessorTime::parse("", ""), None);
        assert_eq!(ProcessorTime::parse("cpu  1 2 3\n", "7 (x) R"), None);
    }
}
