//! Ctrl-C and polite requests to end: remembered, so that what was counted until then can be kept. Ends nothing itself.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether this process was asked to end.
///
/// The first signal is remembered here. A second one has its usual effect, at once.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    /// The number of the signal; 0 until there is one.
    signal: Arc<AtomicUsize>,
    /// Whether the next signal has its usual effect.
    usual: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM, which have their usual effect again once the returned value is gone.
    ///
    /// # Errors
    /// When the system does not allow that.
    pub fn listen() -> Result<Listening> {
        let interrupt = Interrupt::default();
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            // In this order: the first looks at what the second sets.
            flag::register_conditional_default(signal, Arc::clone(&interrupt.usual))
                .and_then(|_| flag::register(signal, Arc::clone(&interrupt.usual)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&interrupt.signal), number))
                .context("failed to listen for signals")?;
        }
        Ok(Listening(interrupt))
    }

    /// The number of the signal that asked this process to end: 2 for Ctrl-C, 15 for `kill`.
    pub fn signal(&self) -> Option<usize> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Does what a signal would.
    pub fn set(&self) {
        self.signal.store(usize::MAX, Ordering::Relaxed);
    }

    /// Whether there was such a signal.
    pub fn is_set(&self) -> bool {
        self.signal().is_some()
    }
}

/// While this lives, signals are remembered in its [`Interrupt`].
#[derive(Debug)]
pub struct Listening(Interrupt);

impl Listening {
    /// Where signals are remembered.
    pub fn interrupt(&self) -> &Interrupt {
        &self.0
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.usual.store(true, Ordering::Relaxed);
    }
}
