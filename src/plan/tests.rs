//! Tests of the plan: each combination of wanted, recorded and found has its verdict.

use super::reason::Sort;
use super::*;

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::parse(text).expect("a plain path")
}

fn wanted(at: &str, content: &str) -> Wanted {
    Wanted::printed(path(at), "tubes/line".into(), content.as_bytes().into(), Mode::Plain)
}

fn record(at: &str, content: &str) -> Record {
    Record {
        path: path(at),
        digest: Fingerprint::of(content.as_bytes()),
        declined: None,
        rule: "tubes/line".into(),
    }
}

fn file(content: &str) -> Found {
    Found::File(Fingerprint::of(content.as_bytes()), Mode::Plain)
}

/// Plans one path `a` and returns its change, `None` where it is unchanged.
fn one(wanted: Option<&str>, recorded: Option<&str>, found: Found) -> Option<Change> {
    let wanted: Vec<Wanted> = wanted.iter().map(|it| self::wanted("a", it)).collect();
    let recorded: Vec<Record> = recorded.iter().map(|it| record("a", it)).collect();
    let plan = plan(
        &sites(&wanted, &recorded, &Scope::default()),
        &[found],
        &Decisions::default(),
    );
    plan.entries.into_iter().next().map(|it| it.change)
}

#[test]
fn every_combination_has_its_verdict() {
    use Change::*;
    assert_eq!(one(Some("new"), None, Found::Absent), Some(Create));
    assert_eq!(one(Some("new"), None, file("new")), Some(Adopt));
    assert_eq!(one(Some("new"), None, file("theirs")), Some(Foreign));
    assert_eq!(one(Some("new"), None, Found::Link), Some(Foreign));
    assert_eq!(one(Some("new"), Some("new"), file("new")), None);
    assert_eq!(one(Some("new"), Some("old"), file("old")), Some(Update));
    assert_eq!(one(Some("new"), Some("old"), file("new")), Some(Adopt));
    assert_eq!(one(Some("new"), Some("old"), Found::Absent), Some(Create));
    assert_eq!(
        one(Some("new"), Some("old"), file("hand")),
        Some(EditedByHand(Intent::Write))
    );
    assert_eq!(
        one(Some("new"), Some("new"), file("hand")),
        Some(EditedByHand(Intent::Write))
    );
    assert_eq!(
        one(Some("new"), Some("old"), Found::Link),
        Some(EditedByHand(Intent::Write))
    );
    assert!(matches!(
        one(Some("new"), Some("old"), Found::Folder),
        Some(Obstructed(_))
    ));
    assert!(matches!(
        one(Some("new"), None, Found::Blocked("x".into())),
        Some(Obstructed(_))
    ));
    assert_eq!(one(None, Some("old"), file("old")), Some(Delete));
    assert_eq!(one(None, Some("old"), Found::Absent), Some(Forget));
    assert_eq!(one(None, Some("old"), Found::Folder), Some(Forget));
    assert_eq!(one(None, Some("old"), file("hand")), Some(EditedByHand(Intent::Delete)));
}

#[test]
fn a_deleted_and_a_created_file_of_one_content_are_a_move() {
    let wanted = [wanted("b", "x"), wanted("c", "x")];
    let recorded = [record("a", "x")];
    let found = [file("x"), Found::Absent, Found::Absent];
    let plan = plan(
        &sites(&wanted, &recorded, &Scope::default()),
        &found,
        &Decisions::default(),
    );
    let changes: Vec<(&str, &Change)> = plan.entries.iter().map(|it| (it.path.as_str(), &it.change)).collect();
    assert_eq!(
        changes,
        [("b", &Change::Moved { from: path("a") }), ("c", &Change::Create)]
    );
    assert_eq!(plan.counts().to_string(), "1 to create, 1 to move");
}

