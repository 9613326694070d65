//! Tests of the reader against files built byte by byte, and against another reader's findings.

mod builder;
mod floats;
mod header;
mod hostile;
mod peer;
mod properties;
mod split;
