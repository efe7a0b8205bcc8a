//! Functions, as all reports but LLVM's list them: one for each place in the source. And those that never ran, for people.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::name;
use crate::coverage::demangle::demangle;
use crate::coverage::function::FunctionRecord;
use crate::coverage::line::{self, LineRun};
use crate::coverage::segment::{CountedRange, segments, sort_and_combine};
use crate::coverage::{Coverage, FileCoverage, Model};

/// A function of a file.
pub(super) struct Function<'a> {
    /// Where it begins, 1-based.
    pub(super) line: u32,
    /// Its readable name.
    pub(super) name: Cow<'a, [u8]>,
    /// How often it was entered.
    pub(super) execution_count: u64,
    /// The copies of it that there are: in the union one.
    copies: Vec<&'a FunctionRecord>,
}

/// The functions of a file in the order of their places. In LLVM's model copies of a generic function are records of their
/// own, and count as one in the totals.
pub(super) fn of<'a>(file: &FileCoverage, coverage: &'a Coverage) -> Vec<Function<'a>> {
    let mut functions: BTreeMap<(u32, u32), Function<'a>> = BTreeMap::new();
    for &index in &file.functions {
        let record = &coverage.functions[index as usize];
        let start = record.regions.first().map_or((0, 0), |it| (it.range.start.line, it.range.start.column));
        functions
            .entry(start)
            .and_modify(|function| {
                function.execution_count = function.execution_count.saturating_add(record.execution_count);
                function.copies.push(record);
            })
            .or_insert_with(|| Function {
                line: start.0,
                name: match coverage.model {
                    Model::Union => Cow::Borrowed(&*record.name),
                    Model::Llvm => Cow::Owned(demangle(&record.name)),
                },
                execution_count: record.execution_count,
                copies: vec![record],
            });
    }
    functions.into_values().collect()
}

/// The functions that were never entered as `path:12 name (34 lines)`, those with most mapped lines first.
///
/// They are those that the totals count as missed, closures among them. Records must have all their regions.
pub fn render_missing(coverage: &Coverage) -> String {
    let mut missing = Vec::new();
    for file in &coverage.files {
        let path = name::text(&file.path);
        let mapped = MappedLines::of(file);
        let functions = of(file, coverage).into_iter().filter(|function| function.execution_count == 0);
        missing.extend(functions.map(|function| (n_lines(&function, &mapped), path.clone(), function)));
    }
    // A stable sort: equal ones stay in the order of their places.
    missing.sort_by_key(|(n_lines, ..)| Reverse(*n_lines));
    let mut out = String::new();
    for (n_lines, path, function) in missing {
        let plural = if n_lines == 1 { "" } else { "s" };
        let _ =
            writeln!(out, "{path}:{} {} ({n_lines} line{plural})", function.line, name::text(&function.name));
    }
    out
}

/// The mapped lines of a file as runs, with how many lines come before each: functions can span millions of lines.
struct MappedLines(Vec<(LineRun, u64)>);

impl MappedLines {
    fn of(file: &FileCoverage) -> MappedLines {
        let mut before = 0;
        let with_sum = |run: LineRun| {
            let sum = before;
            before += u64::from(run.n_lines);
            (run, sum)
        };
        MappedLines(line::runs(&file.segments).map(with_sum).collect())
    }

    /// How many mapped lines there are above `line`.
    fn above(&self, line: u64) -> u64 {
        let index = self.0.partition_point(|(run, _)| u64::from(run.first) < line);
        let Some((run, before)) = index.checked_sub(1).and_then(|index| self.0.get(index)) else { return 0 };
        before + u64::from(run.n_lines).min(line - u64::from(run.first))
    }
}

/// How many lines of a function are among those that are `mapped` in its file.
fn n_lines(function: &Function<'_>, mapped: &MappedLines) -> u64 {
    let mut ranges: Vec<CountedRange> = Vec::new();
    for record in &function.copies {
        let main = record.regions.first().map_or(0, |region| region.file_id);
        ranges.extend(record.regions_in(main).iter().map(|region| region.range));
    }
    sort_and_combine(&mut ranges);
    let n_mapped = |run: LineRun| {
        let first = u64::from(run.first);
        mapped.above(first + u64::from(run.n_lines)) - mapped.above(first)
    };
    line::runs(&segments(&ranges)).map(n_mapped).sum()
}

#[cfg(test)]
mod tests {
    use super::render_missing;
    use crate::coverage::Model;
    use crate::report::sample;

    #[test]
    fn the_largest_come_first() {
        let mut coverage = sample::coverage();
        let expected = "src/lib.rs:9 a::never::<_> (3 lines)\nsrc/lib.rs:13 a::short (1 line)\n";
        assert_eq!(render_missing(&coverage), expected);
        // Another instantiation ran.
        coverage.model = Model::Llvm;
        let mut copy = coverage.functions[2].clone();
        copy.execution_count = 1;
        coverage.functions.push(copy);
        let index = coverage.functions.len() as u32 - 1;
        coverage.files[2].functions.push(index);
        assert_eq!(render_missing(&coverage), "src/lib.rs:13 a::short (1 line)\n");
    }
}
