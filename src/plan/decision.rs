//! What a user has decided about files that are not only gen's: whose content wins.
//!
//! Nothing here looks at a disk; a decision is a set of paths.

use std::collections::BTreeSet;

use super::path::ArtifactPath;

/// The paths that a flag names: none, those under some paths, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Chosen {
    /// The flag was not given.
    #[default]
    None,
    /// These files, and what lies under these folders.
    Under(BTreeSet<String>),
    /// The flag was given without a path.
    All,
}

/// How exactly a path was chosen; a name beats a flag for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Not,
    WithAll,
    /// Under a named path of this length.
    Named(usize),
}

impl Chosen {
    fn fit(&self, path: &ArtifactPath) -> Fit {
        match self {
            Self::None => Fit::Not,
            Self::All => Fit::WithAll,
            Self::Under(folders) => folders
                .iter()
                .filter(|it| path.is_under(it))
                .map(|it| Fit::Named(it.len()))
                .max()
                .unwrap_or(Fit::Not),
        }
    }

    /// Returns the paths that were named.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Under(folders) => Some(folders.iter().map(String::as_str)),
            _ => None,
        }
        .into_iter()
        .flatten()
    }
}

/// Whose content wins where a file was edited by hand, or stood there before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Where the generated content replaces what stands there.
    pub overwrite: Chosen,
    /// Where what stands there stays, and is on record as such.
    pub adopt: Chosen,
    /// Where both are merged.
    pub merge: Chosen,
}

/// What is done with a file that is not only gen's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Nobody decided: it stays as it is, and the apply is refused.
    Open,
    /// The generated content replaces it (or it is deleted, where nothing is generated any more).
    Overwrite,
    /// It stays, on record; where nothing is generated any more it is gen's no longer.
    Adopt,
    /// What was changed by hand is joined with what is generated now.
    Merge,
}

impl Decisions {
    /// Returns what is decided for `path`. The nearest name wins; of two equal ones the one that keeps the file.
    #[must_use]
    pub fn for_path(&self, path: &ArtifactPath) -> Resolution {
        let (overwrite, adopt, merge) = (self.overwrite.fit(path), self.adopt.fit(path), self.merge.fit(path));
        if overwrite.max(adopt).max(merge) == Fit::Not {
            Resolution::Open
        } else if adopt >= overwrite.max(merge) {
            Resolution::Adopt
        } else if merge >= overwrite {
            Resolution::Merge
        } else {
            Resolution::Overwrite
        }
    }
}

impl Decisions {
    /// Tells whether the generated content is to win at `path` by its name or that of a folder, not by a flag for all:
    /// so a decision to keep the file is taken back.
    #[must_use]
    pub fn names_to_overwrite(&self, path: &ArtifactPath) -> bool {
        matches!(self.overwrite.fit(path), Fit::Named(_)) && self.for_path(path) == Resolution::Overwrite
    }
}

/// The artifacts that a command covers: those of the environments and paths that were asked for.
///
/// What lies outside is neither changed nor taken for gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The folder of each environment, and whether it was asked for. A path belongs to the longest that holds it.
    pub environments: Vec<(String, Coverage)>,
    /// What holds for a path that is in the folder of no environment.
    pub elsewhere: Coverage,
    /// The paths that were asked for; all, if empty.
    pub paths: Vec<String>,
}

/// Whether a command covers a part of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// It does.
    Covered,
    /// It was not asked for.
    LeftOut,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            environments: Vec::new(),
            elsewhere: Coverage::Covered,
            paths: Vec::new(),
        }
    }
}

impl Scope {
    /// Tells whether the command covers `path`.
    #[must_use]
    pub fn covers(&self, path: &ArtifactPath) -> bool {
        let environment = self.environments.iter().filter(|(folder, _)| path.is_under(folder));
        let coverage = environment
            .max_by_key(|(folder, _)| folder.len())
            .map_or(self.elsewhere, |it| it.1);
        coverage == Coverage::Covered && (self.paths.is_empty() || self.paths.iter().any(|it| path.is_under(it)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::parse(text).expect("a plain path")
    }

    #[test]
    fn the_nearest_name_wins() {
        let decisions = Decisions {
            overwrite: Chosen::Under(["a/b".to_owned()].into()),
            adopt: Chosen::Under(["a".to_owned()].into()),
            merge: Chosen::None,
        };
        assert_eq!(decisions.for_path(&path("a/b/c")), Resolution::Overwrite);
        assert_eq!(decisions.for_path(&path("a/x")), Resolution::Adopt);
        assert_eq!(decisions.for_path(&path("x")), Resolution::Open);
        let all = Decisions {
            overwrite: Chosen::All,
            adopt: Chosen::Under(["a".to_owned()].into()),
            merge: Chosen::Under(["m".to_owned()].into()),
        };
        assert_eq!(all.for_path(&path("m/x")), Resolution::Merge);
        assert_eq!(all.for_path(&path("a/x")), Resolution::Adopt);
        assert_eq!(all.for_path(&path("x")), Resolution::Overwrite);
    }

    #[test]
    fn an_environment_at_the_root_does_not_hold_the_folder_of_another() {
        let scope = Scope {
            environments: vec![(String::new(), Coverage::Covered), ("prod".into(), Coverage::LeftOut)],
            elsewhere: Coverage::LeftOut,
            paths: Vec::new(),
        };
        assert!(scope.covers(&path("tubes/a.conf")));
        assert!(!scope.covers(&path("prod/tubes/a.conf")));
    }
}
