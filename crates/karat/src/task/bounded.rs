//! How large the values of a task may become: task files come from anywhere, and a value that names
//! another one twice doubles it. Owns the bound and the counting.

use std::io::{self, Write};

use serde::Serialize;

/// Most bytes of an instance's values as JSON; the longest log of the bundled families takes a
/// hundredth of it.
const LARGEST: usize = 8 << 20;

/// Refuses what would take more than the bound as JSON, without building it. Gives the bytes it takes.
pub(super) fn size(value: &impl Serialize) -> Result<usize, String> {
    let mut room = Room { left: LARGEST };
    match serde_json::to_writer(&mut room, value) {
        Ok(()) => Ok(LARGEST - room.left),
        Err(error) if error.is_io() => Err(too_large()),
        Err(error) => Err(error.to_string()),
    }
}

/// What is left of the bound after values of so many bytes.
pub(super) fn room_after(taken: usize, next: &impl Serialize) -> Result<usize, String> {
    let taken = taken + size(next)?;
    if taken > LARGEST { Err(too_large()) } else { Ok(taken) }
}

fn too_large() -> String {
    format!(
        "the values of a task take at most {} MiB, and with this one they take more",
        LARGEST >> 20
    )
}

/// A place for so many bytes, of which none is kept.
struct Room {
    left: usize,
}

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
