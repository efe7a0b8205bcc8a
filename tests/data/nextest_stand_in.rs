//! Stands for cargo-nextest where that is not installed: calls programs as it does, and reads no more of its input than it needs
//! for that. A test compiles this file under the name `cargo-nextest`.
//!
//! It takes the arguments that `cargo xtask coverage --nextest` gives, asks every test binary for its tests through the target
//! runner, starts a process for each test, all at once, and writes a JUnit report. What it was called with goes to stderr.

use std::collections::BTreeMap;
use std::process::{exit, Command, Output};
use std::{env, fs, thread};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    assert_eq!(arguments[..2], ["nextest", "run"], "cargo calls its subcommands by their name");
    let mut given = BTreeMap::new();
    let mut rest = Vec::new();
    let mut words = arguments.into_iter().skip(2);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--cargo-metadata" | "--binaries-metadata" | "--tool-config-file" | "--config" => {
                given.insert(word, words.next().expect("a value"));
            }
            _ => rest.push(word),
        }
    }
    eprintln!("stand-in: {}", rest.join(" "));
    let is_value = |at: usize| at > 0 && ["--test-threads", "--partition"].contains(&rest[at - 1].as_str());
    let filter = (0..).zip(&rest).find(|(at, word)| !word.starts_with('-') && !is_value(*at));
    let filter = filter.map(|(_, word)| word);
    let part = rest.iter().position(|word| word == "--partition").map(|at| Part::parse(&rest[at + 1]));
    let binaries = Json::read(&given["--binaries-metadata"]);
    let packages = Json::read(&given["--cargo-metadata"]);
    let packages = packages.get("packages").items();
    // target."<triple>".runner=["<path>"]
    let runner = given["--config"].split_once("runner=").expect("a runner").1;
    let runner = Json::parse(runner).items()[0].text().to_owned();

    let mut suites = String::new();
    let mut ran = 0;
    let mut failed = false;
    for binary in binaries.get("rust-binaries").values() {
        let package = packages.iter().find(|it| it.get("id").text() == binary.get("package-id").text());
        let call = Call {
            runner: &runner,
            binary,
            meta: binaries.get("rust-build-meta"),
            package: package.expect("a package"),
        };
        let all = call.tests(&["--list", "--format", "terse"]);
        let ignored = call.tests(&["--list", "--format", "terse", "--ignored"]);
        let is_chosen =
            |test: &&String| !ignored.contains(test) && filter.map_or(true, |filter| test.contains(filter));
        let mut chosen: Vec<&String> = all.iter().filter(is_chosen).collect();
        if let Some(part) = &part {
            chosen = part.of(&chosen);
        }
        let outcomes: Vec<bool> = thread::scope(|scope| {
            let started: Vec<_> = chosen
                .iter()
                .map(|test| {
                    scope.spawn(|| call.run(&["--exact", test.as_str(), "--nocapture"]).status.success())
                })
                .collect();
            started.into_iter().map(|thread| thread.join().expect("it ran")).collect()
        });
        ran += outcomes.len();
        failed |= outcomes.contains(&false);
        let cases = chosen.iter().zip(outcomes).map(|(test, passed)| {
            let failure = if passed { "" } else { "<failure type=\"test failure\"/>" };
            format!("<testcase name=\"{test}\" time=\"0.001\">{failure}</testcase>\n")
        });
        let cases: String = cases.collect();
        if !cases.is_empty() {
            suites +=
                &format!("<testsuite name=\"{}\">\n{cases}</testsuite>\n", binary.get("binary-id").text());
        }
    }
    // xtask-coverage:<path>, a file that ends with `path = "<path>"`
    let settings = given["--tool-config-file"].split_once(':').expect("a tool's name").1;
    let settings = fs::read_to_string(settings).expect("settings");
    let report = Json::parse(settings.split_once("path = ").expect("a path").1);
    fs::write(report.text(), format!("<testsuites>\n{suites}</testsuites>\n")).expect("a report");
    let is_fine_without = rest.iter().any(|word| word == "--no-tests=pass");
    exit(match (ran, failed) {
        (0, _) if !is_fine_without => 4,
        (_, true) => 100,
        (_, false) => 0,
    })
}

/// The tests of a binary that belong to one of several parts.
struct Part {
    is_by_name: bool,
    index: usize,
    count: usize,
}

impl Part {
    /// `hash:1/2` or `count:1/2`.
    fn parse(text: &str) -> Part {
        let (kind, part) = text.split_once(':').expect("a kind");
        let (index, count) = part.split_once('/').expect("a part");
        let number = |text: &str| text.parse().expect("a number");
        Part { is_by_name: kind == "hash", index: number(index), count: number(count) }
    }

