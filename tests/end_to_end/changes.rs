//! What is compared with earlier states: patch coverage in real git repositories, baselines, and what CI services read.

use std::fs;
use std::path::Path;

use crate::support::golden;
use crate::support::program::{Finished, Program};
use crate::support::workspace::Workspace;
use crate::xtask;

/// A repository whose history has `main`, where others went on, and `feature`, which is checked out with changes that are not
/// committed. The workspace is not at its root.
struct Checkout {
    workspace: Workspace,
}

impl Checkout {
    fn new() -> Checkout {
        let checkout = Checkout { workspace: Workspace::copy_as("only-bin", "work space") };
        let workspace = &checkout.workspace;
        // Test code beside the product is not the business of these tests.
        let main = workspace.read("src/main.rs");
        workspace.write("src/main.rs", &main[..main.find("\n#[cfg(test)]").expect("a test")]);
        workspace.write(".gitignore", "target/\nignored.rs\n");
        workspace.write("../outside.txt", "1\n");
        checkout.git(&["init", "-q"]);
        checkout.git(&["add", "."]);
        checkout.git(&["commit", "-q", "-m", "first"]);
        checkout.git(&["checkout", "-q", "-b", "feature"]);
        // Renamed, with a name that has to be quoted, and a function that nobody calls.
        fs::create_dir(workspace.root().join("src/odd, näme")).expect("a new directory");
        checkout.git(&["mv", "work space/src/answer.rs", "work space/src/odd, näme/answer.rs"]);
        let answer = workspace.read("src/odd, näme/answer.rs");
        workspace.write(
            "src/odd, näme/answer.rs",
            &format!("{answer}\npub fn never(n: usize) -> usize {{\n    // Why not?\n    n + 1\n}}\n"),
        );
        workspace.replace(
            "src/main.rs",
            "mod answer;",
            "#[path = \"odd, näme/answer.rs\"]\nmod answer;\nmod new;",
        );
        checkout.git(&["add", "."]);
        checkout.git(&["commit", "-q", "-m", "second"]);
        // Not committed: a changed line, a new file.
        workspace.replace("src/main.rs", "eprintln!(\"no question\");", "new::complain();");
        workspace.write("src/new.rs", "pub fn complain() {\n    eprintln!(\"no question\");\n}\n");
        checkout
    }

    /// Runs git in the repository's root.
    fn git(&self, arguments: &[&str]) -> Finished {
        git(self.top()).args(arguments).run().expect_success()
    }

    fn top(&self) -> &Path {
        self.workspace.root().parent().expect("a directory")
    }

    fn xtask(&self) -> Program {
        quiet(xtask(&self.workspace))
    }

    fn report(&self, arguments: &[&str]) -> Program {
        self.xtask().args(["coverage", "report"]).args(arguments)
    }

    /// Goes on in `main`, which has left the first commit too, and comes back.
    fn go_on_in_main(&self) {
        self.git(&["stash", "-q", "--include-untracked"]);
        self.git(&["checkout", "-q", "main"]);
        self.workspace.replace("src/answer.rs", "        return 0;", "        return 0 + 0;");
        self.workspace.write("../outside.txt", "2\n");
        self.git(&["commit", "-q", "-a", "-m", "others"]);
        self.git(&["checkout", "-q", "feature"]);
        self.git(&["stash", "pop", "-q"]);
    }
}

/// git as on a machine where nobody has configured anything.
pub(crate) fn git(directory: &Path) -> Program {
    let program = Program::new("git").current_dir(directory).args(["-c", "init.defaultBranch=main"]);
    ["AUTHOR", "COMMITTER"].into_iter().fold(quiet(program), |program, who| {
        program
            .env(format!("GIT_{who}_NAME"), "Somebody")
            .env(format!("GIT_{who}_EMAIL"), "somebody@example.org")
            .env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z")
    })
}

pub(crate) fn quiet(program: Program) -> Program {
    program.env("GIT_CONFIG_GLOBAL", "").env("GIT_CONFIG_NOSYSTEM", "1")
}

/// What is printed about the patch, all of it.
fn patch_part(text: &str) -> &str {
    &text[text.find("Patch coverage: ").unwrap_or_else(|| panic!("no patch coverage in\n{text}"))..]
}

