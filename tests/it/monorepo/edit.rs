//! What an edit does to a random monorepo: now and then nothing, now and then a mistake.

use super::packs::{KNOBS, RULES};
use super::{Monorepo, Random, Service};

const LINES: [&str; 3] = ["main", "side", "deep"];
const KEYS: [&str; 4] = ["A", "B", "LEVEL", "URL"];
const ENVIRONMENTS: [&str; 3] = ["dev", "prod", "test"];

/// Rules that an edit may add, each with its pack; some are wrong, and one stands in another's place.
const MORE: [(&str, &str); 7] = [
    (
        "tubes",
        "rule: more-marks\nmatch: (s:service)\nwhen: s.weight > 3\nfacts: [{mark: {of: s, value: heavy}}]",
    ),
    (
        "tubes",
        "rule: again\nmatch: (s:service)\nwhen: s.weight == 4\nfacts: [{burden: {of: s, value: 1000, rooms: 0}}]",
    ),
    (
        "valves",
        "rule: other-lonely\nreplaces: tubes/lonely\nmatch: (s:service)\nwhen: s.weight < 3\nartifact: {path: \"light/${s.name}.txt\", template: tubes/served.txt.hbs, with: {name: s.name, weight: s.weight}}",
    ),
    ("valves", "rule: wrong\nmatch: (s:service)\nwhen: s.nope > 1\nfacts: []"),
    (
        "valves",
        "rule: one-path\nmatch: (s:service)\nwhen: s.weight == 2\nartifact: {path: lonely/same.txt, template: tubes/served.txt.hbs, with: {name: s.name, weight: s.weight}}",
    ),
    (
        "valves",
        "rule: failing\nmatch: (s:service)\nartifact: {path: \"failing/${s.name}.txt\", template: tubes/served.txt.hbs, with: {name: s.name, weight: 10 / (s.weight - 5)}}",
    ),
    (
        "valves",
        "rule: extra-edge\nmatch: \"(s:service {role: 'job'})\"\nexists: \"(s)-[:depends_on]->(:station)\"\nnodes: [{node: station.cellar, fields: {type: cellar}}]\nedges: [{edge: depends_on, from: s, to: \"'station.cellar'\", fields: {wait: 9}}]",
    ),
];

/// Returns a station as YAML on one line.
pub(super) fn station(random: &mut Random) -> String {
    let mut entries = Vec::new();
    if random.happens(40) {
        entries.push("type: blower".to_owned());
    }
    if random.happens(60) {
        entries.push(format!("room: {}", random.below(5)));
    }
    if random.happens(30) {
        entries.push(format!("line: {}", random.one_of(&LINES)));
    }
    if random.happens(30) {
        entries.push("note: \"at ${station.blue.address}\"".to_owned());
    }
    format!("{{{}}}", entries.join(", "))
}

impl Monorepo {
    /// Returns the name of a service that there is.
    fn service(&self, random: &mut Random) -> Option<String> {
        let names: Vec<&String> = self.services.keys().collect();
        (!names.is_empty()).then(|| (*random.one_of(&names)).clone())
    }

    /// Returns the name of something that a service may depend on; seldom of something that there is not.
    fn target(&self, random: &mut Random) -> String {
        let stations: Vec<&String> = self.stations.keys().collect();
        match random.below(10) {
            0 if random.happens(20) => "nobody".to_owned(),
            1 => "blower-main".to_owned(),
            2 | 3 if !stations.is_empty() => (*random.one_of(&stations)).clone(),
            _ => self.service(random).unwrap_or_else(|| "nobody".to_owned()),
        }
    }

    pub(super) fn add_service(&mut self, random: &mut Random) {
        let mut service = Service {
            file: random.below(super::N_FILES),
            ..Service::default()
        };
        for key in ["weight", "tags", "ports", "role"] {
            if random.happens(60) {
                service.fields.insert(key, field(key, random));
            }
        }
        self.services.insert(format!("s{}", random.below(100)), service);
    }

    pub(super) fn add_edge(&mut self, random: &mut Random) {
        let Some(name) = self.service(random) else { return };
        let target = self.target(random);
        // Mostly downwards, so that circles are there and yet the exception.
        if target > name && self.services.contains_key(&target) && random.happens(90) {
            return;
        }
        let fields = [
            "{}",
            "{required: false}",
            "{wait: 7}",
            "{condition: started, wait: 1}",
            "{required: false, port: http}",
        ];
        let fields = (*random.one_of(&fields)).to_owned();
        if let Some(service) = self.services.get_mut(&name).filter(|_| name != target) {
            service.depends_on.insert(target, fields);
        }
    }

