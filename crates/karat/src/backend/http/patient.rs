//! A connection whose patience changes while a reply comes: long until the first byte, short between
//! bytes. Owns nothing but that limit; the bytes pass through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport, time,
};

/// Longest wait for the next bytes; clones share it.
#[derive(Clone, Debug)]
pub struct Pacer(Arc<AtomicU64>);

impl Pacer {
    pub fn new(longest: Duration) -> Self {
        let pacer = Self(Arc::default());
        pacer.set(longest);
        pacer
    }

    /// Changes the wait from the next read on.
    pub fn set(&self, longest: Duration) {
        self.0.store(longest.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn limit(&self, timeout: NextTimeout) -> NextTimeout {
        let longest = Duration::from_millis(self.0.load(Ordering::Relaxed));
        NextTimeout { per_read: Some(time::Duration::Exact(longest)), ..timeout }
    }
}

/// Makes connections that keep to a [`Pacer`].
#[derive(Debug)]
pub struct PatientConnector {
    inner: DefaultConnector,
    pacer: Pacer,
}

impl PatientConnector {
    pub fn new(inner: DefaultConnector, pacer: Pacer) -> Self {
        Self { inner, pacer }
    }
}

impl Connector for PatientConnector {
    type Out = Patient;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Patient>, Error> {
        let inner = self.inner.connect(details, chained)?;
        Ok(inner.map(|inner| Patient { inner, pacer: self.pacer.clone() }))
    }
}

/// A connection that keeps to a [`Pacer`].
#[derive(Debug)]
pub struct Patient {
    inner: Box<dyn Transport>,
    pacer: Pacer,
}

impl Transport for Patient {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(self.pacer.limit(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
