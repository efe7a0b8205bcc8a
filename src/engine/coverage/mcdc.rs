//! MC/DC: from the ways through a decision that were taken to the conditions that were seen to decide it alone.
//!
//! A decision, such as `a && (b || c)`, is a graph of conditions: each says which one is evaluated next if it is false and if it
//! is true, or that the decision is made. A way through the graph is a test vector, and the profile has a bit for each of them:
//!
//! ```text
//! condition 0, a     false: made              true: condition 1
//! condition 1, b     false: condition 2       true: made
//! condition 2, c     false: made              true: made
//!
//! bit 0   a b c = false - -      bit 2   true false false
//! bit 1   true true -            bit 3   true false true
//! ```
//!
//! A condition is covered when two vectors with different outcomes differ in it alone among the conditions that both evaluated.
//!
//! The rules are those of `MCDCDecisionRecorder`, `TVIdxBuilder` and `MCDCRecord` in LLVM 22. LLVM walks through every possible
//! vector; here those of the bits that are set are found from their numbers.

use std::collections::BTreeSet;

use super::profile::{BitOrder, Bitmap};
use crate::format::covfun::{Counter, Mapping, MappingRegion, McdcCondition, Position, RegionKind};

/// A decision and what is known of its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McdcRecord {
    /// The first byte of the decision.
    pub start: Position,
    /// The first byte behind the decision.
    pub end: Position,
    /// Index into the function's `filenames`.
    pub file_id: u32,
    /// The conditions, in the order of the source.
    pub conditions: Vec<DecisionCondition>,
    /// The vectors that were executed: those whose outcome is false, then the others.
    pub vectors: Vec<TestVector>,
}

/// A condition of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionCondition {
    /// Whether it was seen to decide alone.
    pub is_covered: bool,
    /// It can never be true, or never be false: nobody can cover it.
    pub is_folded: bool,
}

/// A way through a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestVector {
    /// The value of each condition; `None` if it was not evaluated.
    pub conditions: Box<[Option<bool>]>,
    /// The value of the decision.
    pub outcome: bool,
}

/// Why the decisions of a function cannot be evaluated. It costs the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McdcError {
    /// A decision's conditions are no graph with a beginning and an end, or one with more ways than LLVM counts.
    Graph,
    /// All decisions together have more conditions and vectors than anyone writes.
    Effort,
}

/// What all decisions together may cost: comparing vectors is quadratic, and a mapping of a few bytes can claim the same bits for
/// any number of decisions. The unit is a comparison of two vectors. Real programs stay below a millionth of it.
#[derive(Debug)]
pub struct Effort {
    left: u64,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { left: 1 << 28 }
    }
}

/// What a value of a vector, which stays in memory, costs.
const VALUE_EFFORT: u64 = 16;

/// LLVM counts ways in 31 bits.
const MAX_WAYS: u64 = i32::MAX as u64;

impl Effort {
    fn spend(&mut self, steps: u64) -> Result<(), McdcError> {
        self.left = self.left.checked_sub(steps).ok_or(McdcError::Effort)?;
        Ok(())
    }
}

/// The decisions of a function in the order in which its mapping completes them. Those that lack a condition are left out, as
/// LLVM does. Without a `bitmap` none was executed; bits beyond its end are not set.
///
/// # Errors
/// Conditions that make no sense, and [`McdcError::Effort`].
pub fn decisions(
    mapping: &Mapping,
    bitmap: Option<Bitmap<'_>>,
    effort: &mut Effort,
) -> Result<Vec<McdcRecord>, McdcError> {
    let mut open: Vec<OpenDecision<'_>> = Vec::new();
    let mut records = Vec::new();
    for region in &mapping.regions {
        match region.kind {
            RegionKind::McdcDecision { bitmap_index, n_conditions } => {
                open.push(OpenDecision::new(region, bitmap_index, n_conditions));
            }
            RegionKind::Expansion { expanded_file_id } if !open.is_empty() => {
                effort.spend(open.len() as u64)?;
                if let Some(decision) = open.iter_mut().find(|decision| decision.contains(region)) {
                    decision.expanded_files.insert(expanded_file_id);
                }
            }
            RegionKind::McdcBranch { condition, .. } => {
                effort.spend(open.len() as u64)?;
                let takes = |decision: &OpenDecision<'_>| decision.takes(region, condition);
                let Some(position) = open.iter().position(takes) else { continue };
                if open[position].add(region, condition) {
                    records.push(evaluate(&open.remove(position), bitmap, effort)?);
                }
            }
            _ => {}
        }
    }
    Ok(records)
}

