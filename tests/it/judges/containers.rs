//! What the readers of Compose, Dockerfiles, Caddyfiles and units say of what is generated for them.

use std::path::Path;

use super::tool::Tools;
use super::{generated, judge, refuse, samples};

#[test]
fn compose_files_pass_compose() {
    judge("compose-go", "Compose files", &generated(is_compose), |tools, files| {
        tools.containercheck("compose", files)
    });
}

#[test]
fn dockerfiles_pass_buildkit() {
    judge("BuildKit", "Dockerfiles", &generated(is_dockerfile), |tools, files| {
        tools.containercheck("dockerfile", files)
    });
}

#[test]
fn dockerfiles_pass_hadolint() {
    judge("hadolint", "Dockerfiles", &generated(is_dockerfile), |tools, files| {
        tools.hadolint(files)
    });
}

#[test]
fn caddyfiles_pass_caddy() {
    let options = ["validate", "--adapter", "caddyfile", "--config"];
    judge(
        "caddy validate",
        "Caddyfiles",
        &generated(is_caddyfile),
        |tools, files| tools.one_by_one("caddy", &options, files),
    );
}

#[test]
fn caddyfiles_are_formatted() {
    judge("caddy fmt", "Caddyfiles", &generated(is_caddyfile), |tools, files| {
        tools.one_by_one("caddy", &["fmt", "--diff"], files)
    });
}

#[test]
fn units_pass_systemd() {
    judge("systemd-analyze verify", "units", &generated(is_unit), Tools::units);
}

#[test]
fn wrong_samples_are_refused() {
    refuse("systemd-analyze verify", &samples("unit"), Tools::units);
    refuse("compose-go", &samples("compose"), |tools, files| {
        tools.containercheck("compose", files)
    });
    refuse("BuildKit", &samples("dockerfile"), |tools, files| {
        tools.containercheck("dockerfile", files)
    });
    refuse("hadolint", &samples("hadolint"), |tools, files| tools.hadolint(files));
    let options = ["validate", "--adapter", "caddyfile", "--config"];
    refuse("caddy validate", &samples("caddyfile"), |tools, files| {
        tools.one_by_one("caddy", &options, files)
    });
}

pub(super) fn is_compose(path: &Path) -> bool {
    // What cases print under this name is of no platform, or mounts what they have not.
    let of_fixtures = path.to_string_lossy().contains("fixtures/");
    path.ends_with("compose/compose.yaml") || (path.ends_with("docker-compose.yml") && of_fixtures)
}

pub(super) fn is_dockerfile(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "Dockerfile")
}

pub(super) fn is_caddyfile(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "Caddyfile")
}

pub(super) fn is_unit(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "service" || it == "timer")
}
