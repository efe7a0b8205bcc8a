//! `__llvm_covfun`: one record for each function, with the source ranges and counters that it is made of.
//!
//! Each record stands at a multiple of eight bytes:
//!
//! ```text
//! u64 name_ref        truncated MD5 of the function's name
//! u32 size            of the mapping, in bytes
//! u64 func_hash       structural hash; 0 for a function that was never generated
//! u64 filenames_ref   the table of file names, see `covmap`
//! bytes               the mapping
//! ```
//!
//! A mapping is a list of files, of expressions and, for each file, of regions. From rustc 1.95, for a function with an
//! `if`:
//!
//! ```text
//! 01 | 01                 one file: number 1 of the table
//! 01 | 01 05              one expression: counter 0 and counter 1
//! 05                      five regions in the first file
//! 01 | 01 01 00 17        counter 0,     1:1  - 1:23
//! 01 | 01 08 00 0d        counter 0,     2:8  - 2:13
//! 05 | 00 10 00 11        counter 1,     2:16 - 2:17
//! 02 | 00 1b 00 1c        expression 0, a subtraction: counter 0 - counter 1, 2:27 - 2:28
//! 01 | 01 01 00 02        counter 0,     3:1  - 3:2
//! ```
//!
//! Lines and columns are 1-based; columns count bytes; the end column is the first one that no longer belongs.

use super::cursor::{Cursor, Endian, wide};
use super::error::{Error, Result};

/// Bytes of a record before its mapping.
const HEADER_LEN: u64 = 28;

/// Lines beyond this one are taken for damage: reports that list them would grow without bound.
pub const MAX_LINE: u32 = 10_000_000;

/// The bit of an end column that marks a gap region.
const GAP_BIT: u32 = 1 << 31;

/// Condition and branch numbers of MC/DC regions are below this.
const MCDC_LIMIT: u32 = 0x7fff;

/// A function's record as it stands in a coverage map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CovfunRecord<'a> {
    /// Truncated MD5 of the function's name.
    pub name_ref: u64,
    /// Structural hash of the function's source; 0 if the function was never generated.
    pub func_hash: u64,
    /// Identity of the table of file names that the mapping refers to.
    pub filenames_ref: u64,
    /// The encoded mapping; [`Mapping::parse`] decodes it.
    pub mapping: &'a [u8],
}

/// Lists the records of a `__llvm_covfun` section.
///
/// # Errors
/// A record that is longer than what is left of the section: where the next one begins is then unknown.
pub fn records(section: &[u8], endian: Endian) -> Result<Vec<CovfunRecord<'_>>> {
    let mut cursor = Cursor::new(section, endian);
    let mut records = Vec::new();
    while !cursor.is_empty() {
        // Linkers pad with zeros; a name_ref is never zero.
        if cursor.rest().iter().take(8).all(|&byte| byte == 0) {
            cursor.take("padding", 1)?;
            cursor.align8();
            continue;
        }
        let have = wide(cursor.rest().len());
        if have < HEADER_LEN {
            return Err(Error::truncated("function record", HEADER_LEN, have, cursor.offset()));
        }
        let name_ref = cursor.u64("function record")?;
        let mapping_len = cursor.u32("function record")?;
        let func_hash = cursor.u64("function record")?;
        let filenames_ref = cursor.u64("function record")?;
        let mapping = cursor.take("function mapping", u64::from(mapping_len))?;
        records.push(CovfunRecord { name_ref, func_hash, filenames_ref, mapping });
        cursor.align8();
    }
    Ok(records)
}

impl CovfunRecord<'_> {
    /// Whether LLVM takes the record for a placeholder that any later record of the same name replaces: no hash, one
    /// file, no expression, one region whose counter is zero.
    pub fn is_placeholder(&self) -> bool {
        let mut cursor = Cursor::new(self.mapping, Endian::Little);
        let mut next = || cursor.uleb("placeholder").ok();
        self.func_hash == 0
            && next() == Some(1)
            && next().is_some()
            && next() == Some(0)
            && next() == Some(1)
            && next().is_some_and(|counter| counter & 3 == 0)
    }
}

