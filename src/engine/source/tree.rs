//! The files that modules are in: which of them are test code because of how they are declared. What a file says itself is
//! [`super::scan`]'s; files are read by the caller.
//!
//! The rules of rustc (`rustc_expand::module`, and "Module source filenames" in the Rust reference): the modules that `a.rs`
//! declares are in `a/`, those of a crate root, of `mod.rs` and of a file that `#[path]` or `include!` names are beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::{Excluded, Module, ModuleFile, Options, Problem, Reason, Scan, scan};
use crate::parallel::map_in_order;

/// What does not count in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileScan {
    /// As [`Scan::excluded`].
    pub excluded: Vec<Excluded>,
    /// As [`Scan::problems`].
    pub problems: Vec<Problem>,
    /// Why nothing in the file counts.
    pub whole: Option<Reason>,
}

/// Paths with more parts than this are not followed: where directories link to themselves, modules could go on for ever.
const MAX_PARTS: usize = 256;

/// Reads crates' files and says what does not count in them.
///
/// `roots` are the crates' main files. `others` are files that count but that no root may lead to: those that are read while
/// following the roots need nothing more; of the rest, each that no other file declares is where a walk begins, and its name
/// says where its modules are. A file is test code if everything that declares it is, or says so. `read` returns a file's
/// bytes, or `None` if there is no such file; it is called once for each path.
///
/// Paths are compared after `.` and `..` are resolved in them as text, and so are the keys of what is returned: a file for
/// each path that could be read.
pub fn walk(
    roots: &[PathBuf],
    others: &[PathBuf],
    options: &Options,
    threads: usize,
    read: &(dyn Fn(&Path) -> Option<Vec<u8>> + Sync),
) -> BTreeMap<PathBuf, FileScan> {
    let mut graph = Graph::default();
    let others: BTreeSet<PathBuf> = others.iter().map(|other| normalized(other)).collect();
    // Most files are among them: all threads have work, where a walk goes from one wave of files to the next.
    graph.scan_all(others.clone(), options, threads, read);
    let mut starts: Vec<usize> =
        roots.iter().map(|root| graph.node(Node { file: normalized(root), name: None })).collect();
    graph.follow(options, threads, read);

    let reached: BTreeSet<&PathBuf> = graph.nodes.iter().map(|node| &node.file).collect();
    let unreached: Vec<PathBuf> = others.into_iter().filter(|other| !reached.contains(other)).collect();
    let unreached: Vec<usize> = unreached.into_iter().map(|other| graph.node(Node::named(other))).collect();
    graph.follow(options, threads, read);
    let declared = graph.declared();
    starts.extend(unreached.iter().filter(|&&other| !declared.contains(&graph.nodes[other].file)));
    let mut states = graph.states(&starts);
    // Files that declare each other, and nothing else does.
    let in_circles: Vec<usize> =
        unreached.into_iter().filter(|&other| !states.contains_key(&graph.nodes[other].file)).collect();
    if !in_circles.is_empty() {
        starts.extend(in_circles);
        states = graph.states(&starts);
    }

    let files = graph.scans.into_iter().filter_map(|(file, scan)| Some((file, scan?)));
    files
        .map(|(file, scan)| {
            let declared = states.remove(&file).flatten();
            let Scan { excluded, problems, whole, .. } = scan;
            (file, FileScan { excluded, problems, whole: whole.or(declared) })
        })
        .collect()
}

/// A file as a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node {
    file: PathBuf,
    /// The directory beside the file in which its modules are; `None` if they are beside the file.
    name: Option<String>,
}

impl Node {
    /// A file of which nothing but the name says where its modules are.
    fn named(file: PathBuf) -> Node {
        let name = match file.file_name().and_then(|name| name.to_str()) {
            Some("mod.rs" | "lib.rs" | "main.rs") => None,
            _ => file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned),
        };
        Node { file, name }
    }

    /// The files in which a module that this one declares may be.
    fn candidates(&self, module: &Module) -> Vec<Node> {
        let mut directory = self.file.parent().map(Path::to_path_buf).unwrap_or_default();
        if let ModuleFile::Included { path } = &module.file {
            return vec![Node { file: normalized(&directory.join(path)), name: None }];
        }
        let mut name = self.name.as_deref();
        for within in &module.within {
            match &within.path {
                Some(path) => {
                    directory.push(path);
                    name = None;
                }
                None => {
                    directory.extend(name.take());
                    directory.push(&within.name);
                }
            }
        }
        let mut candidates = Vec::new();
        if let ModuleFile::Declared { name: own, paths, may_be_elsewhere } = &module.file {
            candidates.extend(
                paths.iter().map(|path| Node { file: normalized(&directory.join(path)), name: None }),
            );
            if *may_be_elsewhere {
                directory.extend(name);
                let file = normalized(&directory.join(format!("{own}.rs")));
                candidates.push(Node { file, name: Some(own.clone()) });
                let file = normalized(&directory.join(own).join("mod.rs"));
                candidates.push(Node { file, name: None });
            }
        }
        candidates
    }
}

