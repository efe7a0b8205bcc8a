//! `--partition`: which test binaries run here, and which on other machines. The same for the same data, wherever it is asked.
//! Single tests are shared out by cargo-nextest; of that, only the flag is understood here.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// One of several parts of the test binaries, or under cargo-nextest of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// How binaries are shared out.
    pub kind: PartitionKind,
    /// Which part, from 1 on.
    pub index: NonZeroU32,
    /// How many parts there are.
    pub count: NonZeroU32,
}

/// How test binaries are shared out. By the same words, cargo-nextest shares out tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionKind {
    /// By how long they took in an earlier run, so that all parts take about as long.
    Slice,
    /// By a hash of each one's identity, whatever the others are.
    Hash,
    /// In turn. Only cargo-nextest shares out so.
    Count,
}

impl fmt::Display for PartitionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PartitionKind::Slice => "slice",
            PartitionKind::Hash => "hash",
            PartitionKind::Count => "count",
        })
    }
}

/// As it is typed: `slice:1/3`.
impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.index, self.count)
    }
}

impl Partition {
    /// Reads `slice:M/N` or `hash:M/N`, M from 1 to N; `None` if it is something else.
    pub fn parse(text: &str) -> Option<Partition> {
        Partition::parse_nextest(text).filter(|it| it.kind != PartitionKind::Count)
    }

    /// The same as cargo-nextest takes it: also `count:M/N`.
    pub(super) fn parse_nextest(text: &str) -> Option<Partition> {
        const KINDS: [PartitionKind; 3] = [PartitionKind::Slice, PartitionKind::Hash, PartitionKind::Count];
        let (kind, part) = text.split_once(':')?;
        let kind = KINDS.into_iter().find(|it| it.to_string() == kind)?;
        let (index, count) = part.split_once('/')?;
        let number = |text: &str| text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?;
        let (index, count) = (number(index)?, number(count)?);
        (index <= count).then_some(Partition { kind, index, count })
    }

    /// Whether it is the first part, in which counts what every machine does.
    pub(super) fn is_first(self) -> bool {
        self.index == NonZeroU32::MIN
    }

    /// The part that these arguments of `cargo nextest run` ask for.
    pub(super) fn of_nextest(arguments: &[OsString]) -> Option<Partition> {
        let mut words = arguments.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
        let mut found = None;
        while let Some(word) = words.next() {
            let value = match word.strip_prefix("--partition") {
                Some("") => words.next().map(|value| value.into_owned()),
                Some(value) => value.strip_prefix('=').map(str::to_owned),
                None => None,
            };
            found = value.and_then(|value| Partition::parse_nextest(&value)).or(found);
        }
        found
    }

    /// Whether a binary belongs to this part by its identity; `None` where that depends on the others.
    pub(super) fn takes(&self, binary_id: &str) -> Option<bool> {
        match self.kind {
            PartitionKind::Slice | PartitionKind::Count => None,
            PartitionKind::Hash => {
                let md5::Digest(digest) = md5::compute(binary_id);
                let hash = digest.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk));
                Some(hash % u64::from(self.count.get()) == u64::from(self.index.get() - 1))
            }
        }
    }

    /// For each of all binaries whether it belongs to this part, given how long it took, where that is known.
    pub(super) fn select(&self, binaries: &[(String, Option<Duration>)]) -> Vec<bool> {
        match self.kind {
            PartitionKind::Hash => binaries.iter().map(|(id, _)| self.takes(id) == Some(true)).collect(),
            PartitionKind::Slice | PartitionKind::Count => {
                let parts = balanced(binaries, self.count.get());
                parts.into_iter().map(|part| part == self.index.get() - 1).collect()
            }
        }
    }
}

