//! Flags about what runs keep for later ones.

use std::path::PathBuf;

use super::super::flag::{Flag, Section};
use super::{CACHE, CACHE_ALONE, KEEPS};
use crate::task::config::CacheAction;

pub(super) const CACHING: Section = Section {
    title: "Cache",
    flags: &[
        Flag::switch("reuse", |config, on| config.tests.reuse = on)
            .conflicts(&[
                ("nextest", "nextest runs the tests itself; drop one of the two"),
                ("no-run", "nothing runs, so there is nothing to reuse; drop one of the two"),
            ])
            .of(super::RUN)
            .help(
                "Do not run test binaries that passed before, if all that they depend on is the same: their programs, \
                 arguments and variables, the compiler, and the files that git tracks and no crate is made of. Their counts \
                 and results are those of then. Not for tests that depend on the time, the network, or files that git does \
                 not track.",
            ),
        Flag::one("cache-dir", "DIRECTORY", |config, value| {
            config.cache_dir = Some(PathBuf::from(value));
            Ok(())
        })
        .of(KEEPS)
        .help("Keep results for `--reuse` in this directory. The default is `.coverage-cache` in the root of the workspace."),
        Flag::switch("info", |config, on| action(config, CacheAction::Info, on))
            .not_in_environment()
            .not_a_key(CACHE_ALONE)
            .of(CACHE)
            .help("Say what is kept and how large it is, which is the default."),
        Flag::switch("prune", |config, on| action(config, CacheAction::Prune, on))
            .not_in_environment()
            .not_a_key(CACHE_ALONE)
            .of(CACHE)
            .help("Remove what no run has used for a week: results, and artifacts of earlier builds with counters."),
        Flag::switch("clear", |config, on| action(config, CacheAction::Clear, on))
            .conflicts(&[("prune", "a part or all of it; drop one of the two")])
            .not_in_environment()
            .not_a_key(CACHE_ALONE)
            .of(CACHE)
            .help("Remove all results and file times. Artifacts stay: `cargo xtask coverage clean` removes them."),
    ],
};

fn action(config: &mut crate::task::config::Config, action: CacheAction, on: bool) {
    config.cache = if on { action } else { CacheAction::Info };
}