    pub(super) fn set_variable(&mut self, random: &mut Random) {
        let (Some(name), Some(target)) = (self.service(random), self.service(random)) else {
            return;
        };
        let value = match random.below(6) {
            0 => format!("\"http://${{service.{target}.address}}/v1\""),
            1 => format!("\"${{?service.{target}.room}} of ${{service.{target}.address}}\""),
            2 if random.happens(30) => format!("\"${{service.{target}.http}}\""),
            3 => "\"on ${station.blue.address}, ${station.red.note}\"".to_owned(),
            4 => "\"plain $${x} {{y}} 'z'\"".to_owned(),
            _ => format!("\"{}\"", random.below(3)),
        };
        if let Some(service) = self.services.get_mut(&name) {
            service.env.insert((*random.one_of(&KEYS)).to_owned(), value);
        }
    }

    fn rename_service(&mut self, random: &mut Random) {
        let Some(old) = self.service(random) else { return };
        let new = format!("s{}", random.below(100));
        if self.services.contains_key(&new) {
            return;
        }
        let service = self.services.remove(&old).unwrap_or_default();
        self.services.insert(new.clone(), service);
        // Those that mention it are mended mostly, and now and then forgotten.
        if random.happens(70) {
            for service in self.services.values_mut() {
                if let Some(edge) = service.depends_on.remove(&old) {
                    service.depends_on.insert(new.clone(), edge);
                }
                for value in service.env.values_mut() {
                    *value = value.replace(&format!("service.{old}."), &format!("service.{new}."));
                }
            }
        }
    }

    fn overlay(&mut self, random: &mut Random) {
        let environments: Vec<&'static str> = self.environments.keys().copied().collect();
        let Some(name) = self.service(random) else { return };
        if environments.is_empty() {
            return;
        }
        let environment = *random.one_of(&environments);
        let change = match random.below(8) {
            0 => "null".to_owned(),
            1 => "{tags: null}".to_owned(),
            2 => "{env: {A: over, B: null}}".to_owned(),
            3 => format!("{{weight: {}}}", random.below(10)),
            4 => format!("{{depends_on: {{{}: {{wait: 50}}}}}}", self.target(random)),
            5 => "{deployment: {line: deep, tubes: {bore: 3}}}".to_owned(),
            6 => "{depends_on: null}".to_owned(),
            _ => format!("{{ports: {}}}", field("ports", random)),
        };
        let own = random.happens(40) && change != "null";
        if let Some(service) = self.services.get_mut(&name).filter(|_| own) {
            if service.overlays.remove(environment).is_none() || random.happens(50) {
                service.overlays.insert(environment, change);
            }
        } else if let Some(environment) = self.environments.get_mut(environment)
            && (environment.services.remove(&name).is_none() || random.happens(50))
        {
            environment.services.insert(name, change);
        }
    }

    fn change_environments(&mut self, random: &mut Random) {
        let name = *random.one_of(&ENVIRONMENTS);
        match random.below(3) {
            0 => {
                self.environments.remove(name);
            }
            1 => {
                self.environments.entry(name).or_default();
            }
            _ => {
                if let Some(environment) = self.environments.get_mut(name) {
                    environment.dir = [None, Some("elsewhere"), Some(name)][random.below(3)];
                }
            }
        }
    }

    fn change_rules(&mut self, random: &mut Random) {
        match random.below(6) {
            0 => {
                let at = random.below(RULES.len());
                match self.packs.left_out.iter().position(|it| *it == at) {
                    Some(known) => {
                        self.packs.left_out.remove(known);
                    }
                    None => self.packs.left_out.push(at),
                }
            }
            1 | 2 => match self.packs.more.len() {
                0 | 1 if random.happens(60) => {
                    let (pack, rule) = *random.one_of(&MORE);
                    if !self.packs.more.iter().any(|it| it.1 == rule) {
                        self.packs.more.push((pack, rule.to_owned()));
                    }
                }
                0 => {}
                n => {
                    self.packs.more.remove(random.below(n));
                }
            },
            3 => {
                // A comment, a moved line, or a mistake that takes a whole file away.
                let start = *random.one_of(&[
                    "rules/tubes/1",
                    "rules/works/0",
                    "templates/tubes/line",
                    "templates/tubes/sheet",
                ]);
                let head = match random.below(4) {
                    0 if start.starts_with("rules") => "# a comment\n\n",
                    1 => "\n",
                    2 if start.ends_with("line") => "# {{s.nope}}\n",
                    2 if start.ends_with("sheet") => "wrong: ${s.nope}\n",
                    2 => "[",
                    _ => "",
                };
                self.packs.heads.insert(start, head.to_owned());
            }
            _ => {
                let knob = *random.one_of(&KNOBS);
                self.packs
                    .knobs
                    .insert(knob, u32::try_from(random.below(5)).unwrap_or_default());
            }
        }
    }