/// How a count is obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Always zero.
    Zero,
    /// The profile's counter of this index.
    Index(u32),
    /// The value of the mapping's expression of this index.
    Expression(u32),
}

/// What an expression does with its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Left minus right.
    Subtract,
    /// Left plus right.
    Add,
}

/// A sum or difference of two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterExpression {
    /// What is done.
    pub operation: Operation,
    /// The left side.
    pub left: Counter,
    /// The right side.
    pub right: Counter,
}

/// A place in a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, in bytes. `u32::MAX` means the end of the line.
    pub column: u32,
}

/// What a region stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionKind {
    /// Code that runs as often as its counter says.
    Code,
    /// A macro invocation or included file; its code is the mapping's file of this index.
    Expansion {
        /// Index into [`Mapping::files`].
        expanded_file_id: u32,
    },
    /// Code that the preprocessor left out.
    Skipped,
    /// White space between statements, shown with the count of what surrounds it.
    Gap,
    /// A condition; the region's counter counts `true`.
    Branch {
        /// Counts `false`.
        when_false: Counter,
    },
    /// The whole of a decision whose conditions are [`RegionKind::McdcBranch`]es.
    McdcDecision {
        /// Where the decision's bits are among those of the function: behind the last of them, in bits, or, up to LLVM 18, at
        /// the first of them, in bytes.
        bitmap_index: u32,
        /// Conditions that the decision has. Below 32767.
        n_conditions: u16,
    },
    /// A condition that takes part in a decision; the region's counter counts `true`.
    McdcBranch {
        /// Counts `false`.
        when_false: Counter,
        /// Its place among the decision's conditions.
        condition: McdcCondition,
    },
}

/// A condition as a node of its decision's graph. All numbers are below 32767; nothing says that they make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct McdcCondition {
    /// Its number in the decision. Evaluation begins with number 0.
    pub id: u16,
    /// The number of the condition that is evaluated next if this one is false, and if it is true; `None` where the decision
    /// is made.
    pub next: [Option<u16>; 2],
}

/// A source range with a way to count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingRegion {
    /// What the range stands for.
    pub kind: RegionKind,
    /// How often it ran.
    pub counter: Counter,
    /// Index into [`Mapping::files`].
    pub file_id: u32,
    /// The first byte.
    pub start: Position,
    /// The first byte behind the range.
    pub end: Position,
}

/// A function's decoded mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The files that the function has code in, as indices into its table of file names. rustc writes one.
    pub files: Vec<u32>,
    /// What [`Counter::Expression`] refers to.
    pub expressions: Vec<CounterExpression>,
    /// The regions, file by file, each file's in the order of their starts.
    pub regions: Vec<MappingRegion>,
}

impl Mapping {
    /// Decodes a function's mapping; `table_len` is the number of names in its table of file names.
    ///
    /// # Errors
    /// Indices, counters, kinds or ranges that LLVM refuses, line 0, and lines beyond [`MAX_LINE`].
    pub fn parse(bytes: &[u8], table_len: usize) -> Result<Mapping> {
        let mut mapping = Mapping::default();
        mapping.parse_into(bytes, table_len)?;
        Ok(mapping)
    }

    /// As [`Mapping::parse`], into an existing mapping whose memory is used again.
    ///
    /// # Errors
    /// As for [`Mapping::parse`]; the mapping's content is then unspecified.
    pub fn parse_into(&mut self, bytes: &[u8], table_len: usize) -> Result<()> {
        self.files.clear();
        self.expressions.clear();
        self.regions.clear();
        let mut cursor = Cursor::new(bytes, Endian::Little);
        let table_len = u32::try_from(table_len).unwrap_or(u32::MAX);
        for _ in 0..cursor.uleb_size("number of files")? {
            self.files.push(cursor.uleb_below("file index is out of range", table_len)?);
        }
        self.parse_expressions(&mut cursor)?;
        for file_id in 0..u32::try_from(self.files.len()).unwrap_or(u32::MAX) {
            self.parse_regions(&mut cursor, file_id)?;
        }
        self.propagate_expansions();
        Ok(())
    }

