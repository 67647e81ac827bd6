//! What a compose file says: each service of it is one of the spec, with what its folder tells; its infrastructure and its volumes.

use std::collections::BTreeSet;
use std::path::Path;

use super::Refused;
use super::fields::{Said, name_of, pairs, plain, settled};
use super::parts::{check, depended_on, mount, port, waited_for};
use super::print::value;
use super::repository::{Service, health_of};
use super::table::lines;
use super::tree::Tree;
use crate::kind::credential;
use crate::value::Name;
use crate::yaml::{self, Data, Entry, Span, Yaml};

/// The keys of a service that are read each in its own way; the others are lines of the table.
const READ: [&str; 8] = [
    "image",
    "build",
    "ports",
    "expose",
    "healthcheck",
    "volumes",
    "depends_on",
    "environment",
];

/// What a compose file has beside services.
#[derive(Debug, Default)]
pub(super) struct Composed {
    /// What the project is called, by which what it holds is found.
    pub(super) name: Option<String>,
    pub(super) infra: Vec<Infra>,
    pub(super) volumes: Vec<Volume>,
}

/// Infrastructure that a compose file starts.
#[derive(Debug)]
pub(super) struct Infra {
    pub(super) name: String,
    pub(super) ty: &'static str,
    pub(super) fields: Tree,
    /// What is not taken over.
    pub(super) left_out: Vec<String>,
}

/// A volume that services mount.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) fields: Tree,
    /// What is not taken over.
    pub(super) left_out: Vec<String>,
}

/// Adds to `services`, which stand in folders of `root`, what the compose file says, if there is one; returns what else it says.
///
/// # Errors
/// It can't be read in full: what is wrong, with its text.
pub(super) fn read(root: &Path, services: &mut Vec<Service>) -> Result<Composed, Refused> {
    let found = lines("compose").find_map(|it| Some((it.file, std::fs::read_to_string(root.join(it.file)).ok()?)));
    let (path, text) = found.unwrap_or_default();
    let (yaml, mistakes) = yaml::parse(&text);
    if !mistakes.is_empty() {
        let path = Name::from(path);
        let problems = mistakes.iter().map(|it| it.problem(&path)).collect();
        let sources = [(path, text.as_str().into())].into_iter().collect();
        return Err(Refused { problems, sources });
    }
    let yaml = yaml.unwrap_or_else(|| Yaml {
        span: Span::default(),
        data: Data::Null,
    });
    let file = File::new(root, &text, &yaml, std::mem::take(services));
    services.extend(file.services());
    let infra: Vec<Infra> = file.infra.iter().map(|it| file.infra(it.0, it.1)).collect();
    let of_infra = infra.iter().map(|it| it.name.clone());
    let names: BTreeSet<String> = services.iter().map(|it| it.name.clone()).chain(of_infra).collect();
    // What stands in a folder and is not started by the file stays a service of its own; the top, where it is the only one.
    let is_told =
        |it: &Service| names.contains(&it.name) || file.services.iter().any(|entry| file.base(entry) == Some(it));
    let other: Vec<&Service> = file.found.iter().filter(|it| !is_told(it)).collect();
    let is_one = services.len() + other.len() == 1;
    services.extend(other.into_iter().filter(|it| is_one || !it.folder.is_empty()).cloned());
    for service in services.iter_mut() {
        service.depends_on.retain(|it| names.contains(&it.0));
    }
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let name = yaml.get("name").and_then(Yaml::as_str).and_then(settled);
    let name = name.filter(|it| !it.is_empty());
    Ok(Composed {
        name: name.or_else(|| by_folder(root).filter(|_| !file.infra.is_empty() || !file.services.is_empty())),
        infra,
        volumes: file.volumes(),
    })
}

/// A compose file, its services in two parts, and the services that stand in folders beside it.
struct File<'t> {
    root: &'t Path,
    text: &'t str,
    yaml: &'t Yaml,
    found: Vec<Service>,
    services: Vec<&'t Entry>,
    infra: Vec<(&'t Entry, &'static str)>,
}

/// How a service is built: from which folder, and what else is said of that.
#[derive(PartialEq, Eq)]
struct Build {
    folder: String,
    other: Vec<(String, String)>,
}

