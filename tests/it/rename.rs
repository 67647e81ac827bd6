//! What `gen mv` refuses, word for word, and what it leaves as it is then: everything.

use crate::project::Project;

const SPEC: &str = "\
version: 0.2
name: shop
include: [teams/*.yaml]
deployment:
  infrastructure: {redis: {}}
services:
  orders: {depends_on: [redis]}
  web:
    depends_on: [orders]
    env: {ORDERS: \"${service.orders.address}\"}
";

fn shop() -> Project {
    Project::new()
        .file("gen.yaml", SPEC)
        .file("teams/billing.yaml", "service: billing\ndepends_on: [orders]\n")
}

/// Runs `gen mv`, which must fail and change nothing; returns what it said.
fn refused(project: &Project, args: &[&str]) -> String {
    let before = project.files();
    let run = project.run(&[&["mv"], args].concat());
    assert_eq!((run.code, &*run.stdout), (1, ""), "{args:?}: {}", run.stderr);
    let now = project.files();
    for (path, found) in before {
        assert!(now.get(&path) == Some(&found), "{args:?}: {path} has changed");
    }
    run.stderr
}

/// Asserts that `said`, with its long lines joined, has each of `parts`.
fn has(said: &str, parts: &[&str]) {
    let said = said.replace("\n  | ", " ");
    for part in parts {
        assert!(said.contains(part), "`{part}` is not said:\n{said}");
    }
}

#[test]
fn an_unknown_node_gets_a_suggestion() {
    has(
        &refused(&shop(), &["ordres", "purchases"]),
        &[
            "rename::unknown_node",
            "no spec declares a node `ordres`",
            "did you mean `orders`?",
        ],
    );
    has(
        &refused(&shop(), &["service.ordres", "purchases"]),
        &["did you mean `service.orders`?"],
    );
}

#[test]
fn a_name_that_is_taken_is_shown_where_it_stands() {
    has(
        &refused(&shop(), &["orders", "web"]),
        &["rename::taken", "there is a node `service.web` already", "gen.yaml:8"],
    );
}

#[test]
fn a_name_has_a_form() {
    for name in ["", "a b", "-a", "a/b", "a.b", "${x}", "a\nb", "'a'"] {
        has(&refused(&shop(), &["orders", "--", name]), &["rename::bad_name"]);
    }
    has(
        &refused(&shop(), &["service.orders", "infra.orders"]),
        &["rename::bad_name", "a rename keeps the kind", "write `service.orders`"],
    );
    has(&refused(&shop(), &["orders", "orders"]), &["is called so already"]);
    has(
        &refused(&shop(), &["project.shop", "store"]),
        &["`project.shop` is the project itself", "gen.yaml:2"],
    );
}

#[test]
fn a_derived_node_is_not_renamed() {
    let pack = "pack: mine\ndoc: One more.\nrequires: [core]\n";
    let rules = "rules:\n  - rule: more\n    doc: One more.\n    match: (s:service)\n    when: s.?doc.orValue('') == 'cached'\n    \
                 nodes: [{node: \"infra.${s.name}-cache\", fields: {type: redis}}]\n";
    let spec = SPEC.replace("  web:\n", "  web:\n    doc: cached\n");
    let project = shop()
        .file("gen.yaml", &spec)
        .file("rules/mine/pack.yaml", pack)
        .file("rules/mine/more.yaml", rules);
    has(
        &refused(&project, &["web-cache", "cache"]),
        &[
            "rename::derived",
            "`infra.web-cache` is derived by a rule",
            "gen explain infra.web-cache",
        ],
    );
    has(
        &refused(&project, &["infra.redis", "web-cache"]),
        &["rename::taken", "a rule derives a node `infra.web-cache` already"],
    );
    // What names the derived node would name nothing once its name follows from another one.
    let spec = spec.replace("depends_on: [redis]", "depends_on: [redis, web-cache]");
    let project = project.file("gen.yaml", &spec);
    has(
        &refused(&project, &["web", "storefront"]),
        &[
            "rename::changes_more",
            "names `web-cache`, which no spec declares; nothing is written",
        ],
    );
}

#[test]
fn a_field_that_follows_from_the_name_is_told() {
    has(
        &refused(&shop(), &["redis", "cache"]),
        &[
            "rename::changes_more",
            "`type` of `infra.cache` would change with the name",
            "write `type` out first",
        ],
    );
    let spec = SPEC.replace("redis: {}", "redis: {type: redis}");
    let project = shop().file("gen.yaml", &spec);
    let run = project.run(&["mv", "redis", "cache"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let wanted = spec
        .replace("redis: {type", "cache: {type")
        .replace("[redis]", "[cache]");
    let now = std::fs::read_to_string(project.dir().join("gen.yaml")).expect("it is there");
    assert_eq!(now, wanted);
}

#[test]
fn what_is_not_written_to_the_letter_is_not_edited() {
    for (written, line) in [
        ("[\"ord\\u0065rs\"]", "gen.yaml:9"),
        ("{\"ord\\x65rs\": {}}", "gen.yaml:9"),
    ] {
        let project = shop().file("gen.yaml", &SPEC.replace("[orders]", written));
        has(
            &refused(&project, &["orders", "purchases"]),
            &["rename::not_editable", line],
        );
    }
    let spec = SPEC.replace("service.orders.address", "service.ord\\u0065rs.address");
    let project = shop().file("gen.yaml", &spec);
    has(
        &refused(&project, &["orders", "purchases"]),
        &["rename::not_editable", "gen.yaml:10"],
    );
}

#[test]
fn a_spec_with_a_mistake_is_not_touched() {
    let project = shop().file("teams/billing.yaml", "service: billing\ndepends_on: [nobody]\n");
    has(
        &refused(&project, &["orders", "purchases"]),
        &["spec::unknown_target", "teams/billing.yaml:2"],
    );
}

/// All or nothing: one of two files can't be written, and the other stays as it was.
#[test]
#[cfg(unix)]
fn a_link_in_the_place_of_a_file_stays() {
    let project = shop();
    let file = project.dir().join("teams/billing.yaml");
    let away = project.dir().join("billing-of-all.yaml");
    std::fs::rename(&file, &away).expect("the folder is ours");
    std::os::unix::fs::symlink("../billing-of-all.yaml", &file).expect("the folder is ours");
    has(
        &refused(&project, &["orders", "purchases"]),
        &["shell::no_plain_file", "`teams/billing.yaml`"],
    );
}

/// A rename there and back leaves every byte as it was.
#[test]
fn a_rename_and_its_undoing_leave_nothing() {
    let project = shop();
    let before = project.files();
    for args in [["orders", "purchases"], ["service.purchases", "service.orders"]] {
        let run = project.run(&[&["mv"], &args[..]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let now = project.files();
    for (path, found) in before {
        assert!(now.get(&path) == Some(&found), "{path} has changed");
    }
}

/// What a platform can't do in place is said with the edit.
#[test]
fn a_rename_says_what_a_platform_can_not_do() {
    let spec = "version: 0.2\nname: shop\ndeployment: {platforms: [kubernetes]}\nservices:\n  auth:\n    image: \
                shop/auth:1\n    deployment: {ports: {http: 8081}}\n";
    let project = Project::new().file("gen.yaml", spec);
    assert_eq!(project.run(&["apply"]).code, 0);
    // Without the cache the reasons are lost, and the rename is known all the same.
    std::fs::remove_dir_all(project.dir().join(".gen/cache")).expect("it is there");
    let run = project.run(&["mv", "auth", "login"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    has(
        &run.stdout,
        &[
            "edited     gen.yaml:5  auth → login  services.auth\n",
            "left       gen.yaml:6  image: shop/auth:1\n",
            "from deployments/kubernetes/auth/deployment.yaml, changed",
            "but Kubernetes renames no workload",
        ],
    );
    has(
        &run.stderr,
        &[
            "why, and to what effect, is not known: `.gen/cache` does not say",
            "`service.auth` is `service.login` now, at 1 place of 1 file",
            "to move (",
        ],
    );
}

/// What the rules warn of then is shown, at the place where it stands then.
#[test]
fn a_rename_says_what_the_rules_warn_of() {
    let rules = "rules:\n  - rule: bare\n    doc: Each says what it is.\n    match: (s:service)\n    \
                 when: \"!has(s.doc)\"\n    warn: \"nobody knows what `${s.name}` is\"\n    at: s\n";
    let project = shop()
        .file("rules/mine/pack.yaml", "pack: mine\ndoc: One more.\nrequires: [core]\n")
        .file("rules/mine/rules.yaml", rules);
    let run = project.run(&["mv", "orders", "purchases", "--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    has(&run.stderr, &["nobody knows what `purchases` is", "7 |   purchases: {"]);
    let run = project.run(&["mv", "orders", "purchases", "--dry-run", "--json"]);
    has(&run.stdout, &["nobody knows what `purchases` is"]);
}

/// An apply that was interrupted is settled before anything is written, which is said as `gen apply` says it.
#[test]
fn a_rename_says_that_it_settled_an_apply() {
    for args in [&["mv", "orders", "purchases"][..], &["apply"]] {
        let project = shop().file(".gen/cache/intent", "gen intent 1\nend\n");
        let run = project.run(args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        has(&run.stderr, &["an apply that was interrupted is finished"]);
        assert!(!project.dir().join(".gen/cache/intent").exists());
    }
}

#[test]
#[cfg(unix)]
fn what_may_be_done_with_a_file_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = shop();
    let file = project.dir().join("gen.yaml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("it is ours");
    assert_eq!(project.run(&["mv", "orders", "purchases"]).code, 0);
    let mode = std::fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}