/// A declaration: the module it leads to, and why that does not count.
#[derive(Debug)]
struct Edge {
    to: usize,
    gate: Option<Reason>,
}

/// All modules that are found, and what declares them.
#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Node>,
    /// Of as many nodes as have been followed.
    edges: Vec<Vec<Edge>>,
    numbers: BTreeMap<Node, usize>,
    /// `None` for a file that cannot be read.
    scans: BTreeMap<PathBuf, Option<Scan>>,
}

impl Graph {
    fn node(&mut self, node: Node) -> usize {
        let next = self.nodes.len();
        *self.numbers.entry(node).or_insert_with_key(|node| {
            self.nodes.push(node.clone());
            next
        })
    }

    /// Reads files, unless they have been read.
    fn scan_all(
        &mut self,
        mut files: BTreeSet<PathBuf>,
        options: &Options,
        threads: usize,
        read: &(dyn Fn(&Path) -> Option<Vec<u8>> + Sync),
    ) {
        files.retain(|file| !self.scans.contains_key(file));
        let work = |file: PathBuf| {
            let is_near = file.components().count() <= MAX_PARTS;
            let scan = is_near.then(|| read(&file)).flatten().map(|text| scan(&text, options));
            (file, scan)
        };
        self.scans.extend(map_in_order(files.into_iter().collect(), threads, work));
    }

    /// Reads the files of the nodes that have not been followed, then those of the modules that these declare, and so on.
    fn follow(
        &mut self,
        options: &Options,
        threads: usize,
        read: &(dyn Fn(&Path) -> Option<Vec<u8>> + Sync),
    ) {
        while self.edges.len() < self.nodes.len() {
            let wave = self.edges.len()..self.nodes.len();
            let files = self.nodes[wave.clone()].iter().map(|node| node.file.clone()).collect();
            self.scan_all(files, options, threads, read);
            for from in wave {
                let node = self.nodes[from].clone();
                let modules = match self.scans.get(&node.file) {
                    Some(Some(scan)) => scan.modules.clone(),
                    _ => Vec::new(),
                };
                let mut edges = Vec::new();
                for module in modules {
                    for candidate in node.candidates(&module) {
                        let to = self.node(candidate);
                        edges.push(Edge { to, gate: module.gate.clone() });
                    }
                }
                self.edges.push(edges);
            }
        }
    }

    /// The files that another one declares.
    fn declared(&self) -> BTreeSet<PathBuf> {
        let mut declared = BTreeSet::new();
        for (from, edges) in self.nodes.iter().zip(&self.edges) {
            for edge in edges {
                let file = &self.nodes[edge.to].file;
                if *file != from.file {
                    declared.insert(file.clone());
                }
            }
        }
        declared
    }

    /// For each file that can be reached from these: `None` if without passing a gate, else why it does not count.
    fn states(&self, starts: &[usize]) -> BTreeMap<PathBuf, Option<Reason>> {
        let mut states = BTreeMap::new();
        let mut is_reached = vec![false; self.nodes.len()];
        let mut reach = |node: usize, reason: Option<Reason>, queue: &mut Vec<(usize, Option<Reason>)>| {
            if !std::mem::replace(&mut is_reached[node], true) {
                queue.push((node, reason));
            }
        };
        let mut queue = Vec::new();
        for &start in starts {
            reach(start, None, &mut queue);
        }
        let mut gated = Vec::new();
        let mut position = 0;
        while let Some((node, _)) = queue.get(position) {
            let by = &self.nodes[*node].file;
            states.insert(by.clone(), None);
            for edge in &self.edges[*node] {
                match &edge.gate {
                    None => reach(edge.to, None, &mut queue),
                    Some(gate) => {
                        let reason = Box::new(gate.clone());
                        gated.push((edge.to, Reason::Declared { by: by.clone(), reason }));
                    }
                }
            }
            position += 1;
        }
        queue.clear();
        for (node, reason) in gated {
            reach(node, Some(reason), &mut queue);
        }
        position = 0;
        while let Some((node, reason)) = queue.get(position).cloned() {
            states.entry(self.nodes[node].file.clone()).or_insert_with(|| reason.clone());
            for edge in &self.edges[node] {
                reach(edge.to, reason.clone(), &mut queue);
            }
            position += 1;
        }
        states
    }
}

/// The path without `.` and `..`, as far as the text tells.
fn normalized(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match parts.components().next_back() {
                Some(Component::Normal(_)) => {
                    parts.pop();
                }
                // Nothing is above the root.
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => parts.push(component),
            },
            _ => parts.push(component),
        }
    }
    parts
}
