//! What a child gives up before it reads a program. Never given back.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};

use super::protocol::Limits;

/// Takes away from this process, for good, what a program does not need.
#[cfg(unix)]
pub(crate) fn confine(limits: &Limits) -> Result<(), String> {
    let cpu_s = limits.wall_s.max(0.0).ceil() as u64 + 1;
    limit(Resource::Cpu, cpu_s)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Core, 0)?;
    if let Some(used) = address_space() {
        limit(Resource::As, used.saturating_add(limits.memory_bytes))?;
    }
    #[cfg(target_os = "linux")]
    filter::apply()?;
    Ok(())
}

/// Other systems have neither of these limits; the interpreter without a host and the parent's clock
/// remain.
#[cfg(not(unix))]
pub(crate) fn confine(_limits: &Limits) -> Result<(), String> {
    Ok(())
}

#[cfg(unix)]
fn limit(resource: Resource, value: u64) -> Result<(), String> {
    let limit = Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(resource, limit).map_err(|error| format!("cannot limit {resource:?}: {error}"))
}

/// Address space that this process has taken, in bytes. Only Linux says.
#[cfg(target_os = "linux")]
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn address_space() -> Option<u64> {
    None
}

/// System calls. What is not listed answers "not permitted": no file is opened, no process, thread or
/// socket made, no signal sent to another process.
#[cfg(target_os = "linux")]
mod filter {
    use std::collections::BTreeMap;
    use std::env::consts::ARCH;

    use seccompiler::{
        BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
        SeccompFilter, SeccompRule, apply_filter_all_threads,
    };

    use super::syscalls::{ALLOWED, TO_ITSELF};

    pub(super) fn apply() -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| format!("cannot filter system calls: {error}");
        let program = program(std::process::id()).map_err(|error| said(&error))?;
        apply_filter_all_threads(&program).map_err(|error| said(&error))
    }

    /// The filter of the process `own`.
    pub(super) fn program(own: u32) -> Result<BpfProgram, BackendError> {
        let is_own =
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(own))?;
        let to_itself = SeccompRule::new(vec![is_own])?;
        let always = ALLOWED.iter().map(|call| (*call, Vec::new()));
        let rules: BTreeMap<i64, _> = always.chain([(TO_ITSELF, vec![to_itself])]).collect();
        let not_permitted = SeccompAction::Errno(rustix::io::Errno::PERM.raw_os_error() as u32);
        SeccompFilter::new(rules, not_permitted, SeccompAction::Allow, ARCH.try_into()?)?.try_into()
    }
}

/// What the interpreter, the allocator and the standard library's mutexes need.
#[cfg(target_os = "linux")]
mod syscalls {
    use libc::c_long;

    pub(super) const ALLOWED: &[c_long] = &[
        libc::SYS_brk,
        libc::SYS_clock_getres,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_gettimeofday,
        libc::SYS_madvise,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_nanosleep,
        libc::SYS_read,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        libc::SYS_write,
        libc::SYS_writev,
    ];

    /// How `abort` ends the process: a signal to a thread of the process that the first argument names.
    pub(super) const TO_ITSELF: c_long = libc::SYS_tgkill;
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::process::{self, Command, Stdio};
    use std::thread;

    use rustix::io::Errno;
    use seccompiler::apply_filter;

    use super::filter::program;

    /// Sends nothing to a thread of a process, which answers as if it were a signal.
    fn tgkill(process: u32, thread: u32) -> Result<(), Errno> {
        // SAFETY: three numbers; the signal 0 is only checked, never delivered.
        let answer = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, 0) };
        if answer == 0 {
            return Ok(());
        }
        let code = std::io::Error::last_os_error().raw_os_error().unwrap_or_default();
        Err(Errno::from_raw_os_error(code))
    }

    #[test]
    fn signals_reach_nobody_else() {
        let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let (own, other_id) = (process::id(), other.id());
        assert_eq!(tgkill(other_id, other_id), Ok(()), "without the filter");
        let confined = thread::spawn(move || {
            apply_filter(&program(own).unwrap()).unwrap();
            // SAFETY: takes nothing and cannot fail.
            let thread = unsafe { libc::gettid() } as u32;
            [tgkill(own, thread), tgkill(other_id, other_id), tgkill(u32::MAX, other_id)]
        });
        assert_eq!(confined.join().unwrap(), [Ok(()), Err(Errno::PERM), Err(Errno::PERM)]);
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
