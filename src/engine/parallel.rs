//! Independent pieces of work on several threads, results in the order of the pieces.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Applies `work` to each item, on at most `threads` threads, and returns the results in the items' order.
///
/// Items are handed out one by one, so a few large ones do not hold up the rest.
pub(crate) fn map_in_order<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.into_iter().map(work).collect();
    }
    let n_items = items.len();
    let items: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let results: Vec<Mutex<Option<R>>> = (0..n_items).map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some((item, result)) = next_pair(&items, &results, &next) {
            let done = lock(item).take().map(&work);
            *lock(result) = done;
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
    results
        .into_iter()
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// The next item that nobody has taken, and the place for its result.
fn next_pair<'a, T, R>(items: &'a [T], results: &'a [R], next: &AtomicUsize) -> Option<(&'a T, &'a R)> {
    let position = next.fetch_add(1, Ordering::Relaxed);
    items.get(position).zip(results.get(position))
}

/// A thread that panicked ends all of them when they are joined; until then its locks hold nothing half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::map_in_order;

    #[test]
    fn results_keep_the_order_whatever_the_threads() {
        for threads in [0, 1, 2, 7, 1000] {
            let squares = map_in_order((0..100_u64).collect(), threads, |number| number * number);
            assert_eq!(squares, (0..100).map(|number| number * number).collect::<Vec<_>>());
        }
        assert!(map_in_order(Vec::<u8>::new(), 4, |byte| byte).is_empty());
    }
}