const OF_FEATURE: &str = "Patch coverage: 4 of 7 changed lines 57.14%\nsrc/odd, näme/answer.rs:10,12-13\n";

#[test]
fn changed_lines_are_those_of_this_branch() {
    let checkout = Checkout::new();
    checkout.go_on_in_main();
    let run = checkout.xtask().args(["coverage", "--patch-base", "main"]).run().expect_success();
    assert_eq!(patch_part(&run.stdout), OF_FEATURE);
    run.expect_stderr("    Compared with merge base with main, ");
    let same = |program: Program| assert_eq!(patch_part(&program.run().expect_success().stdout), OF_FEATURE);
    same(checkout.report(&["--patch"]));
    same(checkout.report(&["--patch-base", "feature~1"]));

    // Whatever the user has configured, and whatever a hook has set.
    let config = checkout.workspace.beside("git").join("config");
    let settings = "[core]\n\tquotePath = false\n\tpager = false\n\tfsmonitor = /no/such/program\n[color]\n\tui = always\n\
                    \tdiff = always\n[diff]\n\tnoprefix = true\n\tmnemonicPrefix = true\n\texternal = /no/such/program\n\
                    \trenames = false\n\trelative = true\n\tcontext = 7\n\tinterHunkContext = 9\n\talgorithm = patience\n\
                    \tsubmodule = log\n\tsuppressBlankEmpty = true\n\twordRegex = .\n";
    fs::write(&config, settings).expect("writable");
    same(
        checkout
            .report(&["--patch"])
            .env("GIT_CONFIG_GLOBAL", &config)
            .env("GIT_DIR", "/no/such/directory")
            .env("GIT_WORK_TREE", "/")
            .env("GIT_INDEX_FILE", "/no/such/file")
            .env("GIT_EXTERNAL_DIFF", "/no/such/program")
            .env("GIT_DIFF_OPTS", "-u9")
            .env("GIT_PAGER", "/no/such/program"),
    );
    // A file without any change but its mode and name, one that git ignores, one that is gone.
    checkout.workspace.write("src/ignored.rs", "fn f() {}\n");
    fs::remove_file(checkout.top().join("outside.txt")).expect("it was there");
    same(checkout.report(&["--patch"]));

    // Where standard output is a report's, it stays one.
    let json = checkout.report(&["--patch", "--json"]).run().expect_success();
    assert!(json.stdout.starts_with("{\"data\":") && !json.stdout.contains("Patch"), "{json}");
    assert_eq!(patch_part(&json.stderr), OF_FEATURE);

    #[cfg(unix)]
    {
        let link = checkout.workspace.beside("link").join("link");
        std::os::unix::fs::symlink(checkout.workspace.root(), &link).expect("a link");
        let manifest = link.join("Cargo.toml");
        same(checkout.xtask().args(["coverage", "--patch", "--manifest-path"]).arg(manifest));
    }
}

#[test]
fn thresholds_of_patches() {
    let checkout = Checkout::new();
    let run = checkout.xtask().args(["coverage", "--fail-under-patch", "57.14"]).run().expect_success();
    assert_eq!(patch_part(&run.stdout), OF_FEATURE);
    let errors = |finished: &Finished| -> Vec<String> {
        finished.stderr.lines().filter(|line| line.starts_with("error: ")).map(str::to_owned).collect()
    };
    let patch = "error: patch coverage 57.14% (4 of 7 changed lines) is below the threshold 57.15%: 1 more line is needed";
    let below = checkout.report(&["--fail-under-patch", "57.15"]).run().expect_code(3);
    assert_eq!(errors(&below), [patch]);
    // The total counts for more; all is said.
    let both =
        checkout.report(&["--fail-under-patch", "57.15", "--fail-under-lines", "100"]).run().expect_code(2);
    assert_eq!(errors(&both).len(), 2, "{both}");
    assert!(errors(&both).contains(&patch.to_owned()), "{both}");

    checkout.git(&["stash", "-q", "--include-untracked"]);
    checkout.git(&["checkout", "-q", "--detach", "main"]);
    let none = checkout.report(&["--fail-under-patch", "100"]).run().expect_success();
    assert_eq!(patch_part(&none.stdout), "Patch coverage: no changed line has code\n");
}

