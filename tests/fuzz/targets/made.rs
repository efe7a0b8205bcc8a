//! Objects and raw profiles made from numbers: well-formed ones, of which every model must count everything, and others that break
//! the rules in a place or two, so that what lies behind the parsers is reached.

use std::borrow::Cow;

use xtask_coverage::format::cursor::Endian;
use xtask_coverage::format::prf_names::md5_64;
use xtask_coverage::object::write::elf_object;
use xtask_coverage::object::{CoverageSections, PointerWidth};

use super::numbers::Numbers;

/// The version of coverage maps that rustc writes today.
const COVMAP_VERSION: u32 = 6;

/// A number as LLVM stores most of them.
pub fn push_uleb(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// The encoded table of these file names; its identity is the truncated MD5 of it.
pub fn filename_table(names: &[&[u8]]) -> Vec<u8> {
    let mut payload = Vec::new();
    for name in names {
        push_uleb(&mut payload, name.len() as u64);
        payload.extend_from_slice(name);
    }
    let mut table = Vec::new();
    push_uleb(&mut table, names.len() as u64);
    push_uleb(&mut table, payload.len() as u64);
    table.push(0);
    table.extend(payload);
    table
}

/// A record of `__llvm_covmap`.
pub fn push_covmap(section: &mut Vec<u8>, version: u32, table: &[u8]) {
    for word in [0, table.len() as u32, 0, version] {
        section.extend(word.to_le_bytes());
    }
    section.extend_from_slice(table);
    section.resize(section.len().next_multiple_of(8), 0);
}

/// A record of `__llvm_covfun`.
pub fn push_covfun(section: &mut Vec<u8>, name_ref: u64, func_hash: u64, table: &[u8], mapping: &[u8]) {
    section.extend(name_ref.to_le_bytes());
    section.extend((mapping.len() as u32).to_le_bytes());
    section.extend(func_hash.to_le_bytes());
    section.extend(md5_64(table).to_le_bytes());
    section.extend_from_slice(mapping);
    section.resize(section.len().next_multiple_of(8), 0);
}

/// The section of these names, as one chunk.
pub fn names_section(names: &[Vec<u8>]) -> Vec<u8> {
    let joined = names.join(&1);
    let mut section = Vec::new();
    push_uleb(&mut section, joined.len() as u64);
    section.push(0);
    section.extend(joined);
    section
}

/// An ELF file with these sections and nothing else.
pub fn object(covmap: &[u8], covfun: &[u8], names: &[u8]) -> Vec<u8> {
    elf_object(&CoverageSections {
        member: None,
        endian: Endian::Little,
        pointer_width: PointerWidth::Bits64,
        covmap: Cow::Borrowed(covmap),
        covfun: Cow::Borrowed(covfun),
        names: Cow::Borrowed(names),
        prf_data: Cow::Borrowed(&[]),
        build_id: None,
    })
}

/// A raw profile of a 64-bit process, of version 8, 9 or 10, with functions as name_ref, func_hash and counts.
pub fn raw_profile(version: u64, functions: &[(u64, u64, Vec<u64>)]) -> Vec<u8> {
    let record_len = if version == 8 { 48 } else { 64 };
    let n_counters: usize = functions.iter().map(|(_, _, counts)| counts.len()).sum();
    let delta = record_len * functions.len() as u64;
    let mut words = vec![0xff6c_7072_6f66_7281, version, 0, functions.len() as u64, 0, n_counters as u64, 0];
    match version {
        8 => words.extend([0, delta, 0, 1]),
        9 => words.extend([0, 0, 0, delta, 0, 0, 1]),
        _ => words.extend([0, 0, 0, delta, 0, 0, 0, 0, 2]),
    }
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut offset = delta;
    for (index, (name_ref, func_hash, counts)) in (0..).zip(functions) {
        let start = bytes.len();
        for word in [*name_ref, *func_hash, offset.wrapping_sub(record_len * index)] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.resize(start + if version == 8 { 40 } else { 48 }, 0);
        bytes.extend((counts.len() as u32).to_le_bytes());
        bytes.resize(start + record_len as usize, 0);
        offset += 8 * counts.len() as u64;
    }
    bytes.extend(functions.iter().flat_map(|(_, _, counts)| counts).flat_map(|count| count.to_le_bytes()));
    bytes
}

/// A function as it is compiled into one object or several.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its symbol.
    pub name: Vec<u8>,
    /// Its structural hash.
    pub func_hash: u64,
    /// Which of [`Case::tables`] its mapping refers to.
    pub table: usize,
    /// The encoded mapping.
    pub mapping: Vec<u8>,
    /// How many counters it has.
    pub n_counters: u32,
}

