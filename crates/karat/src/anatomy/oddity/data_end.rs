//! Bytes of a file that belong to no tensor: behind the last one, or between two.

use super::{Oddity, Subject, warning};

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let alignment = subject.header.alignment();
    let mut oddities = Vec::new();
    for (part, &file_bytes) in subject.part_bytes.iter().enumerate() {
        let in_part = subject.header.tensors().iter().filter(|tensor| tensor.part == part);
        let mut extents: Vec<(u64, u64)> =
            in_part.map(|tensor| (tensor.offset, tensor.offset + tensor.bytes)).collect();
        extents.sort_unstable();
        let Some(&(_, last_end)) = extents.last() else { continue };
        let place = if subject.part_bytes.len() > 1 {
            format!(" of part {}", part + 1)
        } else {
            String::new()
        };
        let behind = file_bytes.saturating_sub(last_end);
        if behind >= alignment {
            oddities.push(warning(
                "data_end",
                format!("{behind} bytes{place} follow the last tensor and belong to none"),
            ));
        }
        let gaps = extents.array_windows().map(|&[(_, end), (start, _)]| start - end);
        let between: u64 = gaps.filter(|&gap| gap >= alignment).sum();
        if between > 0 {
            oddities.push(warning(
                "data_end",
                format!("{between} bytes{place} between tensors belong to none"),
            ));
        }
    }
    oddities
}