#[test]
fn a_merge_that_a_service_has_checked_out() {
    let checkout = Checkout::new();
    checkout.git(&["add", "."]);
    checkout.git(&["commit", "-q", "-m", "third"]);
    checkout.git(&["checkout", "-q", "main"]);
    checkout.workspace.write("../outside.txt", "2\n");
    checkout.git(&["commit", "-q", "-a", "-m", "others"]);
    checkout.git(&["checkout", "-q", "--detach"]);
    checkout.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    checkout.xtask().args(["coverage", "--no-report"]).run().expect_success();
    let check = |program: Program, base: &str| {
        let finished = program.run().expect_success().expect_stderr(&format!("    Compared with {base}, "));
        assert_eq!(patch_part(&finished.stdout), OF_FEATURE);
    };
    check(checkout.report(&["--patch"]), "first parent of the merge");
    check(checkout.report(&["--patch-base", "main"]), "main");

    // A merge the other way round: the branch has taken over what is new in main.
    checkout.git(&["checkout", "-q", "--detach", "feature"]);
    checkout.git(&["merge", "-q", "--no-ff", "-m", "update", "main"]);
    check(checkout.report(&["--patch"]), "merge base with main");
    // On a branch, a merge says nothing.
    checkout.git(&["checkout", "-q", "-B", "feature"]);
    check(checkout.report(&["--patch"]), "merge base with main");

    // Shallow clones, as services make them: with the merge alone, and with its parents.
    checkout.git(&["checkout", "-q", "-B", "merged", "main"]);
    checkout.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    let merge = checkout.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let url = format!("file://{}", checkout.top().display().to_string().replace(' ', "%20"));
    for depth in ["1", "2"] {
        let clones = checkout.workspace.beside("clones");
        let clone = git(&clones).args(["clone", "-q", "--branch", "merged", "--depth", depth, &url, depth]);
        clone.run().expect_success();
        git(&clones.join(depth)).args(["checkout", "-q", "--detach"]).run().expect_success();
        let measure = |arguments: &[&str]| {
            let program = checkout.xtask().current_dir(clones.join(depth).join("work space"));
            program.arg("coverage").args(arguments)
        };
        if depth == "1" {
            let error = measure(&["--patch"]).run().expect_code(1);
            error
                .expect_stderr("the clone is too shallow: it has the merge ")
                .expect_stderr("`fetch-depth: 2`");
            let unknown = measure(&["--patch-base", "no/such"]).run().expect_code(1);
            unknown.expect_stderr("git knows no commit `no/such`").expect_stderr("`fetch-depth: 0`");
            for arguments in [
                &["checkout", "-q", "merged"][..],
                &["fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main"],
                &["remote", "set-head", "origin", "--delete"],
            ] {
                git(&clones.join(depth)).args(arguments).run().expect_success();
            }
            let error = measure(&["--patch"]).run().expect_code(1);
            error.expect_stderr("error: failed to find out what changed: ").expect_stderr("`fetch-depth: 0`");
        } else {
            check(measure(&["--patch"]), "first parent of the merge");
            // Exactly so on GitHub, without being asked.
            let github = measure(&["--ci", "github"])
                .env("GITHUB_REF", "refs/pull/7/merge")
                .env("GITHUB_BASE_REF", "main")
                .env("GITHUB_SHA", &merge)
                .run()
                .expect_success();
            assert!(
                patch_part(&github.stdout).starts_with(OF_FEATURE.lines().next().expect("a line")),
                "{github}"
            );
        }
    }
}

