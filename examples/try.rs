//! scratch
#![allow(clippy::all, clippy::disallowed_methods, clippy::print_stdout)]
use groundplan::db::*;
use groundplan::problem::*;
use groundplan::value::Name;
use std::path::Path;
fn walk(dir: &Path, out: &mut Vec<std::path::PathBuf>) {
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        if p.is_dir() { walk(&p, out) } else { out.push(p) }
    }
}
fn load(db: &Database, top: &Path, subs: &[&str]) -> Vec<SourceFile> {
    let mut v = vec![];
    for s in subs {
        walk(&top.join(s), &mut v)
    }
    let mut v: Vec<_> = v
        .into_iter()
        .filter_map(|p| {
            let rel = p.strip_prefix(top).unwrap().to_string_lossy().to_string();
            Some((rel, std::fs::read_to_string(&p).ok()?))
        })
        .collect();
    v.sort();
    v.into_iter()
        .map(|(r, t)| SourceFile::new(db, Name::from(r), t.into()))
        .collect()
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let packs = Path::new(&a[1]);
    let dir = Path::new(&a[2]);
    let db = Database::default();
    let built_in = load(&db, packs, &["rules", "templates"]);
    let own = if a.len() > 3 {
        vec![]
    } else {
        load(&db, dir, &["rules", "templates"])
    };
    let name = if dir.join("gen.yaml").exists() {
        "gen.yaml"
    } else {
        "hatmax.yml"
    };
    let root = SourceFile::new(
        &db,
        Name::from(name),
        std::fs::read_to_string(dir.join(name)).unwrap().into(),
    );
    let included = load(&db, dir, &["services", "teams"])
        .into_iter()
        .filter(|f| f.path(&db).ends_with(".yaml"))
        .collect();
    let project = Project::new(&db, root, included, built_in, own, vec![]);
    let mut problems = groundplan::spec::problems(&db, project);
    problems.extend(groundplan::kind::pack::pack_problems(&db, project).iter().cloned());
    problems.extend(groundplan::rule::set::problems(&db, project));
    problems.extend(groundplan::rule::strata::strata(&db, project).problems.iter().cloned());
    let all: std::collections::BTreeMap<Name, std::sync::Arc<str>> = project
        .built_in(&db)
        .iter()
        .chain(project.own(&db))
        .chain(project.included(&db))
        .chain([&root])
        .map(|f| (f.path(&db).clone(), f.text(&db).clone()))
        .collect();
    for (e, env) in groundplan::spec::environments(&db, project).iter().enumerate() {
        let e = e as u16;
        problems.extend(groundplan::fact::shape::problems(&db, project, e));
        let snap = groundplan::fact::shape::snapshot(&db, project, View::finished(e));
        println!("== environment {:?}: {} nodes", env.name, snap.nodes().len());
        for n in snap.nodes() {
            println!("{n}");
            if std::env::var("FACTS").is_ok() {
                for s in 0..groundplan::fact::n_strata(&db, project) {
                    let f = groundplan::fact::facts(&db, project, e, n.clone(), s);
                    for (r, fs) in &f.of {
                        for f in fs.iter() {
                            println!("    {r} {:?}", f.fields)
                        }
                    }
                }
            }
            problems.extend(groundplan::fact::problems(&db, project, e, n));
        }
        problems.extend(groundplan::fact::finding::all(&db, project, e));
    }
    problems.sort();
    problems.dedup();
    println!("{} problems", problems.len());
    for p in problems.iter().take(60) {
        println!("{:?} {}: {}", p.severity, p.code, p.message);
        for l in &p.labels {
            let at = match &l.place {
                Place::Text(f, s) => {
                    let t = all.get(f).cloned().unwrap_or_else(|| "".into());
                    let line = t[..(s.start as usize).min(t.len())].matches('\n').count() + 1;
                    format!("{f}:{line} «{}»", s.of(&t).chars().take(120).collect::<String>())
                }
                Place::Rule(r) => format!("rule {r}"),
                p @ Place::Field { .. } => {
                    format!("{p:?} -> {:?}", groundplan::spec::locate(&db, project, p))
                }
            };
            println!("    {at}: {}", l.text);
        }
        if let Some(h) = &p.help {
            println!("    help: {h}")
        }
    }
}
