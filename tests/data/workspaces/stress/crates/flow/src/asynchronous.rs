//! The body of an `async fn` is a closure of the function that makes it, and runs only when polled.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Polls until ready. Nothing here ever wakes anything.
pub fn block_on<F: Future>(future: F) -> F::Output { // cov: 4
    let mut future = pin!(future); // cov: 4
    let mut context = Context::from_waker(Waker::noop()); // cov: 4
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) { // cov: 7
            return output; // cov: 4
        }
    }
}

/// Pending for so many polls.
pub struct Yield(pub u32);

impl Future for Yield {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> { // cov: 5
        if self.0 == 0 { // cov: 5
            return Poll::Ready(9); // cov: 2
        }
        self.0 -= 1; // cov: 3
        Poll::Pending // cov: 3
    } // cov: 5
}

/// Resumed once for each poll, counted once.
pub async fn waits() -> u32 {
    let first = Yield(2).await; // cov: 1
    first + 1 // cov: 1
}

pub async fn fails(text: &str) -> Result<u32, std::num::ParseIntError> {
    let number: u32 = text.parse()?; // cov: 2
    Ok(number + Yield(1).await) // cov: 1
}

/// Called, never polled.
pub async fn never_polled() -> u32 {
    let value = 1; // cov: 0
    value + 1 // cov: 0
}

pub fn block(value: u32) -> impl Future<Output = u32> {
    async move {
        value + 1 // cov: 1
    }
}

pub async fn never_called() -> u32 {
    3 // cov: 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polled() {
        assert_eq!(block_on(waits()), 10);
        assert_eq!(block_on(fails("1")), Ok(10));
        assert!(block_on(fails("x")).is_err());
        assert_eq!(block_on(block(1)), 2);
        drop(never_polled());
    }
}