    fn parse_expressions(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        let count = cursor.uleb_size("number of expressions")?;
        // What an expression does stands in the references to it, so all must exist before the first is read. An
        // expression that nothing refers to is never evaluated.
        let unused =
            CounterExpression { operation: Operation::Subtract, left: Counter::Zero, right: Counter::Zero };
        self.expressions.resize(count, unused);
        for index in 0..count {
            let left = self.parse_counter(cursor)?;
            let right = self.parse_counter(cursor)?;
            if let Some(expression) = self.expressions.get_mut(index) {
                (expression.left, expression.right) = (left, right);
            }
        }
        Ok(())
    }

    fn parse_counter(&mut self, cursor: &mut Cursor<'_>) -> Result<Counter> {
        let start = cursor.offset();
        let encoded = cursor.uleb_below("counter is out of range", u32::MAX)?;
        self.decode_counter(encoded, start)
    }

    fn decode_counter(&mut self, encoded: u32, offset: u64) -> Result<Counter> {
        let index = encoded >> 2;
        let operation = match encoded & 3 {
            0 => return Ok(Counter::Zero),
            1 => return Ok(Counter::Index(index)),
            2 => Operation::Subtract,
            _ => Operation::Add,
        };
        let expression = usize::try_from(index).ok().and_then(|index| self.expressions.get_mut(index));
        match expression {
            Some(expression) => {
                expression.operation = operation;
                Ok(Counter::Expression(index))
            }
            None => Err(Error::malformed("counter expression is invalid", offset)),
        }
    }

    fn parse_regions(&mut self, cursor: &mut Cursor<'_>, file_id: u32) -> Result<()> {
        let mut line = 0_u32;
        for _ in 0..cursor.uleb_size("number of regions")? {
            let start = cursor.offset();
            let (kind, counter) = self.parse_region_kind(cursor)?;
            let line_delta = cursor.uleb_below("line is out of range", u32::MAX)?;
            let column_start = cursor.uleb("column")?;
            let line_count = cursor.uleb_below("number of lines is out of range", u32::MAX)?;
            let column_end = cursor.uleb_below("column is out of range", u32::MAX)?;

            let malformed = |what| Error::malformed(what, start);
            let column_start =
                u32::try_from(column_start).map_err(|_| malformed("column is out of range"))?;
            line = line.checked_add(line_delta).ok_or(malformed("line is out of range"))?;
            let line_end = line.checked_add(line_count).ok_or(malformed("line is out of range"))?;
            // Lines count from 1, in what compilers write.
            if line == 0 || line_end > MAX_LINE {
                return Err(malformed("line is out of range"));
            }
            let kind = if column_end & GAP_BIT == 0 { kind } else { RegionKind::Gap };
            let column_end = column_end & !GAP_BIT;
            let whole_lines = column_start == 0 && column_end == 0;
            let (column_start, column_end) =
                if whole_lines { (1, u32::MAX) } else { (column_start, column_end) };
            let start = Position { line, column: column_start };
            let end = Position { line: line_end, column: column_end };
            if start > end {
                return Err(malformed("region ends before it starts"));
            }
            self.regions.push(MappingRegion { kind, counter, file_id, start, end });
        }
        Ok(())
    }