    fn change_root(&mut self, random: &mut Random) {
        match random.below(5) {
            0 => {
                self.root.insert(
                    "deployment",
                    format!("{{line: {}, memory: 64Mi}}", random.one_of(&LINES)),
                );
            }
            1 => {
                self.root.insert("motto", format!("\"{}\"", random.below(10)));
            }
            2 => {
                let rule = *random.one_of(&["tubes/mark", "works/waits", "tubes/blower", "tubes/pair", "tubes/nope"]);
                self.root.insert("disable", format!("[{rule}]"));
            }
            3 => {
                let key = *random.one_of(&["deployment", "motto", "disable", "disable"]);
                self.root.remove(key);
            }
            _ => {
                let lines = ["", "# a comment\n", "\n\n", "services: [\n", "parts: {}\n"];
                self.line = (*random.one_of(&lines)).to_owned();
            }
        }
    }

    /// Changes something.
    pub(crate) fn edit(&mut self, random: &mut Random) -> &'static str {
        match random.below(20) {
            0..=4 => {
                let key = *random.one_of(&["doc", "weight", "tags", "ports", "role", "deployment"]);
                if let Some(service) = self.service(random).and_then(|it| self.services.get_mut(&it)) {
                    if random.happens(20) {
                        service.fields.remove(key);
                    } else {
                        service.fields.insert(key, field(key, random));
                    }
                }
                "a field"
            }
            5 | 6 => {
                self.set_variable(random);
                "a variable"
            }
            7 | 8 => {
                self.add_edge(random);
                "an edge more"
            }
            9 => {
                if let Some(service) = self.service(random).and_then(|it| self.services.get_mut(&it)) {
                    service.depends_on.pop_first();
                }
                "an edge less"
            }
            10 => {
                self.add_service(random);
                "a service more"
            }
            11 => {
                if let Some(name) = self.service(random) {
                    self.services.remove(&name);
                }
                self.add_service(random);
                "a service less"
            }
            12 => {
                self.rename_service(random);
                "a service renamed"
            }
            13 => {
                let name = *random.one_of(&["blue", "red", "green", "blower-a", "blower-main", "valve-blower-main"]);
                if random.happens(30) {
                    self.stations.remove(name);
                } else {
                    self.stations.insert(name.to_owned(), station(random));
                }
                "a station"
            }
            14 | 15 => {
                self.overlay(random);
                "an overlay"
            }
            16 => {
                self.change_environments(random);
                "the environments"
            }
            17 => {
                self.change_root(random);
                "the root"
            }
            _ => {
                self.change_rules(random);
                "the packs"
            }
        }
    }
}

/// Returns the value of a field of a service, as YAML on one line.
fn field(key: &str, random: &mut Random) -> String {
    match key {
        "weight" => random.below(10).to_string(),
        "role" => (*random.one_of(&["shop", "job"])).to_owned(),
        "doc" => format!("\"{}\"", random.number()),
        "tags" => (*random.one_of(&["[]", "[a]", "[b, a]", "[c, c]", "[\"x y\"]"])).to_owned(),
        "ports" => {
            let port = 8000 + random.below(6);
            match random.below(4) {
                0 => "{}".to_owned(),
                1 => format!("{{http: {port}}}"),
                2 => format!("{{http: {{port: {port}, fixed: true}}}}"),
                _ => format!("{{http: 80, admin: {{port: {port}, fixed: true}}}}"),
            }
        }
        _ => match random.below(4) {
            0 => format!("{{line: {}}}", random.one_of(&LINES)),
            1 => format!("{{memory: {}Mi}}", random.below(4) + 1),
            2 => format!("{{tubes: {{weight: {}}}}}", random.below(10)),
            _ => format!(
                "{{line: {}, tubes: {{bore: {}}}}}",
                random.one_of(&LINES),
                random.below(100)
            ),
        },
    }
}