impl<'t> File<'t> {
    fn new(root: &'t Path, text: &'t str, yaml: &'t Yaml, found: Vec<Service>) -> Self {
        let mut file = Self {
            root,
            text,
            yaml,
            found,
            services: Vec::new(),
            infra: Vec::new(),
        };
        for entry in yaml.get("services").map(Yaml::entries).unwrap_or_default() {
            match infrastructure(&entry.value) {
                Some(ty) => file.infra.push((entry, ty)),
                None => file.services.push(entry),
            }
        }
        file
    }

    fn services(&self) -> Vec<Service> {
        let ending: BTreeSet<&str> = self.services.iter().flat_map(|it| waited_for(&it.value)).collect();
        let mut claimed = BTreeSet::new();
        let mut services = Vec::new();
        for entry in &self.services {
            let mut service = self.service(entry);
            service.ends = ending.contains(&*entry.key);
            let n_replicas = ["scale", "deploy.replicas"]
                .iter()
                .find_map(|it| self.at(&entry.value, it));
            claim(&mut service, n_replicas.is_none_or(|it| it == "1"), &mut claimed);
            services.push(service);
        }
        services
    }

    fn service(&self, entry: &'t Entry) -> Service {
        let yaml = &entry.value;
        let mut service = self.base(entry).cloned().unwrap_or_default();
        service.name = entry.key.to_string();
        self.built(yaml, &mut service);
        let mut said = Said::default();
        service.image = self.image(yaml, &mut said);
        self.ports(yaml, &mut service, &mut said);
        self.health(yaml, &mut service, &mut said);
        self.mounts(yaml, &mut said);
        service.depends_on = depended_on(yaml);
        self.variables(yaml, &mut service);
        for entry in yaml.entries() {
            if !READ.contains(&&*entry.key) && !entry.key.starts_with("x-") {
                said.take("field", &entry.key, &entry.value, self.text);
            }
        }
        service.fields = said.fields;
        service.left_out.extend(said.left_out);
        service
    }

    /// Returns the service of the folder from which this one is built, else that of its name.
    fn base(&self, entry: &Entry) -> Option<&Service> {
        let build = self.build(&entry.value);
        let of_folder = self
            .found
            .iter()
            .find(|it| build.as_ref().is_some_and(|build| build.folder == it.folder));
        of_folder.or_else(|| self.found.iter().find(|it| *it.name == *entry.key))
    }

    fn build(&self, yaml: &Yaml) -> Option<Build> {
        let build = yaml.get("build")?;
        let context = build.as_str().or_else(|| build.get("context")?.as_str()).unwrap_or(".");
        let folder = context.trim_start_matches("./").trim_end_matches('/');
        let other = build.entries().iter().filter(|it| &*it.key != "context");
        Some(Build {
            folder: if folder == "." { "" } else { folder }.to_owned(),
            other: other
                .map(|it| (it.key.to_string(), it.value.source(self.text).to_owned()))
                .collect(),
        })
    }

    /// Says from where a service is built, and which other one is built in the same way, so that it runs that one's image.
    fn built(&self, yaml: &Yaml, service: &mut Service) {
        let Some(build) = self.build(yaml) else { return };
        self.build_fields(yaml, &build, service);
        let same = self
            .services
            .iter()
            .filter(|it| self.build(&it.value).as_ref() == Some(&build));
        let of_folder = |it: &&&Entry| self.build(&it.value).is_some_and(|it| it.folder == build.folder);
        let is_one_of_many = self.services.iter().filter(of_folder).count() > 1;
        if yaml.get("image").is_none() {
            // The image is called after what starts as the build file says, or else after what is reached.
            let unnamed = same.filter(|it| it.value.get("image").is_none());
            let owner = unnamed.min_by_key(|it| (starts_otherwise(&it.value), it.value.get("ports").is_none()));
            service.image_of = owner.map(|it| it.key.to_string()).filter(|it| *it != service.name);
        }
        service.folder = build.folder;
        // What starts otherwise than the build file says need not listen as that says: another of the folder does.
        if is_one_of_many && starts_otherwise(yaml) {
            service.ports.clear();
            service.health = None;
        }
    }