    fn parse_region_kind(&mut self, cursor: &mut Cursor<'_>) -> Result<(RegionKind, Counter)> {
        let start = cursor.offset();
        let encoded = cursor.uleb_below("region counter is out of range", u32::MAX)?;
        if encoded & 3 != 0 {
            return Ok((RegionKind::Code, self.decode_counter(encoded, start)?));
        }
        if encoded & 4 != 0 {
            let expanded_file_id = encoded >> 3;
            let exists = usize::try_from(expanded_file_id).is_ok_and(|id| id < self.files.len());
            return match exists {
                true => Ok((RegionKind::Expansion { expanded_file_id }, Counter::Zero)),
                false => Err(Error::malformed("expanded file is out of range", start)),
            };
        }
        match encoded >> 3 {
            0 => Ok((RegionKind::Code, Counter::Zero)),
            2 => Ok((RegionKind::Skipped, Counter::Zero)),
            4 => {
                let when_true = self.parse_counter(cursor)?;
                let when_false = self.parse_counter(cursor)?;
                Ok((RegionKind::Branch { when_false }, when_true))
            }
            5 => {
                let bitmap_index = cursor.uleb_below("bitmap index is out of range", u32::MAX)?;
                let n_conditions = parse_mcdc_number(cursor, "number of conditions is out of range")?;
                Ok((RegionKind::McdcDecision { bitmap_index, n_conditions }, Counter::Zero))
            }
            6 => {
                let when_true = self.parse_counter(cursor)?;
                let when_false = self.parse_counter(cursor)?;
                // One more than the number of the condition, 0 for none.
                let mut number = || parse_mcdc_number(cursor, "condition is out of range");
                let (id, next_when_true, next_when_false) = (number()?, number()?, number()?);
                let id = id.checked_sub(1).ok_or(Error::malformed("condition has no number", start))?;
                let next = [next_when_false.checked_sub(1), next_when_true.checked_sub(1)];
                let condition = McdcCondition { id, next };
                Ok((RegionKind::McdcBranch { when_false, condition }, when_true))
            }
            _ => Err(Error::malformed("region kind is incorrect", start)),
        }
    }

    /// Gives each expansion the counter of the first region of the file that it expands to.
    ///
    /// Expansions nest, so LLVM repeats this until nothing changes. Here each file is followed once to where its counter comes from,
    /// as a chain of them would take the square of its length. Files that expand to each other have no counter, so zero.
    /// rustc writes no expansions, clang writes them for macros.
    fn propagate_expansions(&mut self) {
        let has_expansions =
            self.regions.iter().any(|region| matches!(region.kind, RegionKind::Expansion { .. }));
        if !has_expansions {
            return;
        }
        let mut first_regions: Vec<Option<MappingRegion>> = vec![None; self.files.len()];
        for region in &self.regions {
            let slot = usize::try_from(region.file_id).ok().and_then(|id| first_regions.get_mut(id));
            if let Some(slot @ None) = slot {
                *slot = Some(*region);
            }
        }
        let mut counters: Vec<Option<Counter>> = vec![None; self.files.len()];
        let mut path = Vec::new();
        for start in 0..self.files.len() {
            let mut file = start;
            let counter = loop {
                let Some(counter) = counters.get_mut(file) else { break Counter::Zero };
                if let Some(known) = *counter {
                    break known;
                }
                // What leads back to here finds zero.
                *counter = Some(Counter::Zero);
                path.push(file);
                match first_regions.get(file) {
                    Some(Some(MappingRegion {
                        kind: RegionKind::Expansion { expanded_file_id }, ..
                    })) => {
                        file = usize::try_from(*expanded_file_id).unwrap_or(usize::MAX);
                    }
                    Some(Some(region)) => break region.counter,
                    _ => break Counter::Zero,
                }
            };
            for file in path.drain(..) {
                if let Some(slot) = counters.get_mut(file) {
                    *slot = Some(counter);
                }
            }
        }
        for region in &mut self.regions {
            let RegionKind::Expansion { expanded_file_id } = region.kind else { continue };
            let counter = usize::try_from(expanded_file_id).ok().and_then(|id| counters.get(id));
            if let Some(&Some(counter)) = counter {
                region.counter = counter;
            }
        }
    }
}

fn parse_mcdc_number(cursor: &mut Cursor<'_>, what: &'static str) -> Result<u16> {
    let start = cursor.offset();
    let number = cursor.uleb_below(what, MCDC_LIMIT)?;
    u16::try_from(number).map_err(|_| Error::malformed(what, start))
}

#[cfg(test)]
mod tests {
    use super::{Counter, CovfunRecord, Mapping, Operation, Position, RegionKind, records};
    use crate::format::cursor::Endian;

    /// The mapping of the worked example in the module's documentation.
    const PICK: [u8; 31] = [
        0x01, 0x01, 0x01, 0x01, 0x05, 0x05, 0x01, 0x01, 0x01, 0x00, 0x17, 0x01, 0x01, 0x08, 0x00, 0x0d, 0x05,
        0x00, 0x10, 0x00, 0x11, 0x02, 0x00, 0x1b, 0x00, 0x1c, 0x01, 0x01, 0x01, 0x00, 0x02,
    ];