#[test]
fn a_kept_file_is_quiet_until_something_else_is_wanted() {
    let kept = [Record {
        declined: Some(Fingerprint::of(b"new")),
        ..record("a", "hand")
    }];
    for (content, change) in [
        ("new", None),
        ("newer", Some(Change::EditedByHand(Intent::Write))),
        ("hand", Some(Change::Adopt)),
    ] {
        let wanted = [wanted("a", content)];
        let plan = plan(
            &sites(&wanted, &kept, &Scope::default()),
            &[file("hand")],
            &Decisions::default(),
        );
        assert_eq!(plan.entries.first().map(|it| it.change.clone()), change, "{content}");
    }
    // No rule wants it any more: what the user kept is not deleted unasked.
    let plan = plan(
        &sites(&[], &kept, &Scope::default()),
        &[file("hand")],
        &Decisions::default(),
    );
    assert_eq!(plan.entries[0].change, Change::EditedByHand(Intent::Delete));
}

#[test]
fn what_the_scope_leaves_out_is_not_taken_for_gone() {
    let scope = Scope {
        paths: vec!["a".into()],
        ..Scope::default()
    };
    let recorded = [record("a/x", "x"), record("b/x", "x")];
    let sites = sites(&[], &recorded, &scope);
    assert_eq!(sites.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["a/x"]);
}

#[test]
fn a_script_that_can_not_be_run_is_updated() {
    let wanted = [Wanted::printed(
        path("a.sh"),
        "tubes/line".into(),
        b"#!/bin/sh\n".as_slice().into(),
        Mode::of("shell", b"#!/bin/sh\n"),
    )];
    let recorded = [record("a.sh", "#!/bin/sh\n")];
    let sites = sites(&wanted, &recorded, &Scope::default());
    let plan = |mode| plan(&sites, &[Found::File(wanted[0].digest, mode)], &Decisions::default());
    assert_eq!(plan(Mode::Plain).entries[0].change, Change::Update);
    assert!(plan(Mode::Executable).is_empty());
}

#[test]
fn nothing_is_done_to_a_file_of_others_unless_it_is_said() {
    let wanted = [wanted("a", "new"), wanted("b", "new")];
    let sites = sites(&wanted, &[], &Scope::default());
    let found = [file("theirs"), file("theirs")];
    assert_eq!(plan(&sites, &found, &Decisions::default()).obstacles().len(), 2);
    let decisions = Decisions {
        overwrite: Chosen::Under(["a".to_owned()].into()),
        adopt: Chosen::None,
        ..Decisions::default()
    };
    let plan = plan(&sites, &found, &decisions);
    assert_eq!(plan.obstacles().len(), 1);
    assert_eq!(plan.counts().to_string(), "1 to update, 1 not gen's");
}

#[test]
fn the_form_for_machines_is_stable() {
    let wanted = [Wanted {
        reasons: vec![Reason {
            sort: Sort::Spec,
            file: Some("gen.yaml".into()),
            line: Some(7),
            input: "services.orders.deployment.replicas".into(),
            old: Some("1".into()),
            new: Some("2".into()),
            renamed: None,
        }],
        ..wanted("a", "new")
    }];
    let recorded = [record("a", "old")];
    let sites = sites(&wanted, &recorded, &Scope::default());
    let plan = plan(&sites, &[file("old")], &Decisions::default());
    let document = serde_json::to_value(json::document(&plan, |_| None)).expect("plain data");
    assert_eq!(
        document["changes"],
        serde_json::json!([{
            "path": "a",
            "change": "update",
            "rule": "tubes/line",
            "found": Fingerprint::of(b"old").to_string(),
            "wanted": Fingerprint::of(b"new").to_string(),
            "reasons": [{
                "sort": "spec",
                "file": "gen.yaml",
                "line": 7,
                "input": "services.orders.deployment.replicas",
                "old": "1",
                "new": "2",
            }],
        }])
    );
    assert_eq!(document["causes"][0]["files"], 1);
    assert_eq!(document["causes"][0]["line"], 7);
    assert_eq!(
        (&document["format"], &document["counts"]["update"]),
        (&1.into(), &1.into())
    );
}