/// What one run of a report reads, before it is bytes.
#[derive(Clone, Debug)]
pub struct Case {
    /// Encoded tables of file names.
    pub tables: Vec<Vec<u8>>,
    /// All functions.
    pub functions: Vec<Function>,
    /// For each object its functions.
    pub objects: Vec<Vec<usize>>,
    /// For each process the counts of functions by index.
    pub profiles: Vec<Vec<(usize, Vec<u64>)>>,
}

/// Source files as the compiler may store them, odd ones among them.
const PATHS: [&[u8]; 8] = [
    b"/w/src/lib.rs",
    b"src/a.rs",
    b"/w/src/a.rs",
    b"src/./b,\"<&>.rs",
    b"../out/c.rs",
    b"odd/\xff\n\x1b.rs",
    b"",
    b"/w/src/deep/mod.rs",
];

impl Case {
    /// A case as compilers and processes make them: each function is the same one wherever it is, counters exist, expressions
    /// make sense, and no count is below zero.
    pub fn well_formed(numbers: &mut Numbers<'_>) -> Case {
        let mut case = Case {
            tables: vec![filename_table(&[b"/w", PATHS[0], PATHS[1], PATHS[3]])],
            functions: Vec::new(),
            objects: Vec::new(),
            profiles: Vec::new(),
        };
        let n_functions = 1 + numbers.below(6) as usize;
        for index in 0..n_functions {
            case.functions.push(well_formed_function(index, numbers));
        }
        for _ in 0..1 + numbers.below(3) {
            let some = (0..n_functions).filter(|_| !numbers.one_in(4)).collect();
            case.objects.push(some);
        }
        for _ in 0..1 + numbers.below(4) {
            let mut counts = Vec::new();
            for (index, function) in case.functions.iter().enumerate() {
                if numbers.one_in(4) {
                    continue;
                }
                let mut own: Vec<u64> =
                    (0..function.n_counters).map(|_| u64::from(numbers.below(5))).collect();
                // The first counts every call, so no part of the function ran more often.
                own[0] += own[1..].iter().sum::<u64>();
                counts.push((index, own));
            }
            case.profiles.push(counts);
        }
        case
    }

    /// A case in which anything may contradict anything.
    pub fn arbitrary(numbers: &mut Numbers<'_>) -> Case {
        let mut case =
            Case { tables: Vec::new(), functions: Vec::new(), objects: Vec::new(), profiles: Vec::new() };
        for _ in 0..1 + numbers.below(3) {
            let n_names = 1 + numbers.below(5);
            let names: Vec<&[u8]> =
                (0..n_names).map(|_| PATHS[numbers.below(PATHS.len() as u32) as usize]).collect();
            case.tables.push(filename_table(&names));
        }
        for _ in 0..1 + numbers.below(8) {
            let (mapping, n_counters) = arbitrary_mapping(numbers);
            case.functions.push(Function {
                name: name(numbers.below(6) as usize, numbers.below(2) as usize),
                func_hash: u64::from(numbers.below(3)) | u64::from(numbers.below(2)) << 60,
                table: numbers.below(case.tables.len() as u32) as usize,
                mapping,
                n_counters,
            });
        }
        for _ in 0..1 + numbers.below(3) {
            let n_functions = case.functions.len() as u32;
            let some = (0..numbers.below(10)).map(|_| numbers.below(n_functions) as usize).collect();
            case.objects.push(some);
        }
        for _ in 0..1 + numbers.below(3) {
            let mut counts = Vec::new();
            for index in 0..case.functions.len() {
                let n_counters = match numbers.below(4) {
                    0 => continue,
                    1 => 1 + numbers.below(4),
                    _ => case.functions[index].n_counters,
                };
                let count = |_| match numbers.below(8) {
                    7 => 1 << (numbers.below(57)),
                    small => u64::from(small),
                };
                counts.push((index, (0..n_counters).map(count).collect()));
            }
            case.profiles.push(counts);
        }
        case
    }

