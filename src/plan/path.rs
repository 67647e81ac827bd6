//! The path of an artifact: relative to the project, the same on every machine, and never outside.
//!
//! Paths come from rules, from the manifest and from command lines; none is trusted. What a path
//! means on a disk (links, folders in the way) is for `shell` to look at.

use std::collections::BTreeMap;
use std::fmt;

use crate::problem::Problem;
use crate::value::Name;

/// The longest name that common file systems take.
const LONGEST_SEGMENT: usize = 255;
/// The longest path that is allowed: below the 4096 of Linux, with room for the project's own folder.
const LONGEST_PATH: usize = 1024;

/// A path within the project, with forward slashes, that can be written on every platform.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactPath(Name);

impl ArtifactPath {
    /// Returns the path that `text` writes, or what is wrong with it.
    ///
    /// # Errors
    /// A problem without a place: the caller knows where the path was written.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if is_plainly_safe(text) {
            return Ok(Self(text.into()));
        }
        match fault(text) {
            None => Ok(Self(text.into())),
            Some(fault) => Err(Problem::error(
                "plan::unsafe_path",
                format!("the path `{}` {fault}", text.escape_debug()),
            )
            .help("write a path relative to the project, with forward slashes, such as `deployments/orders.conf`")),
        }
    }

    /// Returns the path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the folder that holds the file, empty for the root.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.last_slash().map_or("", |at| &self.0[..at])
    }

    /// Returns the last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.last_slash().map_or(self.as_str(), |at| &self.0[at + 1..])
    }

    fn last_slash(&self) -> Option<usize> {
        // A file's name is short: looking byte by byte is soonest done.
        self.0.bytes().rposition(|it| it == b'/')
    }

    /// Returns the folders above, from the outermost to the one that holds the file.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// Tells whether this is `folder` or lies under it; everything lies under the empty one.
    #[must_use]
    pub fn is_under(&self, folder: &str) -> bool {
        let Some(rest) = self.0.strip_prefix(folder) else {
            return false;
        };
        folder.is_empty() || rest.is_empty() || rest.starts_with('/')
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Whether each byte may stand in a name, wherever and beside whatever.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        byte += 1;
    }
    plain
};

/// Tells whether nothing is wrong with `text` at a glance: so it is with nearly all paths, and there are many.
fn is_plainly_safe(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'/' {
            if !is_plain_segment(&bytes[start..at]) {
                return false;
            }
            start = at + 1;
        } else if !PLAIN[usize::from(*byte)] {
            return false;
        }
    }
    bytes.len() <= LONGEST_PATH && is_plain_segment(&bytes[start..])
}

/// Tells the same of a segment of plain bytes.
fn is_plain_segment(segment: &[u8]) -> bool {
    let [first, .., last] = segment else {
        return false;
    };
    if *first == b'.' || *last == b'.' || segment.len() > LONGEST_SEGMENT {
        return false;
    }
    // In lower case, as far as letters go.
    let (first, second, third) = (first | 32, segment[1] | 32, segment.get(2).map_or(0, |it| it | 32));
    !matches!(
        &[first, second, third],
        b"con" | b"prn" | b"aux" | b"nul" | b"com" | b"lpt"
    )
}

/// Says what is wrong with the path `text`, as the end of a sentence.
fn fault(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty".into());
    }
    if text.len() > LONGEST_PATH {
        return Some(format!("is longer than {LONGEST_PATH} bytes"));
    }
    if text.starts_with('/') {
        return Some("is absolute".into());
    }
    if let Some(wrong) = text.chars().find(|it| is_invisible(*it)) {
        return Some(format!("holds the invisible character `{}`", wrong.escape_unicode()));
    }
    if let Some(wrong) = text.chars().find(|it| r#"\<>:"|?*"#.contains(*it)) {
        return Some(format!("holds `{wrong}`, which not every platform can write"));
    }
    let mut segments = text.split('/').enumerate();
    segments.find_map(|(at, segment)| segment_fault(segment, at))
}

