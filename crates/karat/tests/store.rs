//! What the store keeps and gives back: hashes, tracks, windows, runs.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;

use karat::record::{Outcome, RunHeader, StepRecord};
use karat::store::{Store, StoreError, TrackKey, TrackKind, WindowBlob};
use serde_json::json;
use tempfile::TempDir;

#[track_caller]
fn open(home: &TempDir) -> Store {
    Store::open(home.path()).unwrap()
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn key(text: &str, n_ctx: u32) -> TrackKey {
    TrackKey {
        kind: TrackKind::Pair,
        text_sha256: text.to_owned(),
        candidate_sha256: "c".to_owned(),
        reference_sha256: Some("r".to_owned()),
        setting: BTreeMap::from([("n_ctx".to_owned(), n_ctx.to_string())]),
    }
}

fn header(id: &str) -> RunHeader {
    RunHeader {
        id: id.to_owned(),
        karat_version: "0.1.0".to_owned(),
        command: "karat fidelity".to_owned(),
        started: "2026-11-23T19:20:05Z".to_owned(),
        finished: None,
        outcome: Outcome::Unfinished,
        seed: u64::MAX,
        level: 0.95,
    }
}

fn step(id: &str, outcome: Outcome) -> StepRecord {
    StepRecord {
        id: id.to_owned(),
        title: format!("score {id}"),
        outcome,
        seconds: 1.5,
        peak_memory_bytes: Some(1 << 40),
        error: (outcome == Outcome::Failed).then(|| "killed by signal 9".to_owned()),
        engine_log: vec!["a \"quoted\" line".to_owned(), "zażółć".to_owned()],
    }
}

#[test]
fn worst_tokens_are_kept_with_their_window_and_may_be_missing() {
    let home = home();
    let mut store = open(&home);
    let track = store.track(&key("t", 512)).unwrap();
    let blob = |window_idx, worst| WindowBlob { track, window_idx, data: b"x", worst };
    store.put_windows(&[blob(4, Some("[4]")), blob(1, None)]).unwrap();
    let kept = [(1, None), (4, Some("[4]".to_owned()))];
    assert_eq!(store.worst_tokens(track, 5).unwrap(), kept);
    assert_eq!(store.worst_tokens(track, 4).unwrap(), kept[..1]);

    let again = [blob(4, Some("[4]")), blob(4, None), blob(1, Some("[]"))];
    assert_eq!(store.put_windows(&again).unwrap(), 0);
    assert_eq!(store.put_windows(&[blob(4, Some("[5]"))]).unwrap(), 1, "came out different");
    assert_eq!(store.worst_tokens(track, 5).unwrap(), kept, "what is there stays");
}

#[test]
fn a_hash_is_remembered_until_size_or_time_change() {
    let home = home();
    let store = open(&home);
    let path = Path::new("/models/a.gguf");
    let mtime_ns = 1_795_461_605_123_456_789_i128;
    assert_eq!(store.cached_hash(path, 10, mtime_ns).unwrap(), None);
    store.remember_hash(path, 10, mtime_ns, "aa").unwrap();
    assert_eq!(store.cached_hash(path, 10, mtime_ns).unwrap().as_deref(), Some("aa"));
    assert_eq!(store.cached_hash(path, 11, mtime_ns).unwrap(), None);
    assert_eq!(store.cached_hash(path, 10, mtime_ns + 1).unwrap(), None);
    assert_eq!(store.cached_hash(Path::new("/models/b.gguf"), 10, mtime_ns).unwrap(), None);
    store.remember_hash(path, 11, mtime_ns, "bb").unwrap();
    assert_eq!(store.cached_hash(path, 10, mtime_ns).unwrap(), None);
    assert_eq!(store.cached_hash(path, 11, mtime_ns).unwrap().as_deref(), Some("bb"));
}

#[test]
fn equal_keys_share_a_track_and_any_difference_makes_another() {
    let home = home();
    let store = open(&home);
    let base = key("t", 512);
    let id = store.track(&base).unwrap();
    assert_eq!(store.track(&base).unwrap(), id);
    let others = [
        key("u", 512),
        key("t", 1024),
        TrackKey { kind: TrackKind::Model, ..base.clone() },
        TrackKey { candidate_sha256: "d".to_owned(), ..base.clone() },
        TrackKey { reference_sha256: None, ..base.clone() },
    ];
    let ids: BTreeSet<_> = others.iter().map(|key| store.track(key).unwrap()).collect();
    assert_eq!(ids.len(), others.len());
    assert!(!ids.contains(&id));
}

#[test]
fn looking_for_a_track_does_not_make_it() {
    let home = home();
    let store = open(&home);
    assert_eq!(store.find_track(&key("t", 512)).unwrap(), None);
    assert_eq!(store.find_track(&key("t", 512)).unwrap(), None);
    let id = store.track(&key("t", 512)).unwrap();
    assert_eq!(store.find_track(&key("t", 512)).unwrap(), Some(id));
}

/// The identity outlives the process that made it, so its spelling must never change.
#[test]
fn the_canonical_key_is_spelled_as_ever() {
    let mut key = key("t", 512);
    key.setting.insert("kv_type".to_owned(), "f16".to_owned());
    let json = r#"{"kind":"pair","text_sha256":"t","candidate_sha256":"c","reference_sha256":"r","setting":{"kv_type":"f16","n_ctx":"512"}}"#;
    assert_eq!(key.canonical_json(), json);
    // printf '%s' JSON | sha256sum (GNU coreutils)
    let sha256 = "44a9b15013e295cbdbfc27640e57f7f57b8b708aef135d9be51250ffd9298fda";
    assert_eq!(key.identity(), sha256);
    assert_eq!(serde_json::from_str::<TrackKey>(json).unwrap(), key);
}

#[test]
fn windows_come_back_in_order_whatever_order_they_came_in() {
    let home = home();
    let mut store = open(&home);
    let track = store.track(&key("t", 512)).unwrap();
    let other = store.track(&key("u", 512)).unwrap();
    let blob = |track, window_idx, data| WindowBlob { track, window_idx, data, worst: None };
    let group = [blob(track, 10, &b"ten"[..]), blob(other, 3, b"x"), blob(track, 2, b"two")];
    store.put_windows(&group).unwrap();
    store.put_windows(&[blob(track, 0, b"")]).unwrap();
    assert_eq!(store.finished_windows(track).unwrap(), BTreeSet::from([0, 2, 10]));
    assert_eq!(store.finished_windows(other).unwrap(), BTreeSet::from([3]));
    let all = vec![(0, vec![]), (2, b"two".to_vec()), (10, b"ten".to_vec())];
    assert_eq!(store.windows(track, 11).unwrap(), all);
    assert_eq!(store.windows(track, 10).unwrap(), all[..2]);
}

#[test]
fn of_a_window_measured_twice_the_first_result_is_kept() {
    let home = home();
    let mut store = open(&home);
    let track = store.track(&key("t", 512)).unwrap();
    let blob = |window_idx, data| WindowBlob { track, window_idx, data, worst: None };
    assert_eq!(store.put_windows(&[blob(0, b"a")]).unwrap(), 0);
    assert_eq!(store.put_windows(&[blob(0, b"a"), blob(1, b"b")]).unwrap(), 0);
    assert_eq!(store.put_windows(&[blob(2, b"c"), blob(0, b"other")]).unwrap(), 1);
    let kept = vec![(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())];
    assert_eq!(store.windows(track, 9).unwrap(), kept);
}

#[test]
fn a_run_comes_back_as_it_was_recorded() {
    let home = home();
    let store = open(&home);
    let id = "20261123-192005-a3f";
    store.begin_run(&header(id), &json!({"models": ["a"], "level": 0.95})).unwrap();
    store.record_step(id, &step("second", Outcome::Unfinished), 1).unwrap();
    store.record_step(id, &step("first", Outcome::Done), 0).unwrap();
    store.record_step(id, &step("second", Outcome::Failed), 1).unwrap();
    store.update_plan(id, &json!({"models": ["a", "b"]})).unwrap();
    store.finish_run(id, "2026-11-23T19:21:00Z", Outcome::Failed).unwrap();
    drop(store);

    let run = open(&home).run(id).unwrap();
    let finished = Some("2026-11-23T19:21:00Z".to_owned());
    assert_eq!(run.header, RunHeader { finished, outcome: Outcome::Failed, ..header(id) });
    assert_eq!(run.plan, json!({"models": ["a", "b"]}));
    assert_eq!(run.steps, [step("first", Outcome::Done), step("second", Outcome::Failed)]);
}

#[test]
fn runs_are_listed_newest_first_with_their_progress() {
    let home = home();
    let store = open(&home);
    assert_eq!(store.runs().unwrap(), []);
    for id in ["one", "two"] {
        store.begin_run(&header(id), &json!({})).unwrap();
    }
    store.record_step("one", &step("x", Outcome::Done), 0).unwrap();
    store.record_step("one", &step("y", Outcome::Failed), 1).unwrap();
    store.record_step("one", &step("z", Outcome::Unfinished), 2).unwrap();
    let runs = store.runs().unwrap();
    let counts: Vec<_> = runs
        .iter()
        .map(|run| (run.header.id.as_str(), run.n_steps, run.n_done, run.n_failed))
        .collect();
    assert_eq!(counts, [("two", 0, 0, 0), ("one", 3, 1, 1)]);
}

#[track_caller]
fn check_found(wanted: &str, id: &str) {
    assert_eq!(three_runs().1.run(wanted).unwrap().header.id, id);
}

#[track_caller]
fn check_not_found(wanted: &str, message: &str) {
    assert_eq!(three_runs().1.run(wanted).unwrap_err().to_string(), message);
}

fn three_runs() -> (TempDir, Store) {
    let home = home();
    let store = open(&home);
    for id in ["2026-a", "2026-ab", "2026-b"] {
        store.begin_run(&header(id), &json!({})).unwrap();
    }
    (home, store)
}

#[test]
fn latest_is_the_run_begun_last() {
    check_found("latest", "2026-b");
}

#[test]
fn a_beginning_that_fits_one_run_finds_it() {
    check_found("2026-b", "2026-b");
    check_found("2026-ab", "2026-ab");
}

#[test]
fn a_whole_id_wins_over_longer_ones_that_begin_with_it() {
    check_found("2026-a", "2026-a");
}

#[test]
fn a_beginning_that_fits_several_runs_names_them() {
    let message = "`2026` fits 3 runs (2026-b, 2026-ab, ...): give more of the id";
    check_not_found("2026", message);
}

#[test]
fn an_id_that_fits_none_is_named_and_wildcards_are_plain_text() {
    check_not_found("2027", "no run `2027`: `karat runs` lists what there is");
    check_not_found("2026-_", "no run `2026-_`: `karat runs` lists what there is");
}

#[test]
fn there_is_no_latest_run_in_an_empty_store() {
    let home = home();
    let error = open(&home).run("latest").unwrap_err();
    assert_eq!(error.to_string(), "the store holds no runs yet");
}

#[test]
fn recording_for_a_run_that_was_never_begun_is_refused() {
    let home = home();
    let store = open(&home);
    let errors = [
        store.record_step("ghost", &step("x", Outcome::Done), 0).unwrap_err(),
        store.finish_run("ghost", "2026-11-23T19:21:00Z", Outcome::Done).unwrap_err(),
        store.update_plan("ghost", &json!({})).unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(&error, StoreError::UnknownRun { wanted } if wanted == "ghost"),
            "{error}"
        );
    }
}

