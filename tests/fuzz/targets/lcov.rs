//! Tracefiles read back, as strictly as they are written: what another program makes of them.

use std::collections::BTreeMap;

/// What a tracefile says of one source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `SF`.
    pub path: Vec<u8>,
    /// `FN` and `FNDA`: the first line of each function, its name, and how often it was entered.
    pub functions: Vec<(u64, Vec<u8>, u64)>,
    /// `DA`.
    pub lines: Vec<(u64, u64)>,
    /// `BRDA`: line, condition on the line, side, and how often it was taken; `None` where the condition was never evaluated.
    pub branches: Vec<(u64, u64, u64, Option<u64>)>,
    /// `FNF`, `FNH`, `LF`, `LH`, `BRF`, `BRH`.
    pub totals: BTreeMap<String, u64>,
}

/// Reads a tracefile.
///
/// # Panics
/// Where it is none.
pub fn read(text: &[u8]) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut section: Option<Section> = None;
    for line in text.split(|&byte| byte == b'\n') {
        if line.is_empty() {
            assert!(section.is_none(), "an empty line within a section");
            continue;
        }
        if line == b"end_of_record" {
            sections.extend(section.take());
            continue;
        }
        let colon = line.iter().position(|&byte| byte == b':').expect("a tag");
        let (tag, value) = (std::str::from_utf8(&line[..colon]).expect("a tag"), &line[colon + 1..]);
        if tag == "SF" {
            assert!(section.is_none(), "a section within a section");
            section = Some(Section { path: value.to_vec(), ..Section::default() });
            continue;
        }
        let section = section.as_mut().expect("within a section");
        match tag {
            "FN" => {
                let (line, name) = split_number(value);
                section.functions.push((line, name.to_vec(), 0));
            }
            "FNDA" => {
                let (count, name) = split_number(value);
                // Each name once, in the order of `FN`.
                let known = section.functions.iter_mut().filter(|function| function.1 == name);
                known.for_each(|function| function.2 = count);
            }
            "DA" => {
                let [line, count] = numbers(value);
                section.lines.push((line, count));
            }
            "BRDA" => {
                let text = std::str::from_utf8(value).expect("numbers");
                let fields: Vec<&str> = text.split(',').collect();
                let [line, condition, side, taken] = fields[..] else { panic!("{text}") };
                let number = |text: &str| text.parse::<u64>().expect("a number");
                let taken = (taken != "-").then(|| number(taken));
                section.branches.push((number(line), number(condition), number(side), taken));
            }
            _ => {
                let [total] = numbers(value);
                assert!(section.totals.insert(tag.to_owned(), total).is_none(), "{tag} twice");
            }
        }
    }
    assert!(section.is_none(), "no end_of_record");
    sections
}

fn split_number(value: &[u8]) -> (u64, &[u8]) {
    let comma = value.iter().position(|&byte| byte == b',').expect("a comma");
    let [number] = numbers(&value[..comma]);
    (number, &value[comma + 1..])
}

fn numbers<const N: usize>(value: &[u8]) -> [u64; N] {
    let text = std::str::from_utf8(value).expect("numbers");
    let numbers: Vec<u64> = text.split(',').map(|number| number.parse().expect("a number")).collect();
    numbers.try_into().expect("as many numbers as the tag has")
}