    /// Says how the image of a service is built, as far as a spec has words for it.
    fn build_fields(&self, yaml: &Yaml, build: &Build, service: &mut Service) {
        let fields = &mut service.build;
        if !build.folder.is_empty() {
            fields.put(&["context"], value(&build.folder));
        }
        let is_there = |it: &&str| self.root.join(&build.folder).join(it).is_file();
        let usual = lines("image").map(|it| it.file).find(is_there);
        let mut file = usual.map(value);
        let mut other = Vec::new();
        for entry in yaml.get("build").map(Yaml::entries).unwrap_or_default() {
            let written = plain(&entry.value, self.text)
                .and_then(|it| settled(&it))
                .map(|it| value(&it));
            match (&*entry.key, written) {
                ("context", _) => {}
                ("dockerfile", Some(written)) => file = Some(written),
                ("target", Some(written)) => fields.put(&["target"], written),
                ("args", _) => {
                    for (name, content) in pairs(&entry.value, self.text) {
                        let is_secret = credential::looks_like(&content, Some(&name)).is_some();
                        match settled(&content).filter(|it| !it.is_empty() && !is_secret) {
                            Some(content) => fields.put(&["args", name.as_str()], value(&content)),
                            None => other.push(format!("args {name}")),
                        }
                    }
                }
                (key, _) => other.push(key.to_owned()),
            }
        }
        if let Some(file) = file {
            fields.put(&["file"], file);
        }
        if !other.is_empty() {
            service.left_out.push(format!("build {}", other.join(" ")));
        }
    }

    /// Returns the image that is named; what comes from outside is a tag at most.
    fn image(&self, yaml: &Yaml, said: &mut Said) -> Option<String> {
        let image = yaml.get("image")?;
        let written = image.as_str()?;
        settled(written)
            .filter(|it| !it.is_empty() && !it.contains(char::is_whitespace))
            .or_else(|| {
                said.leave_out("image", image, self.text);
                settled(written.split_once(":$")?.0)
            })
    }

    fn ports(&self, yaml: &Yaml, service: &mut Service, said: &mut Said) {
        for key in ["ports", "expose"] {
            let mut left_out = Vec::new();
            for written in yaml.get(key).map(Yaml::items).unwrap_or_default() {
                let port = port(written, self.text);
                if port.as_ref().is_none_or(|it| !it.1) {
                    left_out.push(written);
                }
                port.into_iter().for_each(|it| service.listen(it.0));
            }
            said.leave_out_all(key, &left_out, self.text);
        }
    }

    /// Takes over how a service is asked for its health, and how often; where nothing is known to be asked, neither.
    fn health(&self, yaml: &Yaml, service: &mut Service, said: &mut Said) {
        let Some(health) = yaml.get("healthcheck") else { return };
        let test = health.get("test");
        let is_off = test.is_some_and(|it| it.source(self.text).contains("NONE"))
            || health.get("disable").is_some_and(|it| it.data == Data::Bool(true));
        if is_off {
            service.health = None;
            return;
        }
        let mut is_asked = test.is_none() && service.health.is_some();
        if let Some(test) = test {
            service.health = None;
            if let Some(address) = health_of(test.source(self.text)) {
                service.ask(address);
                is_asked = true;
            } else if let Some(words) = check(test, self.text) {
                let words: Vec<String> = words.iter().map(|it| value(it)).collect();
                let command = format!("[{}]", words.join(", "));
                said.fields.put(&["deployment", "health_check", "command"], command);
                is_asked = true;
            }
        }
        if !is_asked {
            said.left_out.push("healthcheck".to_owned());
            return;
        }
        for entry in health.entries() {
            if &*entry.key != "test" && &*entry.key != "disable" {
                said.take("field", &format!("healthcheck.{}", entry.key), &entry.value, self.text);
            }
        }
    }

