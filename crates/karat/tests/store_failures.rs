//! What the store says when it cannot be opened or written, and that nothing stored is lost.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use karat::store::{DATABASE_FILE, Store, StoreError, StoreOptions, TrackKey, TrackKind};
use karat::store::{TrackId, WindowBlob};
use rusqlite::Connection;
use tempfile::TempDir;

const SHORT_WAIT: StoreOptions = StoreOptions { busy_timeout_ms: 50, max_pages: None };

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A track with one stored window.
#[track_caller]
fn filled(store: &mut Store) -> TrackId {
    let key = TrackKey {
        kind: TrackKind::Model,
        text_sha256: "t".to_owned(),
        candidate_sha256: "c".to_owned(),
        reference_sha256: None,
        setting: BTreeMap::new(),
    };
    let track = store.track(&key).unwrap();
    store.put_windows(&[WindowBlob { track, window_idx: 0, data: b"kept", worst: None }]).unwrap();
    track
}

#[track_caller]
fn check_kept(home: &Path, track: TrackId) {
    let store = Store::open(home).unwrap();
    assert_eq!(store.windows(track, u32::MAX).unwrap(), [(0, b"kept".to_vec())]);
}

/// Every message is one line that names the path and what to do.
#[track_caller]
fn check_message(error: &StoreError, path: &Path, advice: &str) {
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains(advice), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_missing_folder_is_made_with_its_parents() {
    let home = home();
    let deep = home.path().join("a/b");
    let store = Store::open(&deep).unwrap();
    assert_eq!(store.path(), deep.join(DATABASE_FILE));
    assert!(store.path().is_file());
}

#[test]
fn a_folder_below_a_regular_file_cannot_be_made() {
    let home = home();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("karat");
    let error = Store::open(&below).unwrap_err();
    assert!(matches!(error, StoreError::CreateFolder { .. }), "{error}");
    check_message(&error, &below, "--home");
}

#[test]
fn a_folder_in_the_place_of_the_database_is_an_error() {
    let home = home();
    let path = home.path().join(DATABASE_FILE);
    fs::create_dir(&path).unwrap();
    let error = Store::open(home.path()).unwrap_err();
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error}");
    check_message(&error, &path, "--home");
}

/// Permissions do not stop root, for whom the folder must then simply work.
#[cfg(unix)]
#[test]
fn a_read_only_folder_is_an_error_and_keeps_what_is_in_it() {
    use std::os::unix::fs::PermissionsExt;

    let home = home();
    let track = filled(&mut Store::open(home.path()).unwrap());
    let database = home.path().join(DATABASE_FILE);
    let set_modes = |folder, file| {
        fs::set_permissions(home.path(), fs::Permissions::from_mode(folder)).unwrap();
        fs::set_permissions(&database, fs::Permissions::from_mode(file)).unwrap();
    };
    set_modes(0o555, 0o444);
    let stopped = fs::write(home.path().join("probe"), "").is_err();
    let opened = Store::open(home.path());
    let read = Store::open_existing(home.path()).unwrap().windows(track, u32::MAX).unwrap();
    set_modes(0o755, 0o644);
    assert_eq!(read, [(0, b"kept".to_vec())]);
    if stopped {
        let error = opened.unwrap_err();
        let expected = matches!(error, StoreError::ReadOnly { .. } | StoreError::CannotOpen { .. });
        assert!(expected, "{error}");
        check_message(&error, &database, "--home");
    } else {
        drop(opened.unwrap());
    }
    check_kept(home.path(), track);
}

