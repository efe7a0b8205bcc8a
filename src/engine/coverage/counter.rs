//! Counters and expressions to counts.

use crate::format::covfun::{Counter, CounterExpression, Operation};

/// Why a counter has no count. It costs the function that the counter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterError {
    /// The profile has fewer counters for the function than its mapping refers to.
    OutOfRange,
    /// An expression refers to itself.
    Cycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unknown,
    Entered,
    Known(u64),
}

/// Evaluates the counters of one function after another; each expression once, however often it is shared.
#[derive(Debug, Default)]
pub struct Evaluator {
    states: Vec<State>,
    pending: Vec<u32>,
}

impl Evaluator {
    /// Forgets the last function; the next one has this many expressions.
    pub fn start(&mut self, n_expressions: usize) {
        self.states.clear();
        self.states.resize(n_expressions, State::Unknown);
    }

    /// The count of `counter`, given the function's expressions and the counts in its profile.
    ///
    /// Arithmetic wraps, as in LLVM: a process that ends inside a function leaves counts whose difference is below zero.
    ///
    /// # Errors
    /// A counter beyond `counts`; an expression that depends on itself.
    pub fn evaluate(
        &mut self,
        counter: Counter,
        expressions: &[CounterExpression],
        counts: &[u64],
    ) -> Result<u64, CounterError> {
        let root = match counter {
            Counter::Zero => return Ok(0),
            Counter::Index(index) => return count_at(counts, index),
            Counter::Expression(root) => root,
        };
        self.pending.clear();
        self.pending.push(root);
        while let Some(&index) = self.pending.last() {
            let Some(expression) = expressions.get(index as usize) else {
                return Err(CounterError::OutOfRange);
            };
            if matches!(self.states[index as usize], State::Known(_)) {
                self.pending.pop();
                continue;
            }
            let left = self.operand(expression.left, counts)?;
            let right = self.operand(expression.right, counts)?;
            if let (Some(left), Some(right)) = (left, right) {
                let count = match expression.operation {
                    Operation::Subtract => left.wrapping_sub(right),
                    Operation::Add => left.wrapping_add(right),
                };
                self.states[index as usize] = State::Known(count);
                self.pending.pop();
                continue;
            }
            if self.states[index as usize] == State::Entered {
                // Both sides were asked for already, so what is still unknown waits for this expression.
                return Err(CounterError::Cycle);
            }
            self.states[index as usize] = State::Entered;
            for side in [expression.left, expression.right] {
                if let Counter::Expression(side) = side {
                    match self.states.get(side as usize) {
                        Some(State::Unknown) => self.pending.push(side),
                        Some(State::Entered) => return Err(CounterError::Cycle),
                        _ => {}
                    }
                }
            }
        }
        match self.states.get(root as usize) {
            Some(State::Known(count)) => Ok(*count),
            _ => Err(CounterError::OutOfRange),
        }
    }

    /// The count of one side of an expression, if it is known by now.
    fn operand(&self, counter: Counter, counts: &[u64]) -> Result<Option<u64>, CounterError> {
        match counter {
            Counter::Zero => Ok(Some(0)),
            Counter::Index(index) => count_at(counts, index).map(Some),
            Counter::Expression(index) => match self.states.get(index as usize) {
                Some(State::Known(count)) => Ok(Some(*count)),
                Some(_) => Ok(None),
                None => Err(CounterError::OutOfRange),
            },
        }
    }
}

fn count_at(counts: &[u64], index: u32) -> Result<u64, CounterError> {
    counts.get(index as usize).copied().ok_or(CounterError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::{CounterError, Evaluator};
    use crate::format::covfun::{Counter, CounterExpression, Operation};

    const fn expression(operation: Operation, left: Counter, right: Counter) -> CounterExpression {
        CounterExpression { operation, left, right }
    }

    fn check(expressions: &[CounterExpression], counter: Counter, expected: Result<u64, CounterError>) {
        let mut evaluator = Evaluator::default();
        evaluator.start(expressions.len());
        for _ in 0..2 {
            assert_eq!(evaluator.evaluate(counter, expressions, &[10, 3]), expected, "{expressions:?}");
        }
    }

    use Counter::{Expression, Index, Zero};
    use Operation::{Add, Subtract};

    #[test]
    fn sums_and_differences() {
        check(&[], Zero, Ok(0));
        check(&[], Index(1), Ok(3));
        check(&[], Index(2), Err(CounterError::OutOfRange));
        check(&[expression(Subtract, Index(0), Index(1))], Expression(0), Ok(7));
        check(&[expression(Subtract, Index(1), Index(0))], Expression(0), Ok(7_u64.wrapping_neg()));
        let forward = [expression(Add, Expression(1), Expression(1)), expression(Add, Index(0), Index(1))];
        check(&forward, Expression(0), Ok(26));
        check(&[expression(Add, Index(9), Zero)], Expression(0), Err(CounterError::OutOfRange));
        check(&[], Expression(0), Err(CounterError::OutOfRange));
    }

    #[test]
    fn cycles_are_found() {
        check(&[expression(Add, Expression(0), Zero)], Expression(0), Err(CounterError::Cycle));
        let pair = [expression(Add, Index(0), Expression(1)), expression(Add, Expression(0), Index(0))];
        check(&pair, Expression(0), Err(CounterError::Cycle));
        check(&pair, Expression(1), Err(CounterError::Cycle));
        // A diamond is not a cycle.
        let diamond = [
            expression(Add, Expression(1), Expression(2)),
            expression(Add, Expression(2), Index(0)),
            expression(Add, Index(0), Index(1)),
        ];
        check(&diamond, Expression(0), Ok(36));
    }

    #[test]
    fn deep_chains_need_no_stack_and_shared_ones_no_time() {
        let depth = 100_000;
        let mut chain: Vec<_> =
            (1..depth).map(|next| expression(Add, Expression(next), Expression(next))).collect();
        chain.push(expression(Add, Index(1), Zero));
        let mut evaluator = Evaluator::default();
        evaluator.start(chain.len());
        // 3 doubled far more than 64 times wraps to zero.
        assert_eq!(evaluator.evaluate(Expression(0), &chain, &[0, 3]), Ok(0));
        assert_eq!(evaluator.evaluate(Expression(depth - 3), &chain, &[0, 3]), Ok(12));
    }
}