    fn error(bytes: &[u8]) -> String {
        Mapping::parse(bytes, 2).expect_err("malformed").to_string()
    }

    #[test]
    fn the_worked_example_is_decoded() {
        let mapping = Mapping::parse(&PICK, 2).expect("well-formed");
        assert_eq!(mapping.files, [1]);
        assert_eq!(mapping.expressions[0].operation, Operation::Subtract);
        assert_eq!(mapping.expressions[0].left, Counter::Index(0));
        assert_eq!(mapping.expressions[0].right, Counter::Index(1));
        let ranges: Vec<_> = mapping
            .regions
            .iter()
            .map(|region| {
                (region.counter, region.start.line, region.start.column, region.end.line, region.end.column)
            })
            .collect();
        assert_eq!(
            ranges,
            [
                (Counter::Index(0), 1, 1, 1, 23),
                (Counter::Index(0), 2, 8, 2, 13),
                (Counter::Index(1), 2, 16, 2, 17),
                (Counter::Expression(0), 2, 27, 2, 28),
                (Counter::Index(0), 3, 1, 3, 2),
            ]
        );
    }

    #[test]
    fn every_truncation_is_an_error() {
        for cut in 0..PICK.len() {
            assert!(Mapping::parse(&PICK[..cut], 2).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn impossible_mappings_are_refused() {
        assert_eq!(error(&[1, 2]), "malformed: file index is out of range at offset 0x1");
        assert_eq!(
            error(&[1, 1, 0, 1, 2, 1, 1, 0, 2]),
            "malformed: counter expression is invalid at offset 0x4"
        );
        assert_eq!(error(&[1, 1, 0, 1, 8, 1, 1, 0, 2]), "malformed: region kind is incorrect at offset 0x4");
        assert_eq!(
            error(&[1, 1, 0, 1, 12, 1, 1, 0, 2]),
            "malformed: expanded file is out of range at offset 0x4"
        );
        assert_eq!(
            error(&[1, 1, 0, 1, 1, 1, 5, 0, 2]),
            "malformed: region ends before it starts at offset 0x4"
        );
        let far = [1, 1, 0, 1, 1, 0x81, 0xad, 0xe2, 0x04, 1, 0, 2];
        assert_eq!(error(&far), "malformed: line is out of range at offset 0x4");
        assert_eq!(error(&[1, 1, 0, 1, 1, 0, 1, 0, 2]), "malformed: line is out of range at offset 0x4");
    }

    #[test]
    fn kinds_and_ranges_are_told_apart() {
        let region =
            |bytes: &[u8]| Mapping::parse(&[&[1, 1, 0, 1], bytes].concat(), 2).expect("ok").regions[0];
        assert_eq!(region(&[16, 1, 1, 0, 2]).kind, RegionKind::Skipped);
        let gap = region(&[1, 1, 1, 0, 0x82, 0x80, 0x80, 0x80, 0x08]);
        assert_eq!((gap.kind, gap.end), (RegionKind::Gap, Position { line: 1, column: 2 }));
        let whole = region(&[1, 3, 0, 0, 0]);
        assert_eq!(
            (whole.start, whole.end),
            (Position { line: 3, column: 1 }, Position { line: 3, column: u32::MAX })
        );
        let branch = region(&[32, 5, 0, 1, 1, 0, 2]);
        assert_eq!(branch.kind, RegionKind::Branch { when_false: Counter::Zero });
        assert_eq!(branch.counter, Counter::Index(1));
    }

    #[test]
    fn the_last_reference_says_what_an_expression_does() {
        // Two regions refer to expression 0: first as a difference, then as a sum.
        let mapping = Mapping::parse(&[1, 1, 1, 1, 5, 2, 2, 1, 1, 0, 2, 3, 0, 3, 0, 4], 2).expect("ok");
        assert_eq!(mapping.expressions[0].operation, Operation::Add);
    }

    #[test]
    fn an_expansion_takes_the_counter_of_what_it_expands_to() {
        // File 0: an expansion of file 1. File 1: an expansion of file 2. File 2: counter 7.
        let bytes = [3, 0, 0, 0, 0, 1, 12, 1, 1, 0, 2, 1, 20, 1, 1, 0, 2, 1, 29, 1, 1, 0, 2];
        let mapping = Mapping::parse(&bytes, 1).expect("ok");
        let counters: Vec<_> = mapping.regions.iter().map(|region| region.counter).collect();
        assert_eq!(counters, [Counter::Index(7); 3]);
        // A file that expands to itself must end all the same.
        Mapping::parse(&[1, 0, 0, 1, 4, 1, 1, 0, 2], 1).expect("ok");
        // Two files that expand to each other, and a third that expands to them: nothing says how often they ran.
        let circle = [3, 0, 0, 0, 0, 1, 12, 1, 1, 0, 2, 1, 4, 1, 1, 0, 2, 2, 4, 1, 1, 0, 2, 29, 1, 1, 0, 2];
        let mapping = Mapping::parse(&circle, 1).expect("ok");
        let counters: Vec<_> = mapping.regions.iter().map(|region| region.counter).collect();
        assert_eq!(counters, [Counter::Zero, Counter::Zero, Counter::Zero, Counter::Index(7)]);
    }

    /// Followed file by file, again and again, this would take hours.
    #[test]
    fn a_long_chain_of_expansions_is_followed_once() {
        let n_files = 200_000_u32;
        let uleb = |bytes: &mut Vec<u8>, value: u32| {
            for shift in [0, 7, 14] {
                bytes.push((value >> shift) as u8 & 0x7f | 0x80);
            }
            bytes.push((value >> 21) as u8);
        };
        let mut bytes = Vec::new();
        uleb(&mut bytes, n_files);
        bytes.extend(vec![0; n_files as usize]);
        bytes.push(0);
        for file in 1..=n_files {
            bytes.push(1);
            uleb(&mut bytes, if file < n_files { file << 3 | 4 } else { 7 << 2 | 1 });
            bytes.extend([1, 1, 0, 2]);
        }
        let mapping = Mapping::parse(&bytes, 1).expect("ok");
        assert!(mapping.regions.iter().all(|region| region.counter == Counter::Index(7)));
    }

    #[test]
    fn records_are_framed_and_holes_passed_over() {
        let mut section = Vec::new();
        for name_ref in [7_u64, 9] {
            section.extend_from_slice(&name_ref.to_le_bytes());
            section.extend_from_slice(&31_u32.to_le_bytes());
            section.extend_from_slice(&5_u64.to_le_bytes());
            section.extend_from_slice(&6_u64.to_le_bytes());
            section.extend_from_slice(&PICK);
            section.resize(section.len().next_multiple_of(8) + 16, 0);
        }
        let records = records(&section, Endian::Little).expect("well-formed");
        let expected =
            |name_ref| CovfunRecord { name_ref, func_hash: 5, filenames_ref: 6, mapping: &PICK[..] };
        assert_eq!(records, [expected(7), expected(9)]);
        assert!(super::records(&section[..60], Endian::Little).is_ok(), "the padding may be cut");
        assert!(super::records(&section[..58], Endian::Little).is_err());
        assert!(super::records(&section[..20], Endian::Little).is_err());
    }

    #[test]
    fn only_a_single_zero_region_without_hash_is_a_placeholder() {
        let record = |func_hash, mapping| CovfunRecord { name_ref: 1, func_hash, filenames_ref: 1, mapping };
        let single_zero = &[1, 1, 0, 1, 0, 1, 1, 0, 2];
        assert!(record(0, single_zero).is_placeholder());
        assert!(!record(1, single_zero).is_placeholder());
        assert!(!record(0, &PICK).is_placeholder());
        assert!(!record(0, &[1, 1, 0, 2, 0, 1, 1, 0, 2, 0, 1, 1, 0, 2]).is_placeholder());
        assert!(!record(0, &[1, 1]).is_placeholder());
    }
}
