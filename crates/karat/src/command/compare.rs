//! `karat compare`: every instrument that exists, in one table.

use super::{Session, fidelity};
use crate::cli::CompareArgs;
use crate::exit::Exit;

pub(super) fn run(session: &Session, args: &CompareArgs) -> anyhow::Result<Exit> {
    fidelity::run(session, &args.fidelity)
}
