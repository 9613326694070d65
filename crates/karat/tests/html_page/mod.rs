//! A report in a browser, and what a test asks of it.

#![allow(dead_code, reason = "each test file that includes this uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use karat::record::RunDocument;
use karat::report::{Format as _, Html};
use tempfile::TempDir;

use crate::chromium::Chromium;

pub const DESKTOP: (u32, u32) = (1280, 900);
pub const PHONE: (u32, u32) = (390, 844);
/// One browser at a time is enough for a small machine.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A report in a browser.
pub struct Page {
    pub browser: Chromium,
    _folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

pub fn html(doc: &RunDocument) -> String {
    let mut bytes = Vec::new();
    Html.render(doc, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[track_caller]
pub fn opened(doc: &RunDocument) -> Page {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    fs::write(&file, html(doc)).unwrap();
    let mut browser = Chromium::start();
    browser.emulate(DESKTOP, "light", "screen");
    browser.open(&file);
    Page { browser, _folder: folder, _turn: turn }
}

impl Page {
    #[track_caller]
    pub fn number(&mut self, expression: &str) -> f64 {
        let value = self.browser.evaluate(expression);
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    #[track_caller]
    pub fn words(&mut self, expression: &str) -> Vec<String> {
        let value = self.browser.evaluate(expression);
        serde_json::from_value(value).unwrap()
    }

    /// Nothing was logged, thrown or refused, and nothing but the file itself was asked for.
    #[track_caller]
    pub fn check_quiet(&mut self) {
        assert_eq!(self.browser.complaints(), Vec::<String>::new());
        let requests = self.browser.requests();
        let others = requests.iter().filter(|url| !url.ends_with("/report.html"));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(!requests.is_empty(), "the watch on requests sees the file itself");
    }

    /// What is drawn lies inside its drawing and has an extent; gives the number of parts.
    #[track_caller]
    pub fn check_geometry(&mut self, plot: &str, part: &str) -> usize {
        let script = format!(
            "[...document.querySelectorAll('#{plot} svg')].flatMap((svg) => {{
               const out = svg.getBoundingClientRect();
               return [...svg.querySelectorAll('{part}')].map((part) => {{
                 const box = part.getBoundingClientRect();
                 const name = part.outerHTML + JSON.stringify([out, box]);
                 const inside = box.left >= out.left - 2 && box.right <= out.right + 2
                   && box.top >= out.top - 2 && box.bottom <= out.bottom + 2;
                 return [inside && Math.max(box.width, box.height) > 0 && out.height > 100, name];
               }});
             }})"
        );
        let parts = self.browser.evaluate(&script);
        let parts = parts.as_array().unwrap();
        for part in parts {
            assert!(part[0].as_bool().unwrap(), "{plot}: {}", part[1]);
        }
        parts.len()
    }
}