    fn mounts(&self, yaml: &Yaml, said: &mut Said) {
        let mut left_out = Vec::new();
        for written in yaml.get("volumes").map(Yaml::items).unwrap_or_default() {
            let mount = mount(written, self.text).filter(|it| self.is_kept(&it.volume));
            let place = mount.as_ref().map(|it| ["deployment", "volumes", it.volume.as_str()]);
            match mount.as_ref().zip(place).filter(|it| !said.fields.has(&it.1)) {
                Some((mount, place)) => said.fields.put(&place, mount.written()),
                None => left_out.push(written),
            }
        }
        said.leave_out_all("volumes", &left_out, self.text);
    }

    /// Says which volume holds the data of infrastructure of the type `ty`, and leaves out all others that it mounts.
    fn volume_of_infra(&self, volumes: &Yaml, ty: &str, said: &mut Said) {
        let mut left_out = Vec::new();
        for written in volumes.items() {
            let mount = mount(written, self.text).filter(|it| !it.is_read_only);
            let named = mount.filter(|it| self.is_found_by_name(&it.volume));
            let field = named.as_ref().and_then(|it| field_of_infra("volume", &it.path, ty));
            match named.zip(field.filter(|it| !said.fields.has(it))) {
                Some((mount, field)) => said.fields.put(&field, value(&mount.volume)),
                None => left_out.push(written),
            }
        }
        said.leave_out_all("volumes", &left_out, self.text);
    }

    /// Returns what the file says of a volume, if it declares it.
    fn declared(&self, volume: &str) -> Option<&Entry> {
        self.yaml.get("volumes")?.entry(volume)
    }

    /// Tells whether a volume is declared, and is called by its name in the file and the project's alone.
    fn is_found_by_name(&self, volume: &str) -> bool {
        let is_other = |it: &Yaml| ["name", "external", "driver"].iter().any(|key| it.get(key).is_some());
        self.declared(volume).is_some_and(|it| !is_other(&it.value))
    }

    /// Tells whether a volume is declared, and not what infrastructure keeps anyway.
    fn is_kept(&self, volume: &str) -> bool {
        self.declared(volume).is_some() && self.infra.iter().all(|it| self.mounting(it.0, volume).is_none())
    }

    /// Returns whether a service mounts this volume to read only, if it mounts it.
    fn mounting(&self, entry: &Entry, volume: &str) -> Option<bool> {
        let volumes = entry.value.get("volumes").map(Yaml::items).unwrap_or_default();
        let mounts = volumes.iter().filter_map(|it| mount(it, self.text));
        mounts
            .filter(|it| it.volume == volume)
            .map(|it| it.is_read_only)
            .reduce(|a, b| a && b)
    }

    /// Returns the volumes that services mount.
    fn volumes(&self) -> Vec<Volume> {
        let declared = self.yaml.get("volumes").map(Yaml::entries).unwrap_or_default();
        let kept = declared.iter().filter(|it| self.is_kept(&it.key));
        kept.filter_map(|entry| {
            let mounting: Vec<bool> = self
                .services
                .iter()
                .filter_map(|it| self.mounting(it, &entry.key))
                .collect();
            let mut fields = Tree::default();
            if entry
                .value
                .get("external")
                .is_some_and(|it| it.data != Data::Bool(false))
            {
                fields.put(&["external"], "true");
            }
            if mounting.len() > 1 && mounting.contains(&false) {
                fields.put(&["shared"], "true");
            }
            let mut said = Said::default();
            let other = entry.value.entries().iter().filter(|it| &*it.key != "external");
            other.for_each(|it| said.leave_out(&it.key, &it.value, self.text));
            (!mounting.is_empty()).then(|| Volume {
                name: entry.key.to_string(),
                fields,
                left_out: said.left_out,
            })
        })
        .collect()
    }

    fn variables(&self, yaml: &Yaml, service: &mut Service) {
        for (key, content) in environment(yaml, self.text) {
            let is_left_out =
                content.is_empty() || content.contains('$') || credential::looks_like(&content, Some(&key)).is_some();
            if is_left_out {
                service.left_out.push(key);
            } else {
                service.env.push((key, content));
            }
        }
    }

