//! Tags that are generated, held against the table of options that the router's pack keeps for those that a spec gives.
//!
//! A rule looks up only what a spec says in the router's own words, since that alone can be misspelt by it. What the
//! rules themselves write is looked up here, in all jobs of `fixtures/` and of the golden folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_yaml_ng::Value;

use crate::say;
use crate::tidy::{files, shown, top};

/// The options that are known, by protocol and section.
struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    fn of_the_pack() -> Self {
        let text = fs::read_to_string(top().join("rules/traefik/pack.yaml")).expect("the pack is there");
        let pack: Value = serde_yaml_ng::from_str(&text).expect("a pack is YAML");
        let mut known = BTreeMap::new();
        for protocol in ["http", "tcp", "udp"] {
            for section in ["routers", "services", "middlewares"] {
                let options = pack["data"][protocol][section].as_sequence().expect("a table");
                let options = options.iter().filter_map(Value::as_str).map(str::to_owned);
                known.insert(format!("{protocol}.{section}"), options.collect());
            }
        }
        Self(known)
    }

    /// Tells whether a tag is one that is read, and of an option that is known.
    fn has(&self, tag: &str) -> bool {
        let Some((key, value)) = tag.split_once('=') else {
            return false;
        };
        let key = key.to_lowercase();
        let steps: Vec<&str> = key.split('.').collect();
        match *steps {
            ["traefik", "enable"] | ["traefik", "consulcatalog", "connect" | "canary"] => !value.is_empty(),
            ["traefik", "tls", "stores", "default", ..] => true,
            ["traefik", protocol, section, _, ref option @ ..] => {
                let Some(options) = self.0.get(&format!("{protocol}.{section}")) else {
                    return false;
                };
                let free = [&option[..option.len().saturating_sub(1)], &["*"]].concat().join(".");
                let plugin = section == "middlewares" && option.first() == Some(&"plugin");
                let domain = section == "routers" && option.first() == Some(&"tls") && option.len() == 3;
                options.contains(&option.join(".")) || options.contains(&free) || plugin || domain
            }
            _ => false,
        }
    }
}

#[test]
fn every_tag_that_is_generated_is_known() {
    let known = Known::of_the_pack();
    let (mut n_tags, mut unknown) = (0, Vec::new());
    let jobs = files(&top().join("fixtures"), ".nomad").into_iter();
    for job in jobs.chain(files(&top().join("tests/cases"), ".nomad")) {
        let text = fs::read_to_string(&job).unwrap_or_else(|error| panic!("{}: {error}", job.display()));
        let text = text.replace("\\\"", "");
        for tag in text.split('"').filter(|it| it.starts_with("traefik.")) {
            n_tags += 1;
            if !known.has(tag) {
                unknown.push(format!("{}: {tag}", shown(&job)));
            }
        }
    }
    say(&format!(
        "tags: {n_tags} of the router held against its table, {} unknown",
        unknown.len()
    ));
    assert!(
        n_tags > 100,
        "only {n_tags} tags were found: has the way to write them changed?"
    );
    assert!(
        unknown.is_empty(),
        "tags that the router does not know:\n{}",
        unknown.join("\n")
    );
}

#[test]
fn a_tag_that_is_misspelt_is_unknown() {
    let known = Known::of_the_pack();
    let right = [
        "traefik.enable=true",
        "traefik.HTTP.Routers.a.Rule=Host(`a`)",
        "traefik.http.middlewares.a.headers.customrequestheaders.X-A=b",
        "traefik.udp.routers.a.entrypoints=dns",
    ];
    let wrong = [
        "traefik.enabled=true",
        "traefik.http.router.a.rule=b",
        "traefik.http.routers.a.rul=b",
        "traefik.udp.routers.a.rule=b",
        "traefik.http.routers.a.rule",
    ];
    assert!(right.iter().all(|it| known.has(it)) && !wrong.iter().any(|it| known.has(it)));
}
