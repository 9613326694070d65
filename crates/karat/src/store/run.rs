//! Runs: what was asked for, and how each step ended.
//! Owns their life from beginning to end; never holds results, which live in tracks.

use std::process;

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::error::StoreError;
use super::open::Store;
use crate::digest::sha256_hex;
use crate::record::{Outcome, RunHeader, StepRecord};

/// One line of the list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Identity and life of the run.
    pub header: RunHeader,
    /// Steps recorded so far.
    pub n_steps: u64,
    /// Of these, the ones whose results are stored.
    pub n_done: u64,
    /// Of these, the ones that failed.
    pub n_failed: u64,
}

/// One run as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Identity and life of the run.
    pub header: RunHeader,
    /// What was asked for: models, texts, settings, track keys; laid out by the caller.
    pub plan: Value,
    /// Its steps by position.
    pub steps: Vec<StepRecord>,
}

/// Columns of `run` in the order [`read_header`] expects.
const HEADER: &str = "id, karat_version, command, started, finished, outcome, seed, level";

impl Store {
    /// A fresh run id such as `20261123-192005-a3f`: sorts by start time, and three hex digits keep
    /// runs of the same second apart. `started` is RFC 3339, UTC.
    pub fn new_run_id(&self, started: &str) -> Result<String, StoreError> {
        let digits: String = started.chars().filter(char::is_ascii_digit).take(14).collect();
        if digits.len() < 14 {
            return Err(StoreError::BadTime { started: started.to_owned() });
        }
        let (date, time) = digits.split_at(8);
        let mut attempt = 0_u32;
        loop {
            let salt = sha256_hex(format!("{started} {} {attempt}", process::id()));
            let id = format!("{date}-{time}-{}", &salt[..3]);
            if self.find_exact(&id)?.is_none() {
                return Ok(id);
            }
            attempt += 1;
        }
    }