/// The part of each binary: the longest first, each to the part with the least to do so far. What was never timed counts as the
/// mean of the others.
fn balanced(binaries: &[(String, Option<Duration>)], count: u32) -> Vec<u32> {
    let known: Vec<u128> = binaries.iter().filter_map(|(_, took)| Some((*took)?.as_millis())).collect();
    let mean = known.iter().sum::<u128>() / (known.len().max(1) as u128);
    let mut order: Vec<(u128, &str, usize)> = (0..)
        .zip(binaries)
        // Nothing takes no time at all: without this, all that is quick would be in one part.
        .map(|(position, (id, took))| {
            (took.map_or(mean, |took| took.as_millis()).max(1), id.as_str(), position)
        })
        .collect();
    order.sort_by(|(a, a_id, _), (b, b_id, _)| b.cmp(a).then_with(|| a_id.cmp(b_id)));
    let mut loads: Vec<(u128, u32)> = (0..count.min(order.len() as u32)).map(|part| (0, part)).collect();
    let mut parts = vec![0; binaries.len()];
    for (took, _, position) in order {
        if let Some(least) = loads.iter_mut().min() {
            least.0 += took;
            parts[position] = least.1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Partition, balanced};
    use std::ffi::OsString;
    use std::time::Duration;

    #[test]
    fn what_is_typed() {
        for text in ["slice:1/1", "slice:2/3", "hash:3/3"] {
            assert_eq!(Partition::parse(text).expect(text).to_string(), text);
        }
        for text in
            ["", "slice", "1/3", "slice:0/3", "slice:4/3", "count:1/3", "hash:1/0", "hash:+1/3", "hash:1/3/3"]
        {
            assert_eq!(Partition::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_nextest_is_asked_for() {
        for (arguments, expected) in [
            ("--profile ci", None),
            ("--partition hash:1/2", Some("hash:1/2")),
            ("-E test(a) --partition=count:2/3 --retries 2", Some("count:2/3")),
            ("--partition slice:3/3", Some("slice:3/3")),
            // Nextest refuses these.
            ("--partition hash:3/2", None),
            ("--partition", None),
            // An argument of the tests.
            ("-- --partition hash:1/2", None),
        ] {
            let words: Vec<OsString> = arguments.split(' ').map(OsString::from).collect();
            let found = Partition::of_nextest(&words).map(|it| it.to_string());
            assert_eq!(found.as_deref(), expected, "{arguments}");
        }
    }

    /// `binaries`: milliseconds, -1 if unknown. `expected`: the part of each.
    #[track_caller]
    fn check(binaries: &[(&str, i64)], count: u32, expected: &[u32]) {
        let binaries: Vec<(String, Option<Duration>)> = binaries
            .iter()
            .map(|(id, ms)| ((*id).to_owned(), u64::try_from(*ms).ok().map(Duration::from_millis)))
            .collect();
        assert_eq!(balanced(&binaries, count), expected);
        let mut backwards = binaries.clone();
        backwards.reverse();
        let mut parts = balanced(&backwards, count);
        parts.reverse();
        assert_eq!(parts, expected, "in another order");
    }

    #[test]
    fn the_longest_go_to_whom_has_least_to_do() {
        check(&[("a", 10), ("b", 60), ("c", 30), ("d", 20)], 2, &[1, 0, 1, 1]);
        check(&[("a", 5), ("b", 5), ("c", 5), ("d", 5)], 2, &[0, 1, 0, 1]);
        // Unknown ones count as 20.
        check(&[("new", -1), ("b", 30), ("c", 10)], 2, &[1, 0, 1]);
        check(&[("a", -1), ("b", -1), ("c", -1)], 3, &[0, 1, 2]);
        check(&[("a", 0), ("b", 0), ("c", 0)], 3, &[0, 1, 2]);
        check(&[("a", 1), ("b", 2)], 5, &[1, 0]);
        check(&[], 2, &[]);
        check(&[("a", 1)], u32::MAX, &[0]);
    }

    #[test]
    fn every_binary_is_in_one_part() {
        let binaries: Vec<(String, Option<Duration>)> =
            (0..50).map(|number| (format!("app::it{number}"), None)).collect();
        for kind in ["slice", "hash"] {
            let mut n_parts = vec![0; binaries.len()];
            for index in 1..=3 {
                let part = Partition::parse(&format!("{kind}:{index}/3")).expect("a partition");
                for (n_parts, is_in) in n_parts.iter_mut().zip(part.select(&binaries)) {
                    *n_parts += usize::from(is_in);
                }
            }
            assert!(n_parts.iter().all(|n_parts| *n_parts == 1), "{kind}");
        }
        // The same in every version, or two machines could not share a run.
        let takes = |part: &str, id: &str| Partition::parse(part).expect("a partition").takes(id);
        let ids = ["app", "app::it", "app::doc/app"];
        assert_eq!(ids.map(|id| takes("hash:1/2", id)), [true, false, true].map(Some));
        assert_eq!(ids.map(|id| takes("hash:3/3", id)), [false, false, true].map(Some));
        assert_eq!(takes("slice:1/2", "app"), None);
    }
}