#[test]
fn nothing_to_compare_with() {
    let workspace = Workspace::copy("only-bin");
    let measure = |arguments: &[&str]| quiet(xtask(&workspace)).arg("coverage").args(arguments).run();
    let check = |finished: Finished, what: &str, cure: &str| {
        let finished = finished.expect_code(1);
        assert!(!finished.stderr.contains("Building"), "known before anything is built\n{finished}");
        finished
            .expect_stderr("error: failed to find out what changed: ")
            .expect_stderr(what)
            .expect_stderr(&format!("help: {cure}"));
    };
    check(
        measure(&["--patch"]),
        "is in no checkout of a git repository",
        "patch coverage is about what changed",
    );
    let git = |arguments: &[&str]| git(workspace.root()).args(arguments).run().expect_success();
    git(&["init", "-q", "-b", "trunk"]);
    check(measure(&["--patch"]), "the repository has no commit yet", "");
    git(&["add", "Cargo.toml"]);
    git(&["commit", "-q", "-m", "first"]);
    check(measure(&["--patch"]), "none of the usual main branches", "name a commit or branch");
    check(measure(&["--patch-base", "no/such"]), "git knows no commit `no/such`", "name a commit, branch or");
    check(measure(&["--patch-base=--help"]), "git knows no commit `--help`", "");

    // Every line of a file that git does not know is new.
    let measured = measure(&["--patch-base", "HEAD"]).expect_success();
    let total = patch_part(&measured.stdout).lines().next().expect("a line");
    assert!(total.ends_with(" changed lines 100.00%"), "{measured}");
    // The configured name of the first branch is one of the main ones.
    let report = || quiet(xtask(&workspace)).args(["coverage", "report", "--patch"]);
    let config = workspace.beside("git").join("config");
    fs::write(&config, "[init]\n\tdefaultBranch = trunk\n").expect("writable");
    report()
        .env("GIT_CONFIG_GLOBAL", &config)
        .run()
        .expect_success()
        .expect_stderr("with merge base with trunk, ");
    // No history in common: what was asked for is taken as it is.
    git(&["checkout", "-q", "--orphan", "other"]);
    git(&["commit", "-q", "-m", "other"]);
    let unrelated =
        quiet(xtask(&workspace)).args(["coverage", "report", "--patch-base", "trunk"]).run().expect_success();
    unrelated.expect_stderr("note: compared with `trunk` itself").expect_stderr("no history in common");
    let empty = workspace.beside("empty");
    let without_git = report().env("PATH", &empty).run().expect_code(1);
    without_git.expect_stderr("there is no `git` to ask what changed").expect_stderr("help: install git");
    let no_report = measure(&["--patch", "--no-report"]).expect_code(1);
    no_report.expect_stderr("cannot be combined");
    // What git gives up for, not what it warns of before that.
    let manifest = workspace.read("Cargo.toml");
    workspace.write("Cargo.toml", &format!("{manifest}\n# changed\n"));
    fs::write(&config, "[core]\n\tautocrlf = true\n[diff]\n\torderFile = no/such\n").expect("writable");
    let broken = quiet(xtask(&workspace)).args(["coverage", "report", "--patch-base", "HEAD"]);
    let broken = broken.env("GIT_CONFIG_GLOBAL", &config).run().expect_code(1);
    broken.expect_stderr("`: fatal: ");
}