/// Says what is wrong with one segment, the one at `index` from the left.
fn segment_fault(segment: &str, index: usize) -> Option<String> {
    match segment {
        "" => return Some("has an empty segment".into()),
        "." => return Some("has the segment `.`".into()),
        ".." => return Some("has the segment `..`, which leaves its folder".into()),
        _ => {}
    }
    if segment.len() > LONGEST_SEGMENT {
        return Some(format!("has a segment longer than {LONGEST_SEGMENT} bytes"));
    }
    if segment.ends_with(['.', ' ']) {
        return Some(format!(
            "has the segment `{segment}`, and Windows drops a dot or a space at the end"
        ));
    }
    // `git~1` is the short name that Windows gives `.git`.
    if segment.eq_ignore_ascii_case(".git") || segment.eq_ignore_ascii_case("git~1") {
        return Some("leads into git's own folder".into());
    }
    if index == 0 && segment.eq_ignore_ascii_case(".gen") {
        return Some("leads into `.gen`, where this program keeps its records".into());
    }
    names_device(segment).then(|| format!("has the segment `{segment}`, which names a device on Windows"))
}

/// Tells whether Windows takes `segment` for a device, whatever its suffix.
fn names_device(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or("").trim_end();
    // A digit may be a raised one, of two bytes.
    if !(3..=7).contains(&stem.len()) {
        return false;
    }
    let is = |it: &str| stem.eq_ignore_ascii_case(it);
    if ["con", "prn", "aux", "nul", "conin$", "conout$"].into_iter().any(is) {
        return true;
    }
    let port = stem.split_at_checked(3);
    let port = port.filter(|it| it.0.eq_ignore_ascii_case("com") || it.0.eq_ignore_ascii_case("lpt"));
    let mut number = port.map_or("", |it| it.1).chars();
    matches!(
        (number.next(), number.next()),
        (Some('1'..='9' | '¹' | '²' | '³'), None)
    )
}

