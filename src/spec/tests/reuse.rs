//! What is read again after an edit, and what is not.

use std::sync::{Arc, Mutex};

use salsa::Setter;

use super::{CORE, TUBES, file};
use crate::db::{Database, Project, SourceFile};
use crate::spec;
use crate::value::Address;

/// A database that remembers the names of the queries that ran.
fn watched() -> (Database, Arc<Mutex<Vec<String>>>) {
    let ran: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&ran);
    let db = Database::watched(Box::new(move |event| {
        if let salsa::EventKind::WillExecute { database_key } = event.kind {
            let name = format!("{database_key:?}");
            let name = name.split('(').next().unwrap_or("").to_owned();
            log.lock().expect("no test panics with it").push(name);
        }
    }));
    (db, ran)
}

fn set_up(db: &Database) -> (Project, Vec<SourceFile>) {
    let packs = vec![
        file(db, "rules/core/pack.yaml", CORE),
        file(db, "rules/tubes/pack.yaml", TUBES),
    ];
    let included = vec![
        file(db, "a.yaml", "services: {a: {framework: x}}\n"),
        file(db, "b.yaml", "services: {b: {depends_on: [a]}}\n"),
    ];
    let root = file(db, "gen.yaml", "name: x\n");
    let project = Project::new(db, root, included.clone(), packs, Vec::new(), Vec::new());
    (project, included)
}

fn all(db: &Database, project: Project) -> usize {
    let addresses = spec::addresses(db, project, 0);
    addresses
        .iter()
        .filter_map(|it| spec::declared(db, project, 0, it))
        .count()
}

#[test]
fn a_comment_changes_nothing_behind_its_file() {
    let (mut db, ran) = watched();
    let (project, files) = set_up(&db);
    assert_eq!(all(&db, project), 3);
    ran.lock().expect("whole").clear();
    files[0]
        .set_text(&mut db)
        .to("# moved\n\nservices: {a: {framework: x}}\n".into());
    assert_eq!(all(&db, project), 3);
    assert_eq!(*ran.lock().expect("whole"), ["lowered_file"]);
}

#[test]
fn a_field_changes_its_node_alone() {
    let (mut db, ran) = watched();
    let (project, files) = set_up(&db);
    assert_eq!(all(&db, project), 3);
    ran.lock().expect("whole").clear();
    files[0].set_text(&mut db).to("services: {a: {framework: y}}\n".into());
    assert_eq!(all(&db, project), 3);
    assert_eq!(*ran.lock().expect("whole"), ["lowered_file", "outline", "declared_at"]);
    let a = spec::declared(&db, project, 0, &Address::new("service", "a")).expect("it is there");
    assert_eq!(a.fields.get("framework").and_then(|it| it.as_str()), Some("y"));
}