#[test]
fn a_run_is_begun_once() {
    let (_home, store) = three_runs();
    let error = store.begin_run(&header("2026-a"), &json!({})).unwrap_err();
    assert_eq!(error.to_string(), "run `2026-a` exists already");
}

#[test]
fn run_ids_sort_by_time_and_differ_within_a_second() {
    let home = home();
    let store = open(&home);
    let mut ids = Vec::new();
    for started in ["2026-11-23T19:20:05Z", "2026-11-23T19:20:05Z", "2026-11-23T19:20:06.25Z"] {
        let id = store.new_run_id(started).unwrap();
        store.begin_run(&header(&id), &json!({})).unwrap();
        ids.push(id);
    }
    assert!(ids[0].starts_with("20261123-192005-") && ids[0].len() == 19, "{}", ids[0]);
    assert_ne!(ids[0], ids[1]);
    assert!(ids[1] < ids[2], "{} sorts before {}", ids[1], ids[2]);
    assert!(matches!(store.new_run_id("yesterday"), Err(StoreError::BadTime { .. })));
}

/// Several processes may start in an empty folder at once and write to the same tracks.
#[test]
fn connections_opened_at_once_share_one_store() {
    const N_WRITERS: u32 = 6;
    const N_WINDOWS: u32 = 20;
    let home = home();
    thread::scope(|scope| {
        for writer in 0..N_WRITERS {
            let home = &home;
            scope.spawn(move || {
                let mut store = open(home);
                let track = store.track(&key("shared", 512)).unwrap();
                for window_idx in 0..N_WINDOWS {
                    let own = store.track(&key(&writer.to_string(), window_idx)).unwrap();
                    let data = &window_idx.to_le_bytes()[..];
                    let shared = WindowBlob { track, window_idx, data, worst: None };
                    let own = WindowBlob { track: own, window_idx: 0, data, worst: None };
                    store.put_windows(&[shared, own]).unwrap();
                }
            });
        }
    });
    let store = open(&home);
    let shared = store.track(&key("shared", 512)).unwrap();
    let expected: Vec<_> = (0..N_WINDOWS).map(|i| (i, i.to_le_bytes().to_vec())).collect();
    assert_eq!(store.windows(shared, N_WINDOWS).unwrap(), expected);
    for writer in 0..N_WRITERS {
        let own = store.track(&key(&writer.to_string(), 0)).unwrap();
        assert_eq!(store.finished_windows(own).unwrap(), BTreeSet::from([0]));
    }
}

#[test]
fn a_second_connection_sees_what_the_first_committed() {
    let home = home();
    let (mut writer, reader) = (open(&home), open(&home));
    let track = writer.track(&key("t", 512)).unwrap();
    writer.put_windows(&[WindowBlob { track, window_idx: 0, data: b"a", worst: None }]).unwrap();
    assert_eq!(reader.windows(track, 1).unwrap(), [(0, b"a".to_vec())]);
}

#[test]
fn samples_come_back_in_order_and_the_first_measurement_stays() {
    let home = home();
    let store = open(&home);
    store.put_sample("speed", 1, &json!({"tg_rate": 2.0})).unwrap();
    store.put_sample("speed", 0, &json!({"tg_rate": 1.0})).unwrap();
    store.put_sample("speed", 1, &json!({"tg_rate": 3.0})).unwrap();
    store.put_sample("memory", 0, &json!(null)).unwrap();
    drop(store);
    let found = open(&home).samples("speed").unwrap();
    assert_eq!(found, [(0, json!({"tg_rate": 1.0})), (1, json!({"tg_rate": 2.0}))]);
}