/// A decision of which not all conditions have been seen.
struct OpenDecision<'a> {
    region: &'a MappingRegion,
    bitmap_index: u32,
    n_conditions: u16,
    /// The conditions in the order of the source, number 0 in front.
    branches: Vec<(&'a MappingRegion, McdcCondition)>,
    ids: BTreeSet<u16>,
    /// What macros in the decision expand to. Clang gives each expansion a file of its own.
    expanded_files: BTreeSet<u32>,
}

impl<'a> OpenDecision<'a> {
    fn new(region: &'a MappingRegion, bitmap_index: u32, n_conditions: u16) -> OpenDecision<'a> {
        OpenDecision {
            region,
            bitmap_index,
            n_conditions,
            branches: Vec::new(),
            ids: BTreeSet::new(),
            expanded_files: BTreeSet::new(),
        }
    }

    fn contains(&self, region: &MappingRegion) -> bool {
        let is_within = region.file_id == self.region.file_id
            && region.start >= self.region.start
            && region.end <= self.region.end;
        is_within || self.expanded_files.contains(&region.file_id)
    }

    /// Whether a condition belongs to this decision. It may lie in several, of which the first that lacks its number has it.
    fn takes(&self, region: &MappingRegion, condition: McdcCondition) -> bool {
        condition.id < self.n_conditions && !self.ids.contains(&condition.id) && self.contains(region)
    }

    /// Adds a condition, and tells whether it was the last one.
    fn add(&mut self, region: &'a MappingRegion, condition: McdcCondition) -> bool {
        self.ids.insert(condition.id);
        let position = if condition.id == 0 { 0 } else { self.branches.len() };
        self.branches.insert(position, (region, condition));
        self.branches.len() == usize::from(self.n_conditions)
    }
}

fn evaluate(
    decision: &OpenDecision<'_>,
    bitmap: Option<Bitmap<'_>>,
    effort: &mut Effort,
) -> Result<McdcRecord, McdcError> {
    let n_conditions = decision.branches.len();
    let graph = Graph::new(decision)?;
    let mut ways = match bitmap {
        Some(bitmap) => graph.executed_ways(decision.bitmap_index, bitmap, effort)?,
        None => Vec::new(),
    };
    ways.sort_by_key(|way| (way.outcome(), way.number));

    let mut positions = vec![0; n_conditions];
    for (position, (_, condition)) in decision.branches.iter().enumerate() {
        positions[usize::from(condition.id)] = position;
    }
    effort.spend((ways.len() as u64).saturating_mul(n_conditions as u64).saturating_mul(VALUE_EFFORT))?;
    let vectors: Vec<TestVector> = ways.iter().map(|way| way.vector(&positions)).collect();
    let covered = covered_conditions(&vectors, n_conditions, effort)?;
    let conditions = decision.branches.iter().zip(covered).map(|((region, _), is_covered)| {
        let when_false = match region.kind {
            RegionKind::McdcBranch { when_false, .. } => when_false,
            _ => Counter::Zero,
        };
        DecisionCondition {
            is_covered,
            is_folded: region.counter == Counter::Zero || when_false == Counter::Zero,
        }
    });
    let MappingRegion { start, end, file_id, .. } = *decision.region;
    Ok(McdcRecord { start, end, file_id, conditions: conditions.collect(), vectors })
}

/// Whether each condition decided alone.
fn covered_conditions(
    vectors: &[TestVector],
    n_conditions: usize,
    effort: &mut Effort,
) -> Result<Vec<bool>, McdcError> {
    let (when_false, when_true) = vectors.split_at(vectors.partition_point(|vector| !vector.outcome));
    let n_words = n_conditions.div_ceil(64);
    let comparisons = (when_false.len() as u64).saturating_mul(when_true.len() as u64);
    effort.spend(comparisons.saturating_mul(n_words as u64))?;

    let mut covered = vec![0_u64; n_words];
    let bits_of = |vectors: &[TestVector]| vectors.iter().map(Bits::new).collect::<Vec<_>>();
    let (when_false, when_true) = (bits_of(when_false), bits_of(when_true));
    for a in &when_false {
        for b in &when_true {
            if let Some((word, bit)) = a.only_difference(b) {
                covered[word] |= bit;
            }
        }
    }
    Ok((0..n_conditions).map(|position| covered[position / 64] >> (position % 64) & 1 == 1).collect())
}

/// A vector for comparing: a bit for each condition.
struct Bits {
    /// Which are true, and which were evaluated.
    words: Vec<(u64, u64)>,
}

impl Bits {
    fn new(vector: &TestVector) -> Bits {
        let word = |conditions: &[Option<bool>]| {
            let bits = (0..).zip(conditions);
            bits.fold((0, 0), |(values, evaluated), (position, condition)| match condition {
                Some(value) => (values | u64::from(*value) << position, evaluated | 1 << position),
                None => (values, evaluated),
            })
        };
        Bits { words: vector.conditions.chunks(64).map(word).collect() }
    }

