//! LCOV files read back, strictly: what other tools would guess at is an error here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An LCOV file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lcov {
    /// In the order of the text. A path may be there twice: `check_lines` refuses that.
    pub(crate) files: Vec<LcovFile>,
}

/// What stands between `SF` and `end_of_record`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LcovFile {
    /// As written.
    pub(crate) path: String,
    /// In the order of `FN`.
    pub(crate) functions: Vec<LcovFunction>,
    /// `DA`: the count of each mapped line, which is 1-based.
    pub(crate) lines: BTreeMap<u32, u64>,
    /// `BRDA`, in the order of the text.
    pub(crate) branches: Vec<LcovBranch>,
    /// `FNF` and `FNH`.
    pub(crate) functions_total: Option<Total>,
    /// `LF` and `LH`.
    pub(crate) lines_total: Option<Total>,
    /// `BRF` and `BRH`.
    pub(crate) branches_total: Option<Total>,
}

/// `FN` and `FNDA` of one function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LcovFunction {
    pub(crate) line: u32,
    pub(crate) name: String,
    pub(crate) count: u64,
}

/// `BRDA`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LcovBranch {
    pub(crate) line: u32,
    pub(crate) block: u32,
    pub(crate) branch: u32,
    /// `None` is `-`: the condition was never reached.
    pub(crate) taken: Option<u64>,
}

/// How many there are, and how many of them are covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) count: u64,
    pub(crate) covered: u64,
}

impl Lcov {
    /// Reads and parses a file. Panics when that fails.
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Lcov {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("failed to read `{}`: {error}", path.display()));
        Lcov::parse(&text).unwrap_or_else(|message| panic!("`{}`: {message}", path.display()))
    }

    /// Parses a text.
    pub(crate) fn parse(text: &str) -> Result<Lcov, String> {
        let mut lcov = Lcov::default();
        let mut open: Option<LcovFile> = None;
        for (index, line) in text.lines().enumerate() {
            let at = |message: String| format!("line {}: {message}: `{line}`", index + 1);
            if line.starts_with("TN:") && open.is_none() {
                continue;
            }
            open = match (open, line.strip_prefix("SF:")) {
                (None, Some("")) => return Err(at("a file without a path".to_string())),
                (None, Some(path)) => Some(LcovFile { path: path.to_string(), ..LcovFile::default() }),
                (None, None) => return Err(at("not within a file's record".to_string())),
                (Some(_), Some(_)) => return Err(at("the record before has no end".to_string())),
                (Some(file), None) if line == "end_of_record" => {
                    lcov.files.push(file);
                    None
                }
                (Some(mut file), None) => {
                    file.add(line).map_err(at)?;
                    Some(file)
                }
            };
        }
        match open {
            Some(file) => Err(format!("the record of `{}` has no end", file.path)),
            None => Ok(lcov),
        }
    }

    /// The only file whose path ends with these components.
    #[track_caller]
    pub(crate) fn file(&self, path: &str) -> &LcovFile {
        let mut found = self.files.iter().filter(|file| Path::new(&file.path).ends_with(path));
        let file = found.next().unwrap_or_else(|| panic!("no file `{path}` among {:?}", self.paths()));
        assert!(found.next().is_none(), "two files `{path}` among {:?}", self.paths());
        file
    }

    /// All paths, as written.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.files.iter().map(|file| file.path.as_str()).collect()
    }

    /// What is wrong with the totals of a report whose totals are those of its own records. LLVM's are not.
    pub(crate) fn wrong_totals(&self) -> Vec<String> {
        let total = |counts: &mut dyn Iterator<Item = u64>| {
            counts.fold(Total::default(), |total, count| Total {
                count: total.count + 1,
                covered: total.covered + u64::from(count > 0),
            })
        };
        let mut wrong = Vec::new();
        for file in &self.files {
            let all = [
                (
                    "functions",
                    file.functions_total,
                    total(&mut file.functions.iter().map(|function| function.count)),
                ),
                ("lines", file.lines_total, total(&mut file.lines.values().copied())),
                (
                    "branches",
                    file.branches_total,
                    total(&mut file.branches.iter().map(|b| b.taken.unwrap_or(0))),
                ),
            ];
            for (what, written, own) in all {
                if let Some(written) = written.filter(|written| *written != own) {
                    wrong.push(format!(
                        "{}: {what}: {} of {} written, {} of {} found",
                        file.path, written.covered, written.count, own.covered, own.count
                    ));
                }
            }
        }
        wrong
    }
}

impl LcovFile {
    /// Adds a line of the record.
    fn add(&mut self, text: &str) -> Result<(), String> {
        let (tag, value) = text.split_once(':').ok_or("not `tag:value`")?;
        match tag {
            "FN" => {
                let (line, name) = value.split_once(',').ok_or("expected a line and a name")?;
                self.functions.push(LcovFunction { line: number(line)?, name: name.to_string(), count: 0 });
            }
            "FNDA" => {
                let (count, name) = value.split_once(',').ok_or("expected a count and a name")?;
                let mut named = self.functions.iter_mut().filter(|function| function.name == name);
                named.next().ok_or("no `FN` of this name before")?.count = number(count)?;
                if named.next().is_some() {
                    return Err("two `FN` of this name before".to_string());
                }
            }
            "DA" => {
                let (line, count) = value.split_once(',').ok_or("expected a line and a count")?;
                let line = number(line)?;
                if line == 0 || self.lines.last_key_value().is_some_and(|(last, _)| *last >= line) {
                    return Err("lines are not ascending from 1".to_string());
                }
                self.lines.insert(line, number(count)?);
            }
            "BRDA" => {
                let [line, block, branch, taken] = value.split(',').collect::<Vec<_>>()[..] else {
                    return Err("expected four values".to_string());
                };
                let taken = if taken == "-" { None } else { Some(number(taken)?) };
                let (line, block, branch) = (number(line)?, number(block)?, number(branch)?);
                self.branches.push(LcovBranch { line, block, branch, taken });
            }
            "FNF" => self.functions_total.get_or_insert_default().count = number(value)?,
            "FNH" => self.functions_total.get_or_insert_default().covered = number(value)?,
            "LF" => self.lines_total.get_or_insert_default().count = number(value)?,
            "LH" => self.lines_total.get_or_insert_default().covered = number(value)?,
            "BRF" => self.branches_total.get_or_insert_default().count = number(value)?,
            "BRH" => self.branches_total.get_or_insert_default().covered = number(value)?,
            _ => return Err(format!("unknown tag `{tag}`")),
        }
        Ok(())
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number that fits"))
}
