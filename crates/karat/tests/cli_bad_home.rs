//! Homes, stores and disks that cannot be used: every verb says the same, in one line.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::fs;
#[cfg(target_os = "linux")]
use std::path::Path;

use cli_lab::{ORIGINAL, Place, check_line, lab};
use rusqlite::Connection;

/// A text of a few windows.
const TEXT: &str = "text.txt";

fn place() -> Place {
    let place = Place::new();
    place.text(TEXT, 3000);
    place
}

/// An empty store: planning opens it, a dry run measures nothing.
#[track_caller]
fn make_store(place: &Place) {
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap(), "--text", TEXT, "--dry-run"];
    place.fidelity(args).assert().success();
}

#[test]
fn reports_of_nothing_are_refused() {
    let place = place();
    place.check_refused(&mut place.karat(["report"]), "the store holds no runs yet");
    place.check_refused(&mut place.karat(["report", "nosuch"]), "the store holds no runs yet");
    assert!(!place.home().exists(), "a question makes no folder");
    make_store(&place);
    place.check_refused(&mut place.karat(["report"]), "the store holds no runs yet");
    place.check_refused(&mut place.karat(["report", "nosuch"]), "no run `nosuch`");
    place.check_refused(&mut place.karat(["report", "--format", "xyz"]), "possible values");
}

/// Every verb that opens the store says the same about a home it cannot use.
#[track_caller]
fn check_home(place: &Place, what: &str) {
    let original = lab(ORIGINAL);
    let original = original.to_str().unwrap();
    for args in [&["runs"][..], &["report"], &["fidelity", "--reference", original, original]] {
        let text: &[&str] = if args.len() > 1 { &["--text", TEXT] } else { &[] };
        let mut command = place.karat(args.iter().chain(text).copied());
        let output = command.output().unwrap();
        check_line(&output, what);
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_home_below_a_file_is_refused() {
    let place = place();
    fs::write(place.home(), "a file").unwrap();
    check_home(&place, "cannot create the folder");
    let inspected = place.karat(["inspect", lab(ORIGINAL).to_str().unwrap()]).output().unwrap();
    assert!(inspected.status.success(), "a look at a file needs no store");
    let told = String::from_utf8(inspected.stderr).unwrap();
    assert!(told.contains("hashes are not remembered: cannot create the folder"), "{told}");
    assert_eq!(fs::read(place.home()).unwrap(), b"a file");
}

#[test]
fn a_store_that_is_no_database_is_left_alone() {
    let place = place();
    fs::create_dir(place.home()).unwrap();
    let path = place.home().join("karat.db");
    let bytes = "no database at all, but long enough for a header\n".repeat(50);
    fs::write(&path, &bytes).unwrap();
    check_home(&place, "is damaged or not a database");
    assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
}

#[test]
fn a_store_of_a_newer_karat_is_left_alone() {
    let place = place();
    make_store(&place);
    let path = place.home().join("karat.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1000).unwrap();
    check_home(&place, "has layout 1000");
}

#[test]
fn a_store_locked_by_another_process_is_an_error_after_a_while() {
    let place = place();
    make_store(&place);
    let other = Connection::open(place.home().join("karat.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Whoever only reads is not kept waiting.
    place.karat(["runs"]).assert().success();
    let original = lab(ORIGINAL);
    let output = place.fidelity([original.to_str().unwrap(), "--text", TEXT]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    check_line(&output, "was locked by another process");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    assert_eq!(place.stored("run"), 0);
}

/// A file system of 1 MiB, unmounted when dropped.
#[cfg(target_os = "linux")]
struct SmallDisk<'p>(&'p Path);

#[cfg(target_os = "linux")]
impl<'p> SmallDisk<'p> {
    /// Nothing where this process may not mount.
    #[expect(clippy::print_stderr, reason = "whoever reads the tests' output must see the skip")]
    fn mount(at: &'p Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={size}");
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(at)
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        eprintln!("skipped: this process may not mount a small file system");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_before_a_build_is_written() {
    let place = Place::new();
    let folder = place.path("small");
    let Some(_disk) = SmallDisk::mount(&folder, "1m") else { return };
    let original = lab(ORIGINAL);
    let args = ["quantize", original.to_str().unwrap(), "small/out.gguf", "--type", "Q4_0"];
    place.check_refused(&mut place.karat(args), "has 1048576 free: make room");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_a_run_and_keeps_what_was_stored() {
    let place = Place::new();
    place.text(TEXT, 60_000);
    let home = place.home();
    let disk = SmallDisk::mount(&home, "320k");
    if disk.is_none() {
        return;
    }
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap(), "--text", TEXT, "--quiet"];
    let output = place.fidelity(args).output().unwrap();
    check_line(&output, "no space left for the store");
    assert_eq!(output.status.code(), Some(2));
    let kept = place.stored("window");
    assert!(kept > 0, "some windows were stored before the disk was full");
    drop(disk);
}