    /// The one condition in which two vectors differ, as a word and the bit in it; `None` if there are more or none.
    fn only_difference(&self, other: &Bits) -> Option<(usize, u64)> {
        let mut found = None;
        for (index, (a, b)) in self.words.iter().zip(&other.words).enumerate() {
            let differences = (a.0 ^ b.0) & a.1 & b.1;
            if differences == 0 {
                continue;
            }
            if found.is_some() || !differences.is_power_of_two() {
                return None;
            }
            found = Some((index, differences));
        }
        found
    }
}

/// The conditions evaluated on a way through a decision, by number, with their values.
struct Way {
    number: u64,
    steps: Vec<(u16, bool)>,
}

impl Way {
    /// The last condition makes the decision.
    fn outcome(&self) -> bool {
        self.steps.last().is_some_and(|&(_, value)| value)
    }

    fn vector(&self, positions: &[usize]) -> TestVector {
        let mut conditions = vec![None; positions.len()];
        for &(id, value) in &self.steps {
            conditions[positions[usize::from(id)]] = Some(value);
        }
        TestVector { conditions: conditions.into(), outcome: self.outcome() }
    }
}

/// The conditions of a decision by number, with the numbers of the ways through them.
struct Graph {
    nodes: Vec<Node>,
    /// Where decisions are made, in the order of `start`.
    leaves: Vec<Leaf>,
    n_ways: u64,
}

#[derive(Clone, Default)]
struct Node {
    next: [Option<u16>; 2],
    /// How many ways lead from the first condition to this one.
    width: u64,
    /// Those that have been numbered lead here from these conditions with these values; the first way of each has this number.
    from: Vec<(u64, u16, bool)>,
}

/// A value of a condition that makes the decision. Its ways have consecutive numbers.
struct Leaf {
    start: u64,
    width: u64,
    id: u16,
    value: bool,
}

impl Graph {
    fn new(decision: &OpenDecision<'_>) -> Result<Graph, McdcError> {
        let n_conditions = decision.branches.len();
        let mut nodes = vec![Node::default(); n_conditions];
        let mut n_unnumbered = vec![0_u32; n_conditions];
        for (_, condition) in &decision.branches {
            for next in condition.next.into_iter().flatten().map(usize::from) {
                // What follows on a condition is not the first one.
                *n_unnumbered.get_mut(next).filter(|_| next != 0).ok_or(McdcError::Graph)? += 1;
            }
            nodes[usize::from(condition.id)].next = condition.next;
        }
        nodes[0].width = 1;
        let mut leaves = Vec::new();
        // A condition's turn comes when all ways to it are numbered.
        let mut ready = vec![0_u16];
        let mut n_done = 0;
        while let Some(&id) = ready.get(n_done) {
            n_done += 1;
            let Node { next, width, .. } = nodes[usize::from(id)];
            for (next, value) in next.into_iter().zip([false, true]) {
                let Some(next_id) = next else {
                    leaves.push(Leaf { start: 0, width, id, value });
                    continue;
                };
                let next = &mut nodes[usize::from(next_id)];
                next.from.push((next.width, id, value));
                next.width += width;
                if next.width > MAX_WAYS {
                    return Err(McdcError::Graph);
                }
                n_unnumbered[usize::from(next_id)] -= 1;
                if n_unnumbered[usize::from(next_id)] == 0 {
                    ready.push(next_id);
                }
            }
        }
        if n_done != n_conditions {
            return Err(McdcError::Graph);
        }
        // The widest first; the sort is stable.
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.width));
        let mut n_ways = 0;
        for leaf in &mut leaves {
            leaf.start = n_ways;
            n_ways += leaf.width;
        }
        if n_ways > MAX_WAYS { Err(McdcError::Graph) } else { Ok(Graph { nodes, leaves, n_ways }) }
    }

    /// The ways whose bits are set.
    fn executed_ways(
        &self,
        bitmap_index: u32,
        bitmap: Bitmap<'_>,
        effort: &mut Effort,
    ) -> Result<Vec<Way>, McdcError> {
        let n_bits = (bitmap.bytes.len() as u64).saturating_mul(8);
        let bitmap_index = u64::from(bitmap_index);
        // The first bit of the decision is this one, in a bitmap with so many bits before it that are not there.
        let (bits, missing) = match bitmap.bit_order {
            BitOrder::ByWay => {
                let first = bitmap_index.saturating_sub(self.n_ways);
                (first..bitmap_index, self.n_ways.saturating_sub(bitmap_index))
            }
            BitOrder::ByConditions => {
                let first = bitmap_index * 8;
                let n_combinations = 1_u64.checked_shl(self.nodes.len() as u32).unwrap_or(u64::MAX);
                (first..first.saturating_add(n_combinations), 0)
            }
        };
        let mut ways = Vec::new();
        let mut bit = bits.start;
        while bit < bits.end.min(n_bits) {
            let rest = bitmap.bytes[(bit / 8) as usize] >> (bit % 8);
            if rest == 0 {
                effort.spend(1)?;
                bit = (bit / 8 + 1) * 8;
                continue;
            }
            bit += u64::from(rest.trailing_zeros());
            if bit < bits.end {
                effort.spend(self.nodes.len() as u64 * VALUE_EFFORT)?;
                let number = bit - bits.start + missing;
                let way = match bitmap.bit_order {
                    BitOrder::ByWay => Some(self.way(number)),
                    BitOrder::ByConditions => self.way_of_values(number),
                };
                ways.extend(way);
            }
            bit += 1;
        }
        Ok(ways)
    }

    /// The way with this number, which is below `n_ways`, from its end to its beginning.
    fn way(&self, number: u64) -> Way {
        let leaf = &self.leaves[self.leaves.partition_point(|leaf| leaf.start <= number) - 1];
        let mut rest = number - leaf.start;
        let mut steps = vec![(leaf.id, leaf.value)];
        let mut id = leaf.id;
        while id != 0 {
            let from = &self.nodes[usize::from(id)].from;
            let (first, before, value) = from[from.partition_point(|(first, _, _)| *first <= rest) - 1];
            rest -= first;
            steps.push((before, value));
            id = before;
        }
        steps.reverse();
        Way { number, steps }
    }

    /// The way on which the conditions of these numbers are true, as bits, and no other; `None` if one of them is not evaluated.
    fn way_of_values(&self, values: u64) -> Option<Way> {
        let mut steps = Vec::new();
        let mut evaluated = 0_u64;
        let mut number = 0;
        let mut next = Some(0_u16);
        while let Some(id) = next {
            let bit = 1_u64.checked_shl(u32::from(id)).unwrap_or(0);
            let value = values & bit != 0;
            evaluated |= bit;
            steps.push((id, value));
            next = self.nodes[usize::from(id)].next[usize::from(value)];
            number += match next {
                Some(next) => {
                    let from = &self.nodes[usize::from(next)].from;
                    from.iter().find(|it| (it.1, it.2) == (id, value)).map_or(0, |(first, _, _)| *first)
                }
                None => {
                    let leaf = self.leaves.iter().find(|leaf| (leaf.id, leaf.value) == (id, value));
                    leaf.map_or(0, |leaf| leaf.start)
                }
            };
        }
        (values & !evaluated == 0).then_some(Way { number, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bitmap, Effort, McdcError, McdcRecord, decisions};
    use crate::coverage::profile::BitOrder;
    use crate::format::covfun::{Counter, Mapping, MappingRegion, McdcCondition, Position, RegionKind};

    fn region(kind: RegionKind, file_id: u32, line: u32, columns: (u32, u32)) -> MappingRegion {
        let position = |column| Position { line, column };
        let counter = Counter::Index(0);
        MappingRegion { kind, counter, file_id, start: position(columns.0), end: position(columns.1) }
    }

    fn decision(line: u32, bitmap_index: u32, n_conditions: u16) -> MappingRegion {
        region(RegionKind::McdcDecision { bitmap_index, n_conditions }, 0, line, (1, 90))
    }

    /// A condition and those that follow if it is false and if it is true; -1 for none.
    fn condition(line: u32, column: u32, id: u16, next: [i32; 2]) -> MappingRegion {
        let next = next.map(|next| u16::try_from(next).ok());
        let condition = McdcCondition { id, next };
        let when_false = Counter::Index(1);
        region(RegionKind::McdcBranch { when_false, condition }, 0, line, (column, column + 1))
    }

    /// `a && (b || c)`, the example of the module's documentation, with the bits from 4 on.
    fn example() -> Vec<MappingRegion> {
        vec![
            decision(1, 8, 3),
            condition(1, 1, 0, [-1, 1]),
            condition(1, 7, 1, [2, -1]),
            condition(1, 12, 2, [-1, -1]),
        ]
    }

    fn evaluate(
        regions: Vec<MappingRegion>,
        bytes: &[u8],
        bit_order: BitOrder,
    ) -> Result<Vec<McdcRecord>, McdcError> {
        let mapping = Mapping { files: vec![1, 1, 1], expressions: Vec::new(), regions };
        decisions(&mapping, Some(Bitmap { bytes, bit_order }), &mut Effort::default())
    }

    /// Each decision as its line, whether its conditions are covered (`+`, `-`), and its vectors with their outcome.
    fn describe(records: &[McdcRecord]) -> Vec<String> {
        let describe = |record: &McdcRecord| {
            let mut text = format!("{} ", record.start.line);
            text.extend(record.conditions.iter().map(|it| if it.is_covered { '+' } else { '-' }));
            for vector in &record.vectors {
                text.push(' ');
                text.extend(vector.conditions.iter().map(|value| match value {
                    Some(true) => 't',
                    Some(false) => 'f',
                    None => '.',
                }));
                text.push_str(if vector.outcome { "=t" } else { "=f" });
            }
            text
        };
        records.iter().map(describe).collect()
    }

    fn check(regions: Vec<MappingRegion>, bytes: &[u8], expected: &[&str]) {
        let records = evaluate(regions, bytes, BitOrder::ByWay).expect("sensible");
        assert_eq!(describe(&records), expected, "{bytes:02x?}");
    }

    #[test]
    fn vectors_have_numbers_and_conditions_pairs() {
        check(example(), &[0x00], &["1 ---"]);
        check(example(), &[0x0f], &["1 ---"]);
        check(example(), &[0xf0], &["1 +++ f..=f tff=f tt.=t tft=t"]);
        check(example(), &[0x10], &["1 --- f..=f"]);
        check(example(), &[0x30], &["1 +-- f..=f tt.=t"]);
        check(example(), &[0x60], &["1 -+- tff=f tt.=t"]);
        check(example(), &[0xc0], &["1 --+ tff=f tft=t"]);
        // No profile, and one of a build without MC/DC.
        check(example(), &[], &["1 ---"]);
        let mapping = Mapping { files: vec![1], expressions: Vec::new(), regions: example() };
        let records = decisions(&mapping, None, &mut Effort::default()).expect("sensible");
        assert_eq!(describe(&records), ["1 ---"]);
    }

    #[test]
    fn wide_ends_have_the_first_numbers() {
        // `(a && b) || c`: c is the second condition, to which two ways lead.
        let regions = || {
            let conditions =
                [condition(1, 2, 0, [1, 2]), condition(1, 7, 2, [1, -1]), condition(1, 13, 1, [-1, -1])];
            [vec![decision(1, 5, 3)], conditions.to_vec()].concat()
        };
        check(regions(), &[0x1f], &["1 +++ f.f=f tff=f f.t=t tft=t tt.=t"]);
        check(regions(), &[0x01], &["1 --- f.f=f"]);
        check(regions(), &[0x02], &["1 --- tff=f"]);
        check(regions(), &[0x10], &["1 --- tt.=t"]);
    }

    #[test]
    fn bits_up_to_llvm_18_are_combinations() {
        let by_conditions = |byte| {
            // The index is in bytes.
            let mut regions = example();
            regions[0] = decision(1, 1, 3);
            describe(&evaluate(regions, &[0xff, byte], BitOrder::ByConditions).expect("sensible"))
        };
        // Conditions 0 and 1 are true: bit 3. Combinations that no way has are not looked at.
        assert_eq!(by_conditions(1 << 3), ["1 --- tt.=t"]);
        assert_eq!(by_conditions(1 << 7 | 1 << 2), ["1 ---"]);
        assert_eq!(by_conditions(1 | 1 << 1 | 1 << 3 | 1 << 5), ["1 +++ f..=f tff=f tt.=t tft=t"]);
        // In the order of the ways nevertheless: `(a && b) || c`, of which c is the second condition.
        let conditions =
            [condition(1, 2, 0, [1, 2]), condition(1, 7, 2, [1, -1]), condition(1, 13, 1, [-1, -1])];
        let regions = [vec![decision(1, 0, 3)], conditions.to_vec()].concat();
        let all = evaluate(regions, &[0xff], BitOrder::ByConditions).expect("sensible");
        assert_eq!(describe(&all), ["1 +++ f.f=f tff=f f.t=t tft=t tt.=t"]);
    }

    #[test]
    fn conditions_find_their_decision() {
        // One within another, which has the same line and comes first; the inner one's conditions are seen first.
        let inner = region(RegionKind::McdcDecision { bitmap_index: 6, n_conditions: 2 }, 0, 1, (40, 60));
        let expansion = region(RegionKind::Expansion { expanded_file_id: 1 }, 0, 1, (3, 7));
        let in_macro = MappingRegion { file_id: 1, ..condition(77, 5, 1, [-1, -1]) };
        let regions = vec![
            decision(1, 3, 2),
            expansion,
            condition(1, 2, 0, [-1, 1]),
            inner,
            condition(1, 41, 0, [-1, 1]),
            in_macro,
            condition(1, 50, 1, [-1, -1]),
            // Belongs to no decision.
            condition(9, 1, 0, [-1, -1]),
        ];
        check(regions, &[0b11_0111], &["1 ++ f.=f tf=f tt=t", "1 -+ tf=f tt=t"]);
    }

    #[test]
    fn folded_conditions_are_marked() {
        let mut regions = example();
        regions[2].counter = Counter::Zero;
        let records = evaluate(regions, &[0xf0], BitOrder::ByWay).expect("sensible");
        let folded: Vec<_> = records[0].conditions.iter().map(|condition| condition.is_folded).collect();
        assert_eq!(folded, [false, true, false]);
    }

    #[test]
    fn incomplete_decisions_are_left_out() {
        check(vec![decision(1, 8, 3), condition(1, 1, 0, [-1, 1])], &[0xff], &[]);
        check(vec![decision(1, 8, 0), condition(1, 1, 0, [-1, -1])], &[0xff], &[]);
        check(vec![decision(1, 8, 1), condition(2, 1, 0, [-1, -1])], &[0xff], &[]);
    }

    #[test]
    fn senseless_graphs_are_refused() {
        for second in [[-1, 0], [1, -1], [2, -1], [30_000, -1]] {
            let regions = vec![decision(1, 8, 2), condition(1, 1, 0, [-1, 1]), condition(1, 5, 1, second)];
            assert_eq!(evaluate(regions, &[0xff], BitOrder::ByWay), Err(McdcError::Graph), "{second:?}");
        }
        // The second condition is never evaluated; the third and the fourth go in a circle.
        let unreached = vec![decision(1, 8, 2), condition(1, 1, 0, [-1, -1]), condition(1, 5, 1, [-1, -1])];
        assert_eq!(evaluate(unreached, &[0xff], BitOrder::ByWay), Err(McdcError::Graph));
        let mut circle = vec![decision(1, 8, 4), condition(1, 1, 0, [-1, 1]), condition(1, 2, 1, [-1, 2])];
        circle.extend([condition(1, 3, 2, [3, -1]), condition(1, 4, 3, [2, -1])]);
        assert_eq!(evaluate(circle, &[0xff], BitOrder::ByWay), Err(McdcError::Graph));
    }

    /// `n_conditions`, of which each follows on the one before whatever its value: two to their number of ways.
    fn chain(bitmap_index: u32, n_conditions: u16) -> Vec<MappingRegion> {
        let conditions = (0..n_conditions).map(|id| {
            let next = if id + 1 == n_conditions { -1 } else { i32::from(id) + 1 };
            condition(1, 1 + u32::from(id) % 80, id, [next, next])
        });
        std::iter::once(decision(1, bitmap_index, n_conditions)).chain(conditions).collect()
    }

    #[test]
    fn more_ways_than_llvm_counts_are_refused() {
        let last_byte = [&[0; 127][..], &[0xff]].concat();
        let few = evaluate(chain(1024, 10), &last_byte, BitOrder::ByWay).expect("sensible");
        assert_eq!(few[0].vectors.len(), 8);
        // So many ways that the bits of all but the last are not there.
        let many = evaluate(chain(1024, 29), &last_byte, BitOrder::ByWay).expect("sensible");
        assert_eq!(many[0].vectors.len(), 8);
        for n_conditions in [31, 32, 33, 64, 1000, 32_766] {
            let result = evaluate(chain(1024, n_conditions), &last_byte, BitOrder::ByWay);
            assert_eq!(result, Err(McdcError::Graph), "{n_conditions}");
        }
        let beyond = evaluate(chain(u32::MAX - 1, 4), &last_byte, BitOrder::ByWay).expect("sensible");
        assert_eq!(beyond[0].vectors, []);
    }

    #[test]
    fn claims_on_the_same_bits_do_not_multiply() {
        // 4096 vectors of which any two differ in several conditions or agree in the outcome, for each of many decisions.
        let bytes = vec![0b1001_0110; 1 << 13];
        let regions: Vec<_> = (0..10_000).flat_map(|_| chain(1 << 16, 16)).collect();
        assert_eq!(evaluate(regions, &bytes, BitOrder::ByWay), Err(McdcError::Effort));
        // Decisions that never end, and conditions that none of them takes.
        let unending =
            (0..50_000).map(|_| decision(1, 8, 3)).chain((0..50_000).map(|_| condition(2, 1, 0, [-1, -1])));
        assert_eq!(evaluate(unending.collect(), &bytes, BitOrder::ByWay), Err(McdcError::Effort));
    }
}
