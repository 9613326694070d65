//! Instruments: each measures one thing. Owns how a measurement is made; never prints or stores.

pub mod behaviour;
pub mod fidelity;
pub mod memory;
pub mod speed;