    /// Stores a run that begins, with its plan.
    pub fn begin_run(&self, header: &RunHeader, plan: &Value) -> Result<(), StoreError> {
        let insert = "INSERT INTO run (id, karat_version, command, started, finished, outcome,
                                       seed, level, plan)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let values = params![
            header.id,
            header.karat_version,
            header.command,
            header.started,
            header.finished,
            outcome_name(header.outcome),
            header.seed.cast_signed(),
            header.level,
            plan.to_string(),
        ];
        match self.sql(self.conn.execute(insert, values))? {
            0 => Err(StoreError::RunExists { id: header.id.clone() }),
            _ => Ok(()),
        }
    }

    /// Replaces a run's plan, e.g. when it learns more about its texts or its machine.
    pub fn update_plan(&self, run: &str, plan: &Value) -> Result<(), StoreError> {
        let update = "UPDATE run SET plan = ?2 WHERE id = ?1";
        self.expect_run(run, self.conn.execute(update, params![run, plan.to_string()]))
    }

    /// Stores how a run ended. `finished` is RFC 3339, UTC.
    pub fn finish_run(
        &self,
        run: &str,
        finished: &str,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let update = "UPDATE run SET finished = ?2, outcome = ?3 WHERE id = ?1";
        let values = params![run, finished, outcome_name(outcome)];
        self.expect_run(run, self.conn.execute(update, values))
    }

    /// Stores a step of a run, or its new state; `position` is its place in the plan, from 0.
    pub fn record_step(
        &self,
        run: &str,
        step: &StepRecord,
        position: u32,
    ) -> Result<(), StoreError> {
        let upsert = "INSERT INTO step (run, id, position, title, outcome, seconds,
                                        peak_memory_bytes, error, engine_log)
                      SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM run WHERE id = ?1
                      ON CONFLICT (run, id) DO UPDATE SET
                        position = excluded.position, title = excluded.title,
                        outcome = excluded.outcome, seconds = excluded.seconds,
                        peak_memory_bytes = excluded.peak_memory_bytes,
                        error = excluded.error, engine_log = excluded.engine_log";
        let values = params![
            run,
            step.id,
            position,
            step.title,
            outcome_name(step.outcome),
            step.seconds,
            step.peak_memory_bytes.map(u64::cast_signed),
            step.error,
            Value::from(step.engine_log.as_slice()).to_string(),
        ];
        self.expect_run(run, self.conn.execute(upsert, values))
    }

    /// All runs, the one begun last first.
    pub fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let select = format!(
            "SELECT {HEADER},
                (SELECT count(*) FROM step WHERE step.run = run.id),
                (SELECT count(*) FROM step WHERE step.run = run.id AND step.outcome = 'done'),
                (SELECT count(*) FROM step WHERE step.run = run.id AND step.outcome = 'failed')
             FROM run ORDER BY seq DESC"
        );
        let mut statement = self.sql(self.conn.prepare(&select))?;
        let read = |row: &Row<'_>| {
            let count = |column: usize| row.get(column).map(i64::cast_unsigned);
            let (n_steps, n_done, n_failed) = (count(8)?, count(9)?, count(10)?);
            Ok(RunSummary { header: read_header(row)?, n_steps, n_done, n_failed })
        };
        let rows = self.sql(statement.query_map([], read))?;
        self.sql(rows.collect())
    }

    /// One run by its id, by a beginning of its id that fits no other, or by `latest`.
    pub fn run(&self, wanted: &str) -> Result<Run, StoreError> {
        let id = self.resolve(wanted)?;
        let select = format!("SELECT {HEADER}, plan FROM run WHERE id = ?1");
        let found = self.conn.query_row(&select, [&id], |row| {
            let plan: String = row.get(8)?;
            Ok((read_header(row)?, plan))
        });
        let (header, plan) = self.sql(found)?;
        let plan = serde_json::from_str(&plan).map_err(|e| self.unreadable("a plan", &e))?;
        Ok(Run { header, plan, steps: self.steps(&id)? })
    }

    fn steps(&self, run: &str) -> Result<Vec<StepRecord>, StoreError> {
        let select = "SELECT id, title, outcome, seconds, peak_memory_bytes, error, engine_log
                      FROM step WHERE run = ?1 ORDER BY position, id";
        let mut statement = self.sql(self.conn.prepare(select))?;
        let read = |row: &Row<'_>| {
            let peak: Option<i64> = row.get(4)?;
            let log: String = row.get(6)?;
            let step = StepRecord {
                id: row.get(0)?,
                title: row.get(1)?,
                outcome: read_outcome(row, 2)?,
                seconds: row.get(3)?,
                peak_memory_bytes: peak.map(i64::cast_unsigned),
                error: row.get(5)?,
                engine_log: Vec::new(),
            };
            Ok((step, log))
        };
        let rows = self.sql(statement.query_map([run], read))?;
        let rows: Vec<(StepRecord, String)> = self.sql(rows.collect())?;
        let with_log = |(step, log): (StepRecord, String)| {
            let engine_log =
                serde_json::from_str(&log).map_err(|e| self.unreadable("an engine log", &e))?;
            Ok(StepRecord { engine_log, ..step })
        };
        rows.into_iter().map(with_log).collect()
    }

    fn resolve(&self, wanted: &str) -> Result<String, StoreError> {
        if wanted == "latest" {
            let select = "SELECT id FROM run ORDER BY seq DESC LIMIT 1";
            let newest = self.conn.query_row(select, [], |row| row.get(0)).optional();
            return self.sql(newest)?.ok_or(StoreError::NoRuns);
        }
        if let Some(id) = self.find_exact(wanted)? {
            return Ok(id);
        }
        let select = "SELECT id FROM run WHERE substr(id, 1, length(?1)) = ?1 ORDER BY seq DESC";
        let mut statement = self.sql(self.conn.prepare(select))?;
        let rows = self.sql(statement.query_map([wanted], |row| row.get(0)))?;
        let fits: Vec<String> = self.sql(rows.collect())?;
        match fits.as_slice() {
            [] => Err(StoreError::UnknownRun { wanted: wanted.to_owned() }),
            [only] => Ok(only.clone()),
            [first, second, ..] => Err(StoreError::AmbiguousRun {
                wanted: wanted.to_owned(),
                n_matches: fits.len(),
                first: first.clone(),
                second: second.clone(),
            }),
        }
    }

    fn find_exact(&self, id: &str) -> Result<Option<String>, StoreError> {
        let select = "SELECT id FROM run WHERE id = ?1";
        self.sql(self.conn.query_row(select, [id], |row| row.get(0)).optional())
    }

    /// Turns a statement that touched no row into [`StoreError::UnknownRun`].
    fn expect_run(&self, run: &str, touched: rusqlite::Result<usize>) -> Result<(), StoreError> {
        match self.sql(touched)? {
            0 => Err(StoreError::UnknownRun { wanted: run.to_owned() }),
            _ => Ok(()),
        }
    }

    pub(super) fn unreadable(&self, what: &'static str, source: &serde_json::Error) -> StoreError {
        let path = self.path().to_owned();
        StoreError::Unreadable { path, what, detail: source.to_string() }
    }
}

fn read_header(row: &Row<'_>) -> rusqlite::Result<RunHeader> {
    let seed: i64 = row.get(6)?;
    Ok(RunHeader {
        id: row.get(0)?,
        karat_version: row.get(1)?,
        command: row.get(2)?,
        started: row.get(3)?,
        finished: row.get(4)?,
        outcome: read_outcome(row, 5)?,
        seed: seed.cast_unsigned(),
        level: row.get(7)?,
    })
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unfinished => "unfinished",
        Outcome::Done => "done",
        Outcome::Failed => "failed",
    }
}

fn read_outcome(row: &Row<'_>, column: usize) -> rusqlite::Result<Outcome> {
    let name: String = row.get(column)?;
    match name.as_str() {
        "unfinished" => Ok(Outcome::Unfinished),
        "done" => Ok(Outcome::Done),
        "failed" => Ok(Outcome::Failed),
        _ => {
            let unknown = format!("unknown outcome `{name}`").into();
            let kind = rusqlite::types::Type::Text;
            Err(rusqlite::Error::FromSqlConversionFailure(column, kind, unknown))
        }
    }
}
