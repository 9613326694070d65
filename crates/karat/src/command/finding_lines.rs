//! What a plan found, as a dry run tells it.

use crate::record::{Finding, Severity};

/// A line each, with how much it matters in front.
pub(super) fn finding_lines<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
) -> impl Iterator<Item = String> {
    findings.into_iter().map(|Finding { severity, message }| {
        let label = match severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
        };
        format!("  {label}: {message}")
    })
}