    fn of<'a>(&self, tests: &[&'a String]) -> Vec<&'a String> {
        let key = |at: usize, test: &String| match self.is_by_name {
            true => test.bytes().map(usize::from).sum(),
            false => at,
        };
        let is_in = |at: usize, test: &String| key(at, test) % self.count == self.index - 1;
        (0..).zip(tests).filter(|(at, test)| is_in(*at, test)).map(|(_, test)| *test).collect()
    }
}

/// How a test binary is started.
struct Call<'a> {
    runner: &'a str,
    binary: &'a Json,
    meta: &'a Json,
    package: &'a Json,
}

impl Call<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        let id = self.package.get("id").text();
        let manifest = self.package.get("manifest_path").text();
        let directory = std::path::Path::new(manifest).parent().expect("a directory");
        let mut command = Command::new(self.runner);
        command.arg(self.binary.get("binary-path").text()).args(arguments).current_dir(directory);
        command.env("NEXTEST", "1").env("CARGO_MANIFEST_DIR", directory);
        if let Some(out_dir) = self.meta.get("build-script-out-dirs").find(id) {
            command.env("OUT_DIR", out_dir.text());
        }
        if ["test", "bench"].contains(&self.binary.get("kind").text()) {
            for program in self.meta.get("non-test-binaries").find(id).map_or(&[][..], Json::items) {
                command.env(
                    format!("NEXTEST_BIN_EXE_{}", program.get("name").text()),
                    program.get("path").text(),
                );
            }
        }
        let paths = self.meta.get("linked-paths").items().iter().map(|path| path.text().to_owned());
        let libdir = self.meta.get("platforms").get("host").get("libdir").get("path").text().to_owned();
        let paths = env::join_paths(paths.chain([libdir])).expect("a path");
        command.env(
            if cfg!(target_os = "macos") { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" },
            paths,
        );
        command.output().expect("the runner starts")
    }

    /// The tests that the binary lists. It has to be clean: nothing else on stdout, and success.
    fn tests(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        if !output.status.success() {
            eprintln!("stand-in: listing failed: {}", String::from_utf8_lossy(&output.stderr));
            exit(104);
        }
        text.lines()
            .map(|line| line.strip_suffix(": test").unwrap_or_else(|| panic!("no test: {line}")).to_owned())
            .collect()
    }
}

/// JSON, as far as it is needed here.
enum Json {
    Object(BTreeMap<String, Json>),
    Array(Vec<Json>),
    Text(String),
    Other,
}

impl Json {
    fn read(path: &str) -> Json {
        Json::parse(&fs::read_to_string(path).expect("a file"))
    }

    fn parse(text: &str) -> Json {
        Json::value(&mut text.chars().peekable())
    }

    fn value(text: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Json {
        let mut next = || text.find(|c| !c.is_whitespace() && *c != ':' && *c != ',').expect("a value");
        match next() {
            '{' => {
                let mut object = BTreeMap::new();
                while let Json::Text(name) = Json::value(text) {
                    object.insert(name, Json::value(text));
                }
                Json::Object(object)
            }
            '[' => {
                let mut array = Vec::new();
                loop {
                    while text.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
                    if text.next_if_eq(&']').is_some() {
                        break Json::Array(array);
                    }
                    array.push(Json::value(text));
                }
            }
            '"' => {
                let mut content = String::new();
                loop {
                    match text.next().expect("the end of a text") {
                        '"' => break Json::Text(content),
                        '\\' => match text.next().expect("a character") {
                            'u' => {
                                let digits: String = text.take(4).collect();
                                let code = u32::from_str_radix(&digits, 16).expect("a number");
                                content.push(char::from_u32(code).unwrap_or('?'));
                            }
                            'n' => content.push('\n'),
                            other => content.push(other),
                        },
                        other => content.push(other),
                    }
                }
            }
            // The end of an object, or a word or number.
            _ => {
                while text.next_if(|c| c.is_alphanumeric() || "+-.".contains(*c)).is_some() {}
                Json::Other
            }
        }
    }

    fn find(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(object) => object.get(name),
            _ => None,
        }
    }

    fn get(&self, name: &str) -> &Json {
        self.find(name).unwrap_or_else(|| panic!("there is no `{name}`"))
    }

    fn values(&self) -> Vec<&Json> {
        match self {
            Json::Object(object) => object.values().collect(),
            _ => panic!("not an object"),
        }
    }

    fn items(&self) -> &[Json] {
        match self {
            Json::Array(items) => items,
            _ => panic!("not an array"),
        }
    }

    fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            _ => panic!("not a text"),
        }
    }
}
