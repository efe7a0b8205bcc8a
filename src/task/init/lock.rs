//! What a lock file says of versions. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Versions by the names of packages.
pub(super) type Locked = BTreeMap<String, BTreeSet<String>>;

/// The packages in the text of a `Cargo.lock`, as cargo writes it.
pub(super) fn locked(text: &str) -> Locked {
    let mut found = Locked::new();
    let mut name = None;
    for line in text.lines().map(str::trim_end) {
        let value =
            |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned);
        if let Some(value) = value("name") {
            name = Some(value);
        } else if let Some(version) = value("version")
            && let Some(name) = name.take()
        {
            found.entry(name).or_default().insert(version);
        }
    }
    found
}

/// What was locked and is no longer, by name, each as in `glob 0.3.1 (then 0.3.4)`.
pub(super) fn changed(before: &Locked, after: &Locked) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    for (name, versions) in before {
        let now = after.get(name).cloned().unwrap_or_default();
        for gone in versions.difference(&now) {
            let new: Vec<&str> = now.difference(versions).map(String::as_str).collect();
            let then = if new.is_empty() { "gone".to_owned() } else { new.join(", ") };
            changed.push((name.clone(), format!("{name} {gone} (then {then})")));
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::{changed, locked};

    #[test]
    fn versions_that_change_are_named() {
        let before = "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n\n\
                      [[package]]\nname = \"b\"\nversion = \"0.1.0\"\ndependencies = [\n \"a 1.0.0\",\n]\n";
        let check = |after: &str, expected: &[&str]| {
            let changed = changed(&locked(before), &locked(after));
            assert_eq!(changed.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), expected);
        };
        check(before, &[]);
        check(&format!("{before}\n[[package]]\nname = \"c\"\nversion = \"1.0.0\"\n"), &[]);
        check(&before.replace("1.0.0\"\n", "1.0.1\"\r\n"), &["a 1.0.0 (then 1.0.1)"]);
        check("", &["a 1.0.0 (then gone)", "a 2.0.0 (then gone)", "b 0.1.0 (then gone)"]);
    }
}