    /// The objects as files.
    pub fn object_files(&self) -> Vec<Vec<u8>> {
        let object_file = |functions: &Vec<usize>| {
            let (mut covmap, mut covfun, mut names) = (Vec::new(), Vec::new(), Vec::new());
            for table in &self.tables {
                push_covmap(&mut covmap, COVMAP_VERSION, table);
            }
            for &function in functions {
                let Function { name, func_hash, table, mapping, .. } = &self.functions[function];
                push_covfun(&mut covfun, md5_64(name), *func_hash, &self.tables[*table], mapping);
                names.push(name.clone());
            }
            // An object has names of functions, whatever it has besides.
            names.push(b"main".to_vec());
            object(&covmap, &covfun, &names_section(&names))
        };
        self.objects.iter().map(object_file).collect()
    }

    /// The raw profiles as files.
    pub fn profile_files(&self) -> Vec<Vec<u8>> {
        let record = |(function, counts): &(usize, Vec<u64>)| {
            let Function { name, func_hash, .. } = &self.functions[*function];
            (md5_64(name), *func_hash, counts.clone())
        };
        let file = |(index, functions): (u64, &Vec<(usize, Vec<u64>)>)| {
            raw_profile(8 + index % 3, &functions.iter().map(record).collect::<Vec<_>>())
        };
        (0..).zip(&self.profiles).map(file).collect()
    }
}

/// Symbols of generic and other functions, of closures and of C.
fn name(index: usize, instance: usize) -> Vec<u8> {
    match index {
        0 => b"main".to_vec(),
        1 => format!("_RNCNvCsa_4demo{}0B3_", ["1f", "1g"][instance]).into_bytes(),
        2 => format!("_RINvCsa_4demo1g{}EB2_", ["h", "m"][instance]).into_bytes(),
        3 => format!("_ZN4demo1f17h012345678{instance}abcdefE").into_bytes(),
        4 => format!("_RNvCsa_8rust_out{}", ["1f", "1g"][instance]).into_bytes(),
        _ => format!("/w/src/lib.rs:f{instance}\n,\"").into_bytes(),
    }
}

/// How a counter is stored.
fn counter(index: u32) -> u64 {
    u64::from(index) << 2 | 1
}

