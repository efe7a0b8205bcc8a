//! Every path under `<target_dir>/coverage/`, in one place. Pure: nothing here touches the disk.

use std::path::{Path, PathBuf};

/// The reports that a run can leave in [`Layout::root`], each under one fixed name: a run that was not asked for
/// one of them removes it, because editors and upload steps merge every file that they find.
pub const REPORT_FILES: [&str; 10] = [
    "lcov.info",
    "coverage.json",
    "coverage.txt",
    "cobertura.xml",
    "codecov.json",
    "index.html",
    "summary.txt",
    "summary.md",
    "badge.json",
    "badge.svg",
];

/// The name of the file in [`Layout::root`] that describes the latest run.
pub const RUN_FILE: &str = "run.json";

/// The name of the file in [`Layout::root`] that is locked while a run writes there.
pub const LOCK_FILE: &str = "lock";

/// Where everything lives that this library makes for one target directory.
///
/// | path | what |
/// |---|---|
/// | `build/` | cargo's `--target-dir`: the instrumented programs under their plain names |
/// | `wrapper/<hash>/` | the compiler wrapper that one set of flags goes by, its options, what it saw |
/// | `units/<unit>/` | one instrumented unit: what was compiled, counts of the proc-macros that rustc ran for it |
/// | `build-time/` | raw profiles of build scripts, and of proc-macros in compilers that the wrapper does not start |
/// | `incremental/` | rustc's incremental data of those units |
/// | `probe/` | a package that cargo is asked about its configuration with |
/// | `raw/<binary>/` | raw profiles of one test binary and of the programs that it started |
/// | `outside/` | raw profiles of processes that another harness started in the environment of `show-env` |
/// | `raw/.strays/` | those that were found in the source tree |
/// | `nextest/` | what cargo-nextest is told of the build, and the runner that it starts tests with |
/// | `run.json` | objects, profiles and tests of the latest run |
/// | `verification/` | what a comparison with LLVM's tools needs while it runs |
/// | `lock` | held while a run writes here |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below `target_dir`, the workspace's target directory (not cargo's `debug/` inside it).
    pub fn new(target_dir: &Path) -> Layout {
        Layout { root: target_dir.join("coverage") }
    }

    /// `<target_dir>/coverage`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What instrumented builds get as `--target-dir`.
    pub fn build(&self) -> PathBuf {
        self.root.join("build")
    }

    /// The directory that holds the wrapper whose flags hash to `hash`.
    pub fn wrapper(&self, hash: &str) -> PathBuf {
        self.root.join("wrapper").join(hash)
    }

    /// One directory for each unit that the wrapper compiled.
    pub fn units(&self) -> PathBuf {
        self.root.join("units")
    }

    /// The counts of what cargo itself starts: instrumented build scripts, and compilers of packages outside of the workspace
    /// that run a member's proc-macro. They stay between runs, because cargo starts these only when it must.
    pub fn build_time(&self) -> PathBuf {
        self.root.join("build-time")
    }

    /// Incremental data of instrumented units, kept apart from the user's so that it can be removed with the rest.
    pub fn incremental(&self) -> PathBuf {
        self.root.join("incremental")
    }

    /// A package that cargo is asked about its configuration with.
    pub fn probe(&self) -> PathBuf {
        self.root.join("probe")
    }

    /// The raw profiles of a run, one directory for each test binary.
    pub fn raw(&self) -> PathBuf {
        self.root.join("raw")
    }

    /// The directory for the raw profiles of the test binary `binary_id` (`app::bin/tool` becomes `app.bin.tool`).
    ///
    /// No two ids share a directory: neither package names nor the names of cargo targets hold a dot. The name of
    /// the executable would not do: since cargo 1.100 it carries no hash, and two packages may both have `tests/it.rs`.
    pub fn raw_of(&self, binary_id: &str) -> PathBuf {
        self.raw().join(binary_id.replace("::", ".").replace('/', "."))
    }

    /// The raw profiles of processes that another harness starts. Apart from [`Layout::raw`], because each run empties that.
    pub fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }

    /// The raw profiles of a run that were found in the source tree. No test binary has this name.
    pub fn strays(&self) -> PathBuf {
        self.raw().join(".strays")
    }

    /// What cargo-nextest is told, and what it leaves for us.
    pub fn nextest(&self) -> PathBuf {
        self.root.join("nextest")
    }

    /// The raw profiles of what cargo-nextest starts besides tests. No test binary has this name.
    pub fn raw_of_scripts(&self) -> PathBuf {
        self.raw().join(".scripts")
    }

    /// The description of the latest run, from which reports are rendered again.
    pub fn run_json(&self) -> PathBuf {
        self.root.join(RUN_FILE)
    }

    /// How long each test binary took in earlier runs.
    pub fn durations(&self) -> PathBuf {
        self.root.join("durations.json")
    }

    /// Where a comparison with LLVM's tools keeps what it needs while it runs.
    pub fn verification(&self) -> PathBuf {
        self.root.join("verification")
    }

    /// The file that is locked while a run writes here.
    pub fn lock(&self) -> PathBuf {
        self.root.join(LOCK_FILE)
    }

    /// The report called `name`, one of [`REPORT_FILES`].
    pub fn report(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The LCOV report that a bare run writes.
    pub fn lcov(&self) -> PathBuf {
        self.report("lcov.info")
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, REPORT_FILES};
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    fn layout() -> Layout {
        Layout::new(Path::new("/w/target"))
    }

    #[test]
    fn every_path_lies_below_the_coverage_directory_and_is_its_own() {
        let layout = layout();
        let mut paths = vec![
            layout.build(),
            layout.wrapper("0011223344556677"),
            layout.units(),
            layout.build_time(),
            layout.incremental(),
            layout.probe(),
            layout.raw(),
            layout.outside(),
            layout.strays(),
            layout.raw_of_scripts(),
            layout.nextest(),
            layout.run_json(),
            layout.durations(),
            layout.lock(),
            layout.verification(),
        ];
        paths.extend(REPORT_FILES.iter().map(|name| layout.report(name)));
        for path in &paths {
            assert!(path.starts_with("/w/target/coverage"), "{}", path.display());
        }
        let distinct: BTreeSet<&PathBuf> = paths.iter().collect();
        assert_eq!(distinct.len(), paths.len());
        assert!(REPORT_FILES.contains(&"lcov.info"));
        assert_eq!(layout.lcov(), Path::new("/w/target/coverage/lcov.info"));
    }

    #[test]
    fn each_binary_has_its_own_directory() {
        let rows = [
            ("app", "app"),
            ("app::it", "app.it"),
            ("app::bin/it", "app.bin.it"),
            ("app::example/it", "app.example.it"),
            ("app-it", "app-it"),
        ];
        for (binary_id, expected) in rows {
            assert_eq!(layout().raw_of(binary_id), Path::new("/w/target/coverage/raw").join(expected));
        }
    }
}
