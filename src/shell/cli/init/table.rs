//! The table of what files tell, as data: `rules/init.tsv`.

/// The table, in which earlier lines win.
pub(super) const TABLE: &str = include_str!("../../../../rules/init.tsv");

/// One line of it.
pub(super) struct Line<'t> {
    pub(super) tells: &'t str,
    pub(super) file: &'t str,
    pub(super) word: Option<&'t str>,
    pub(super) name: Option<&'t str>,
}

/// Returns all lines.
pub(super) fn table() -> impl Iterator<Item = Line<'static>> {
    TABLE.lines().filter(|it| !it.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t').map(|it| Some(it).filter(|it| *it != "-"));
        Some(Line {
            tells: columns.next()??,
            file: columns.next()??,
            word: columns.next()?,
            name: columns.next()?,
        })
    })
}

/// Returns the lines that tell this.
pub(super) fn lines(what: &'static str) -> impl Iterator<Item = Line<'static>> {
    table().filter(move |it| it.tells == what)
}