fn well_formed_function(index: usize, numbers: &mut Numbers<'_>) -> Function {
    let n_counters = 1 + numbers.below(4);
    let mut mapping = Vec::new();
    // One or two files, the second of which the first one does not expand.
    let n_files = if numbers.one_in(8) { 2 } else { 1 };
    mapping.push(n_files);
    let first_file = 1 + numbers.below(3);
    for file in 0..u32::from(n_files) {
        mapping.push(1 + ((first_file - 1 + file) % 3) as u8);
    }
    // Differences from the count of all calls, which is the greatest.
    let n_expressions = numbers.below(n_counters);
    mapping.push(n_expressions as u8);
    for expression in 0..n_expressions {
        push_uleb(&mut mapping, counter(0));
        push_uleb(&mut mapping, counter(1 + expression));
    }
    let any_counter = |numbers: &mut Numbers<'_>| match numbers.below(n_counters + n_expressions) {
        index if index < n_counters => counter(index),
        index => u64::from(index - n_counters) << 2 | 2,
    };
    for _ in 0..n_files {
        let n_regions = 1 + numbers.below(6);
        mapping.push(n_regions as u8);
        let (first_line, height) = (1 + numbers.below(24), numbers.below(12));
        let mut line = 0;
        for region in 0..n_regions {
            // The first region is the whole function; others lie within it.
            let (start, end, column) = match region {
                0 => (first_line, first_line + height, 1),
                _ => {
                    let start = line.max(first_line + numbers.below(height + 1)).min(first_line + height);
                    (start, start + numbers.below(first_line + height - start + 1), 2 + numbers.below(30))
                }
            };
            let kind = if region == 0 { 0 } else { numbers.below(8) };
            match kind {
                6 => mapping.push(16),
                7 => {
                    mapping.push(32);
                    push_uleb(&mut mapping, any_counter(numbers));
                    push_uleb(&mut mapping, any_counter(numbers));
                }
                _ if region == 0 => push_uleb(&mut mapping, counter(0)),
                _ => push_uleb(&mut mapping, any_counter(numbers)),
            }
            push_uleb(&mut mapping, u64::from(start - line));
            push_uleb(&mut mapping, u64::from(column));
            push_uleb(&mut mapping, u64::from(end - start));
            let end_column = 40 + numbers.below(8);
            let gap = if kind == 5 { 1 << 31 } else { 0 };
            push_uleb(&mut mapping, u64::from(end_column | gap));
            line = start;
        }
    }
    Function {
        name: format!("_RINvCsa_4demo{}f{index}mE", 1 + index.to_string().len()).into_bytes(),
        func_hash: 1 + u64::from(numbers.byte()),
        table: 0,
        mapping,
        n_counters,
    }
}

fn arbitrary_mapping(numbers: &mut Numbers<'_>) -> (Vec<u8>, u32) {
    let n_counters = 1 + numbers.below(4);
    let mut mapping = Vec::new();
    let n_files = 1 + numbers.below(8).saturating_sub(4);
    push_uleb(&mut mapping, u64::from(n_files));
    for _ in 0..n_files {
        mapping.push(numbers.below(5) as u8);
    }
    let n_expressions = numbers.below(5);
    push_uleb(&mut mapping, u64::from(n_expressions));
    let any_counter = |numbers: &mut Numbers<'_>| match numbers.below(8) {
        0 => 0,
        1 | 2 if n_expressions > 0 => {
            u64::from(numbers.below(n_expressions)) << 2 | u64::from(2 + numbers.below(2))
        }
        7 => u64::from(numbers.byte()),
        _ => counter(numbers.below(n_counters)),
    };
    for _ in 0..2 * n_expressions {
        push_uleb(&mut mapping, any_counter(numbers));
    }
    for _ in 0..n_files {
        let n_regions = numbers.below(7);
        push_uleb(&mut mapping, u64::from(n_regions));
        for _ in 0..n_regions {
            match numbers.below(12) {
                0 => mapping.push(16),
                1 | 2 => push_uleb(&mut mapping, u64::from(numbers.below(n_files)) << 3 | 4),
                3 | 4 => {
                    mapping.push(32);
                    push_uleb(&mut mapping, any_counter(numbers));
                    push_uleb(&mut mapping, any_counter(numbers));
                }
                5 => mapping.extend([40, numbers.byte() & 0x7f, numbers.byte() & 0x7f]),
                6 => {
                    mapping.push(48);
                    push_uleb(&mut mapping, any_counter(numbers));
                    push_uleb(&mut mapping, any_counter(numbers));
                    mapping.extend([numbers.below(4) as u8, numbers.below(4) as u8, numbers.below(4) as u8]);
                }
                7 => mapping.push(numbers.byte()),
                _ => push_uleb(&mut mapping, any_counter(numbers)),
            }
            let line_delta = if numbers.one_in(64) { numbers.word() >> 8 } else { numbers.below(6) };
            let height = if numbers.one_in(64) { numbers.word() >> 8 } else { numbers.below(6) };
            push_uleb(&mut mapping, u64::from(line_delta));
            push_uleb(&mut mapping, u64::from(numbers.below(20)));
            push_uleb(&mut mapping, u64::from(height));
            let gap = if numbers.one_in(8) { 1 << 31 } else { 0 };
            push_uleb(&mut mapping, u64::from(numbers.below(30) | gap));
        }
    }
    (mapping, n_counters)
}