#[test]
fn a_store_that_cannot_be_written_is_still_read() {
    let place = home();
    // Letters that mean something in the URI that SQLite is given.
    let home = place.path().join("50% of a#b?c=d ż");
    let track = filled(&mut Store::open(&home).unwrap());
    // A folder in the place of the write-ahead log stops root as well.
    fs::create_dir(home.join(format!("{DATABASE_FILE}-wal"))).unwrap();
    Store::open(&home).unwrap_err();
    let mut store = Store::open_existing(&home).unwrap();
    assert_eq!(store.windows(track, u32::MAX).unwrap(), [(0, b"kept".to_vec())]);
    let blob = WindowBlob { track, window_idx: 1, data: b"more", worst: None };
    let error = store.put_windows(&[blob]).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[test]
fn a_locked_database_is_waited_for_and_then_an_error() {
    let home = home();
    let mut store = Store::open_with(home.path(), &SHORT_WAIT).unwrap();
    let track = filled(&mut store);
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let blob = WindowBlob { track, window_idx: 1, data: b"late", worst: None };
    let error = store.put_windows(&[blob]).unwrap_err();
    assert!(matches!(error, StoreError::Locked { waited_ms: 50, .. }), "{error}");
    check_message(&error, store.path(), "another process");
    other.execute_batch("ROLLBACK").unwrap();
    check_kept(home.path(), track);
    store.put_windows(&[blob]).unwrap();
    assert_eq!(store.windows(track, 9).unwrap().len(), 2, "the same store goes on afterwards");
}

#[test]
fn a_database_locked_while_it_is_made_is_an_error() {
    let home = home();
    let path = home.path().join(DATABASE_FILE);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = Store::open_with(home.path(), &SHORT_WAIT).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(Store::open(home.path()).unwrap());
}

#[test]
fn a_full_disk_is_an_error_and_keeps_what_was_stored() {
    let home = home();
    let track = filled(&mut Store::open(home.path()).unwrap());
    let n_pages: u32 = Connection::open(home.path().join(DATABASE_FILE))
        .unwrap()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let options = StoreOptions { max_pages: Some(n_pages + 4), ..StoreOptions::default() };
    let mut store = Store::open_with(home.path(), &options).unwrap();
    let big = vec![7; 1 << 20];
    let error = store
        .put_windows(&[
            WindowBlob { track, window_idx: 1, data: b"small", worst: None },
            WindowBlob { track, window_idx: 2, data: &big, worst: None },
        ])
        .unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    check_message(&error, store.path(), "kept");
    check_kept(home.path(), track);
}

#[test]
fn a_store_of_a_newer_karat_is_refused_and_left_alone() {
    let home = home();
    let path = Store::open(home.path()).unwrap().path().to_owned();
    let version = |conn: &Connection| -> i64 {
        conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    let other = Connection::open(&path).unwrap();
    let known = version(&other);
    other.pragma_update(None, "user_version", known + 7).unwrap();
    let error = Store::open(home.path()).unwrap_err();
    let expected = (known + 7, known);
    assert!(
        matches!(error, StoreError::Newer { found, known, .. } if (found, known) == expected),
        "{error}"
    );
    check_message(&error, &path, "newer karat");
    assert_eq!(version(&other), known + 7);
}

#[test]
fn an_empty_database_is_brought_to_the_latest_layout() {
    let home = home();
    let path = home.path().join(DATABASE_FILE);
    fs::write(&path, "").unwrap();
    let track = filled(&mut Store::open(home.path()).unwrap());
    check_kept(home.path(), track);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let home = home();
    let path = home.path().join(DATABASE_FILE);
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let bytes = fs::read(&path).unwrap();
    let error = Store::open(home.path()).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    check_message(&error, &path, "another program");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let home = home();
    let path = home.path().join(DATABASE_FILE);
    let text = "certainly not a database, and long enough to be read as a header\n".repeat(99);
    fs::write(&path, &text).unwrap();
    let error = Store::open(home.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    check_message(&error, &path, "move it away");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_damaged_page_is_reported_as_damage() {
    const PAGE_BYTES: usize = 4096;
    let home = home();
    let (path, track) = {
        let mut store = Store::open(home.path()).unwrap();
        (store.path().to_owned(), filled(&mut store))
    };
    let mut file = fs::File::options().read(true).write(true).open(&path).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    // Page 1 holds the header and the schema; it stays, every other page goes.
    bytes[PAGE_BYTES..].fill(0xff);
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&bytes).unwrap();
    let error = Store::open(home.path()).unwrap().windows(track, 9).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    check_message(&error, &path, "damaged");
}

/// What `kill -9` leaves on disk: the committed part of the WAL and some of an open transaction.
#[test]
fn a_killed_process_leaves_what_it_committed_and_nothing_else() {
    let (home, copy) = (home(), home());
    let mut store = Store::open(home.path()).unwrap();
    let track = filled(&mut store);
    let writer = Connection::open(store.path()).unwrap();
    // A cache of one page makes SQLite write to the WAL before the commit.
    writer.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN").unwrap();
    let insert = "INSERT INTO window (track, window_idx, data)
                  SELECT track, 1, zeroblob(1 << 20) FROM window LIMIT 1";
    writer.execute(insert, []).unwrap();
    let wal = |home: &TempDir| home.path().join(format!("{DATABASE_FILE}-wal"));
    let written = fs::metadata(wal(&home)).unwrap().len();
    assert!(written > 1 << 20, "the open transaction has reached the WAL: {written} bytes");
    for suffix in ["", "-wal"] {
        let name = format!("{DATABASE_FILE}{suffix}");
        fs::copy(home.path().join(&name), copy.path().join(&name)).unwrap();
    }
    check_kept(copy.path(), track);
}
