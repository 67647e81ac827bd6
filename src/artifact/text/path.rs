//! Paths as Handlebars writes them: `a.b`, `../a`, `this.x`, `@root.a`, `@index`, `a.[odd name]`.

/// A path in its parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) up: usize,
    pub(super) root: bool,
    pub(super) this: bool,
    /// The name behind the `@`.
    pub(super) local: Option<String>,
    pub(super) steps: Vec<String>,
}

/// Takes `raw` apart.
pub(super) fn parse(raw: &str) -> Written {
    let mut written = Written::default();
    let mut steps = segments(raw);
    let ups = steps.iter().take_while(|it| *it == "..").count();
    written.up = ups;
    steps.drain(..ups);
    if steps.first().is_some_and(|it| it == "this" || it == ".") {
        written.this = steps.remove(0) == "this" || steps.is_empty();
    }
    if let Some(name) = steps.first().and_then(|it| it.strip_prefix('@')).map(str::to_owned) {
        steps.remove(0);
        if name == "root" {
            written.root = true;
        } else {
            written.local = Some(name);
        }
    }
    written.steps = steps;
    written
}

fn segments(raw: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("..") {
            steps.push("..".to_owned());
            rest = inner;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').unwrap_or(inner.len());
            steps.push(inner[..end].to_owned());
            rest = inner.get(end + 1..).unwrap_or("");
        } else if let Some(inner) = rest.strip_prefix("./").filter(|_| steps.iter().all(|it| it == "..")) {
            steps.push(".".to_owned());
            rest = inner;
            continue;
        } else {
            let end = rest.find(['.', '/']).unwrap_or(rest.len());
            if end > 0 {
                steps.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
        rest = rest.strip_prefix(['.', '/']).unwrap_or(rest);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        let steps = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>();
        assert_eq!(parse("a.b/c").steps, steps(&["a", "b", "c"]));
        assert_eq!(parse("a.[pack/name].x").steps, steps(&["a", "pack/name", "x"]));
        let up = parse("../../s.name");
        assert_eq!((up.up, up.steps), (2, steps(&["s", "name"])));
        assert!(parse("this").this);
        let this = parse("this.name");
        assert_eq!((this.this, this.steps), (true, steps(&["name"])));
        assert_eq!(parse("@index").local.as_deref(), Some("index"));
        let root = parse("@root.a");
        assert_eq!((root.root, root.steps), (true, steps(&["a"])));
        assert_eq!(parse("./name").steps, steps(&["name"]));
    }
}