    fn infra(&self, entry: &Entry, ty: &'static str) -> Infra {
        let yaml = &entry.value;
        let mut said = Said::default();
        let image = self.image(yaml, &mut said).unwrap_or_default();
        let (name, tag) = name_and_tag(&image);
        let version = tag
            .split('-')
            .next()
            .filter(|it| it.starts_with(|it: char| it.is_ascii_digit()));
        if let Some(version) = version {
            said.fields.put(&["version"], value(version));
        }
        // The type stands for one image; another of that kind is named.
        let is_usual = lines("infra")
            .find(|it| it.name == Some(ty))
            .is_some_and(|it| it.file == name);
        // What stands behind a version is another make of it.
        let is_said = version == Some(tag) || tag.is_empty() || tag == "latest";
        if !is_usual || !is_said || image.contains('@') {
            said.fields.put(&["image"], value(&image));
        }
        for (key, content) in environment(yaml, self.text) {
            match field_of_infra("variable", &key, ty).zip(name_of(&content)) {
                Some((field, content)) => said.fields.put(&field, value(&content)),
                None => said.left_out.push(key),
            }
        }
        for entry in yaml.entries() {
            match &*entry.key {
                "image" | "environment" => {}
                "ports" => {
                    said.leave_out("ports", &entry.value, self.text);
                    said.left_out
                        .last_mut()
                        .into_iter()
                        .for_each(|it| it.push_str(" (published)"));
                }
                "volumes" => self.volume_of_infra(&entry.value, ty, &mut said),
                key if key.starts_with("x-") => {}
                key => said.take("field-of-infra", key, &entry.value, self.text),
            }
        }
        Infra {
            name: entry.key.to_string(),
            ty,
            fields: said.fields,
            left_out: said.left_out,
        }
    }

    /// Returns the scalar at a dotted path.
    fn at(&self, yaml: &Yaml, path: &str) -> Option<String> {
        plain(path.split('.').try_fold(yaml, |yaml, key| yaml.get(key))?, self.text)
    }
}

/// Returns the name of a project whose file says none: that of its folder, without what it does not take.
fn by_folder(root: &Path) -> Option<String> {
    let folder = root.file_name()?.to_string_lossy().to_lowercase();
    let is_taken = |it: &char| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '-' | '_');
    let name: String = folder.chars().filter(is_taken).collect();
    let name = name.trim_start_matches(['-', '_']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns the path of the field that says the same as `key` of infrastructure of the type `ty`: one of its variables, or
/// where it keeps its data.
fn field_of_infra(what: &'static str, key: &str, ty: &str) -> Option<Vec<&'static str>> {
    let line = lines(what).find(|it| it.file == key && it.word == Some(ty))?;
    Some(line.name?.split('.').collect())
}

/// Returns the type of infrastructure that a service is, if its image is one of a kind that is known and it is not built here.
fn infrastructure(yaml: &Yaml) -> Option<&'static str> {
    let image = yaml.get("image")?.as_str().filter(|_| yaml.get("build").is_none())?;
    let last = name_and_tag(image).0.rsplit('/').next()?;
    lines("infra").find(|it| it.file == last)?.name
}

/// Returns the name of an image and its tag, without the digest that it may have.
fn name_and_tag(image: &str) -> (&str, &str) {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rfind('/').map_or(0, |it| it + 1);
    match image[last..].find(':') {
        Some(at) => (&image[..last + at], &image[last + at + 1..]),
        None => (image, ""),
    }
}

/// Tells whether a service starts something else than its build file says.
fn starts_otherwise(yaml: &Yaml) -> bool {
    ["command", "entrypoint"].iter().any(|it| yaml.get(it).is_some())
}

/// Leaves out the ports of the host that `service` can't have: one is had once, and by one container.
fn claim(service: &mut Service, is_one: bool, claimed: &mut BTreeSet<(u16, bool)>) {
    for port in &mut service.ports {
        let Some(published) = port.published else { continue };
        if !is_one || !claimed.insert((published, port.is_udp)) {
            service
                .left_out
                .push(format!("ports {published}:{} (published)", port.number));
            port.published = None;
            port.host_ip = None;
        }
    }
}

fn environment(yaml: &Yaml, text: &str) -> Vec<(String, String)> {
    yaml.get("environment").map_or_else(Vec::new, |it| pairs(it, text))
}