#[test]
fn baselines_and_the_ratchet() {
    let workspace = Workspace::copy("single-crate");
    // Test code beside the product is not the business of this test.
    let library = workspace.read("src/lib.rs");
    workspace.write("src/lib.rs", &library[..library.find("\n#[cfg(test)]").expect("a test")]);
    let test = "#[test]\nfn below() {\n    assert_eq!(single_crate::clamp(-1, 0, 9), 0);\n}\n";
    workspace.write("tests/below.rs", test);
    let report = |arguments: &[&str]| xtask(&workspace).args(["coverage", "report"]).args(arguments).run();
    let file = workspace.root().join("coverage-baseline.json");
    let first = ["coverage", "--no-doctests", "--baseline", "coverage-baseline.json"];
    let missing = xtask(&workspace).args(first).run().expect_code(1);
    assert!(!missing.stderr.contains("Building"), "{missing}");
    missing
        .expect_stderr("failed to read the baseline `coverage-baseline.json`")
        .expect_stderr("help: a run with");
    let first = xtask(&workspace)
        .args(first)
        .args(["--save-baseline", "./coverage-baseline.json"])
        .run()
        .expect_success();
    first.expect_stderr("note: there is no baseline `coverage-baseline.json` yet to compare with");
    let saved = workspace.read("coverage-baseline.json");
    let lines: Vec<&str> = saved.lines().collect();
    assert_eq!(lines[0], "{\"format\": \"xtask-coverage baseline\", \"version\": 1, \"model\": \"union\",");
    assert!(lines[4].starts_with("\"src/lib.rs\": {\"lines\": [7, 12],"), "{saved}");
    assert!(lines[4].contains("\"missing\": \"12-13,17-19\""), "{saved}");

    // The same run again is the same file, and no fall.
    let options = ["--baseline", "coverage-baseline.json", "--ratchet", "0"];
    let same = report(&[&options[..], &["--save-baseline", "coverage-baseline.json"]].concat());
    same.expect_success().expect_stdout("  lines      ").expect_stdout(", as before\n");
    assert_eq!(workspace.read("coverage-baseline.json"), saved);

    // Without a test, lines no longer run in a file that nobody has touched.
    let run = |arguments: &[&str]| {
        xtask(&workspace).args(["coverage", "--test", "above"]).args(options).args(arguments).run()
    };
    let fallen = run(&["--save-baseline", "coverage-baseline.json"]).expect_code(2);
    assert_eq!(workspace.read("coverage-baseline.json"), saved, "a fall is not kept");
    fallen
        .expect_stdout("Files that have fallen:\n  src/lib.rs  58.33% (7 of 12) -> 50.00% (6 of 12), 1 more missed, though nobody touched it\n")
        .expect_stdout("Missed now and not then, in files that nobody touched:\nsrc/lib.rs:8\n")
        .expect_stderr("error: line coverage fell from ")
        .expect_stderr("by more than the 0 points that `--ratchet` allows: 1 more line is needed")
        .expect_stderr("note: `coverage-baseline.json` stays as it is");
    // What is tolerated, or not asked about, is said all the same.
    report(&["--baseline", "coverage-baseline.json", "--ratchet", "20"])
        .expect_success()
        .expect_stdout("have fallen");
    report(&["--baseline", "coverage-baseline.json"]).expect_success().expect_stdout("have fallen");
    let lower = report(&["--baseline", "coverage-baseline.json", "--save-baseline", "lower.json"]);
    lower.expect_success().expect_stderr("       Saved lower.json");
    assert!(workspace.read("lower.json").contains("\"missing\": \"8,12-13,17-19\""));

    report(&["--ratchet", "0"]).expect_code(1).expect_stderr("`--ratchet` needs `--baseline`");
    report(&["--baseline", "coverage-baseline.json", "--model", "llvm"])
        .expect_code(1)
        .expect_stderr("a baseline of `--model union`");
    for (content, error) in [
        ("{\"version\": 2}", "`coverage-baseline.json`: not a baseline of xtask-coverage"),
        ("<<<<<<<", "not JSON: "),
        (&saved.replace("[7, 12]", "[8, 12]"), "a broken baseline: `missing` of `src/lib.rs` has 5 lines"),
        (&saved.replace("\"version\": 1", "\"version\": 3"), "a baseline in version 3 of the format"),
    ] {
        fs::write(&file, content).expect("writable");
        let finished = report(&["--baseline", "coverage-baseline.json"]).expect_code(1);
        finished.expect_stderr(error).expect_stderr("help: save it again");
    }
}

#[test]
fn numbers_of_failing_tests_are_no_baseline() {
    let workspace = Workspace::copy("failing");
    let arguments = ["coverage", "--no-fail-fast", "--save-baseline", "baseline.json"];
    xtask(&workspace).args(arguments).run().expect_code(100).expect_stderr("[baseline-not-saved]");
    assert!(!workspace.root().join("baseline.json").exists());
    xtask(&workspace).args(arguments).arg("--ignore-run-fail").run().expect_success();
    assert!(workspace.root().join("baseline.json").exists());

    // Nor are those of tests that somebody has interrupted.
    workspace.write(
        "target/coverage/run.json",
        &workspace.read("target/coverage/run.json").replace("\"failed\"", "\"interrupted\""),
    );
    let report = xtask(&workspace).args(["coverage", "report", "--save-baseline", "other.json"]).run();
    report
        .expect_success()
        .expect_stderr("not all tests passed, so `other.json` stays as it is [baseline-not-saved]");
    assert!(!workspace.root().join("other.json").exists());
}

