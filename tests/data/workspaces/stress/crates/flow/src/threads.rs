//! Counters are atomic: no increment is lost between threads.

use std::sync::atomic::{AtomicU64, Ordering};

static TOTAL: AtomicU64 = AtomicU64::new(0);

pub fn work(value: u64) { // cov: 8000
    if value % 2 == 0 { // cov: 8000
        TOTAL.fetch_add(value, Ordering::Relaxed); // cov: 4000
    }
} // cov: 8000

pub fn in_parallel(threads: u64, times: u64) -> u64 { // cov: 1
    std::thread::scope(|scope| { // cov: 1
        for _ in 0..threads { // cov: 1 `_` has no region that could count the rounds
            scope.spawn(|| {
                for value in 0..times { // cov: 8000
                    work(value); // cov: 8000
                }
            });
        }
    });
    TOTAL.load(Ordering::Relaxed) // cov: 1
} // cov: 1

#[cfg(test)]
mod tests {
    #[test]
    fn exact() {
        assert_eq!(super::in_parallel(8, 1000), 8 * 249_500);
    }
}