/// Tells whether `it` shows nothing, or changes how what stands around it is shown: control characters, direction
/// marks, and the joiners that macOS ignores in names (so that `.g\u{200c}it` would be `.git`).
fn is_invisible(it: char) -> bool {
    it.is_control()
        || matches!(it,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns what can't stand side by side: paths that are one path where case does not count, one path of two
/// artifacts, and a file where another path wants a folder. `files` are the artifacts with their rules, sorted by path.
#[must_use]
pub fn collisions(files: &[(&ArtifactPath, &Name)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for pair in files.windows(2) {
        if let [(path, rule), (next, next_rule)] = pair
            && path == next
        {
            problems.push(
                Problem::error(
                    "plan::one_path_twice",
                    format!("`{path}` is written by rule `{rule}` and again by rule `{next_rule}`"),
                )
                .help("give one of the two another `path`, or turn one rule off with `disable`"),
            );
        }
    }
    // Each folder once, with the first file in it: sorted paths share most of their folders with their neighbour.
    let mut folders: BTreeMap<&str, (&ArtifactPath, &Name)> = BTreeMap::new();
    let mut last = "";
    for (path, rule) in files {
        if path.folder() != last {
            last = path.folder();
            for folder in path.folders() {
                folders.entry(folder).or_insert((path, rule));
            }
        }
    }
    let file_at = |text: &str| {
        let at = files.binary_search_by(|it| it.0.as_str().cmp(text)).ok()?;
        Some((files[at].0.as_str(), files[at].1))
    };
    let folder_at = |text: &str| folders.get_key_value(text).map(|(folder, (_, rule))| (*folder, *rule));
    one_in_lower_case(files.iter().map(|it| (it.0.as_str(), it.1)), file_at, &mut problems);
    one_in_lower_case(
        folders.iter().map(|(it, (_, rule))| (*it, *rule)),
        folder_at,
        &mut problems,
    );
    for (folder, (inner, inner_rule)) in &folders {
        if let Some((path, rule)) = file_at(folder).or_else(|| file_at(&fold(folder)?)) {
            problems.push(
                Problem::error(
                    "plan::file_and_folder",
                    format!(
                        "rule `{rule}` writes the file `{path}`, and rule `{inner_rule}` writes `{inner}` into a folder of that name"
                    ),
                )
                .help("give one of the two another `path`"),
            );
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// Finds the paths that are one in lower case. Of two such at least one is not written in lower case throughout, and
/// there are few of these: only they are kept.
fn one_in_lower_case<'a>(
    paths: impl Iterator<Item = (&'a str, &'a Name)>,
    at: impl Fn(&str) -> Option<(&'a str, &'a Name)>,
    problems: &mut Vec<Problem>,
) {
    let mut folded: BTreeMap<String, (&str, &Name)> = BTreeMap::new();
    for (path, rule) in paths {
        let Some(lower) = fold(path) else { continue };
        match at(&lower).or_else(|| folded.get(&lower).copied()) {
            Some((other, other_rule)) if other != path => {
                problems.push(differs_in_case(other, other_rule, path, rule));
            }
            _ => _ = folded.insert(lower, (path, rule)),
        }
    }
}

fn differs_in_case(a: &str, a_rule: &Name, b: &str, b_rule: &Name) -> Problem {
    Problem::error(
        "plan::differs_in_case",
        format!("`{a}` (rule `{a_rule}`) and `{b}` (rule `{b_rule}`) are one path where case does not count"),
    )
    .help("write both the same way: macOS and Windows hold only one of them")
}

/// Returns `text` in lower case, if it is not so already.
fn fold(text: &str) -> Option<String> {
    let is_lower = text.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
    if is_lower {
        return None;
    }
    Some(text.to_lowercase()).filter(|it| it != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_project_or_can_not_be_written_is_refused() {
        let wrong = [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            "a/.",
            "a\\b",
            "C:/x",
            "a\nb",
            "a\u{7f}",
            "a\u{202e}b",
            "nul",
            "a/CON.txt",
            "com1",
            "LPT9.conf",
            "com¹",
            "a.",
            "a /b",
            ".git/config",
            "x/.GIT/hooks/pre-commit",
            "GIT~1/x",
            ".g\u{200c}it/x",
            ".gen/manifest/x",
            ".Gen/x",
            "a*",
            "a?b",
            "a|b",
            "aux .txt",
        ];
        for text in wrong {
            assert!(ArtifactPath::parse(text).is_err(), "{text:?} was taken");
        }
        assert!(ArtifactPath::parse(&"a".repeat(256)).is_err());
        assert!(ArtifactPath::parse(&"a/".repeat(600)).is_err());
    }

    #[test]
    fn plain_paths_are_taken() {
        for text in [
            "a",
            "a/b c/d.conf",
            ".tubes/ci.yml",
            "...",
            "com",
            "com10",
            "console.txt",
            "x/.gen/y",
            "é/ü.txt",
            ".gitignore",
        ] {
            if text == "..." {
                assert!(ArtifactPath::parse(text).is_err(), "a name of dots ends with one");
            } else {
                assert!(ArtifactPath::parse(text).is_ok(), "{text:?} was refused");
            }
        }
        let path = ArtifactPath::parse("a/b/c").expect("a plain path");
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!((path.folder(), path.file_name()), ("a/b", "c"));
        assert!(path.is_under("a") && path.is_under("a/b/c") && path.is_under("") && !path.is_under("a/bc"));
    }

    #[test]
    fn paths_that_can_not_stand_side_by_side_are_found() {
        let mut paths = ["A/x", "a/y", "b", "b/c", "d", "D", "e", "e", "É", "é", "F/g", "f"]
            .map(|it| ArtifactPath::parse(it).expect("a plain path"));
        paths.sort();
        let rule = Name::from("tubes/line");
        let files: Vec<(&ArtifactPath, &Name)> = paths.iter().map(|it| (it, &rule)).collect();
        let codes: Vec<String> = collisions(&files).iter().map(|it| it.code.to_string()).collect();
        assert_eq!(
            codes,
            [
                "plan::differs_in_case",
                "plan::differs_in_case",
                "plan::differs_in_case",
                "plan::file_and_folder",
                "plan::file_and_folder",
                "plan::one_path_twice"
            ]
        );
    }
}