#[test]
fn what_ci_services_read() {
    let checkout = Checkout::new();
    checkout.xtask().args(["coverage", "--no-report"]).run().expect_success();
    let without_status = |finished: &Finished| {
        let is_status = |line: &&str| !line.starts_with("    ");
        let stderr: Vec<&str> = finished.stderr.lines().filter(is_status).collect();
        format!("--- stdout\n{}--- stderr\n{}\n", finished.stdout, stderr.join("\n"))
    };
    let summary = checkout.workspace.beside("summary").join("summary.md");
    let thresholds = ["--fail-under-lines", "99", "--fail-under-patch", "60"];
    let github = |arguments: &[&str]| {
        checkout.report(arguments).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary)
    };
    fs::write(&summary, "from before\n").expect("writable");
    let finished = github(&[&["--patch"], &thresholds[..]].concat()).run().expect_code(2);
    golden::check("ci/github-patch.txt", &without_status(&finished));
    let written = fs::read_to_string(&summary).expect("a summary");
    assert!(written.starts_with("from before\n") && written.contains("57.14%"), "{written}");
    // Without a patch, all missing lines.
    golden::check("ci/github-all.txt", &without_status(&github(&[]).run().expect_success()));
    // A report on standard output stays one.
    let lcov = github(&["--lcov"]).run().expect_success();
    assert!(lcov.stdout.lines().all(|line| !line.starts_with("::") && !line.starts_with("TOTAL")), "{lcov}");
    assert!(lcov.stderr.contains("\n::warning file=") || lcov.stderr.starts_with("::warning"), "{lcov}");
    // So does one in a file.
    let table = checkout.workspace.beside("output").join("table.txt");
    let command = format!("\"$0\" coverage report > '{}'", table.display());
    if cfg!(unix) {
        let shell =
            quiet(Program::ours("sh")).current_dir(checkout.workspace.root()).env("GITHUB_ACTIONS", "true");
        let shell =
            shell.arg("-c").arg(command).arg(env!("CARGO_BIN_EXE_xtask-coverage")).run().expect_success();
        assert!(!fs::read_to_string(&table).expect("a table").contains("::group"));
        shell.expect_stderr("GITHUB_STEP_SUMMARY does not say where [job-summary]");
    }
    // A summary that cannot be written costs itself.
    let nowhere = github(&[]).env("GITHUB_STEP_SUMMARY", checkout.top()).run().expect_success();
    nowhere.expect_stderr("warning: failed to write the job summary: ");
    // A pull request whose base is not there.
    let pull = github(&[])
        .env("GITHUB_REF", "refs/pull/7/merge")
        .env("GITHUB_BASE_REF", "release")
        .env("GITHUB_SHA", "0".repeat(40));
    pull.run().expect_success().expect_stderr(
        "note: no patch coverage: the clone does not have the branch `release`, which to compare with; name a commit",
    );
    // Nobody but who is asked for.
    let none = github(&["--ci", "none"]).run().expect_success();
    assert!(!none.stdout.contains("::") && !none.stderr.contains("::"), "{none}");

    let gitlab = |arguments: &[&str]| checkout.report(arguments).env("GITLAB_CI", "true");
    let colored = gitlab(&["--patch"]).env("CARGO_TERM_COLOR", "always").run().expect_success();
    let last = colored.stdout.lines().last().expect("a total");
    // As GitLab's documentation has it for pytest-cov.
    let pattern =
        regex_lite::Regex::new(r"TOTAL.*? (100(?:\.0+)?\%|[1-9]?\d(?:\.\d+)?\%)$").expect("a pattern");
    assert_eq!(pattern.captures(last).and_then(|found| found.get(1)).map(|it| it.as_str()), Some("78.94%"));
    let finished = gitlab(&[&["--patch"], &thresholds[..]].concat()).run().expect_code(2);
    let time = regex_lite::Regex::new(r"(section_(?:start|end)):\d+:").expect("a pattern");
    let text = time.replace_all(&without_status(&finished), "$1:[TIME]:").replace('\x1b', "[ESC]");
    golden::check("ci/gitlab-patch.txt", &text.replace('\r', "[CR]"));
    let base = checkout.git(&["rev-parse", "main"]).stdout.trim().to_owned();
    let exact = gitlab(&["--patch"]).env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base).run().expect_success();
    exact.expect_stderr(&format!("    Compared with {base}, "));
}
