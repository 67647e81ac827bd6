//! `gen init` beside a compose file: that what it writes is a spec that can be planned at once. What it writes in full is
//! tested beside its code.

use crate::project::Project;

/// A compose file that uses what many do.
const COMPOSE: &str = r#"x-common: &common
  env_file: .env
  restart: unless-stopped
services:
  web:
    <<: *common
    build: .
    command: gunicorn shop.wsgi --bind 0.0.0.0:8000
    ports: ["8000:8000", "127.0.0.1:9443:443", "53:53/udp", "5000-5010:5000-5010"]
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_started, required: false}
      migrate: {condition: service_completed_successfully}
    environment: {LEVEL: "${LEVEL:-info}", DEBUG: "0"}
    healthcheck: {test: [CMD, curl, "http://localhost:8000/up"], interval: 15s, timeout: 3s, retries: 4, start_period: 1m30s}
    deploy:
      replicas: 1
      resources: {limits: {cpus: "0.50", memory: 512M, pids: 100}, reservations: {cpus: 0.25, memory: 128m}}
    volumes: ["media:/srv/media", "./conf:/etc/conf:ro"]
    labels: {team: shop}
    networks: [front, back]
    secrets: [key]
    profiles: [full]
    user: "1000:1000"
    hostname: web
    read_only: true
    cap_drop: [ALL]
    shm_size: 64m
    stop_grace_period: 20s
    stop_signal: SIGINT
    platform: linux/amd64
    entrypoint: /entry
  worker:
    <<: *common
    build: {context: .}
    command: ["celery", "-A", "shop", "--queue", "$${QUEUE}"]
    depends_on: [db, cache, db]
    scale: 3
    ports: ["8001:8001"]
    healthcheck: {test: celery inspect ping || exit 1, interval: 30s}
    volumes: [{type: volume, source: media, target: /srv/media, read_only: true}]
    cpus: 1.5
    mem_limit: 100m
    tty: true
  migrate: {build: ., command: python manage.py migrate, restart: "no", depends_on: [db]}
  proxy: {image: "nginx:${NGINX:-1.27}", ports: [80:80, {target: 443, published: "443"}], healthcheck: {disable: true}}
  db:
    image: postgres:16-alpine
    environment: {POSTGRES_USER: shop, POSTGRES_DB: shop, POSTGRES_PASSWORD: x}
    ports: ["5432:5432"]
    volumes: ["pgdata:/var/lib/postgresql/data"]
    deploy: {resources: {reservations: {cpus: 1, memory: 1g}}}
  cache: {image: "valkey/valkey:8", command: valkey-server --save 60 1}
  queue: {image: "rabbitmq:4-management", environment: [RABBITMQ_DEFAULT_USER=shop]}
volumes: {pgdata: , media: {driver: local}}
networks: {front: , back: }
secrets: {key: {file: ./key}}
"#;

#[test]
fn a_spec_that_is_made_of_a_compose_file_can_be_planned() {
    for pattern in [&[][..], &["--pattern", "hobby-project"], &["--pattern", "kubernetes"]] {
        let project = Project::new()
            .file("compose.yaml", COMPOSE)
            .file("requirements.txt", "django\n")
            .file("Dockerfile", "FROM x\nEXPOSE 8000\n");
        let run = project.run(&[&["init"], pattern].concat());
        assert_eq!(run.code, 0, "{}", run.snapshot());
        let run = project.run(&["check"]);
        let spec = std::fs::read_to_string(project.dir().join("gen.yaml")).expect("written");
        assert_eq!(run.code, 2, "{spec}\n{}", run.snapshot());
        // Some fields have no effect on other platforms, of which they warn.
        let is_clean = run.stderr.starts_with("valid, but not fresh");
        assert!(is_clean || !pattern.is_empty(), "{spec}\n{}", run.snapshot());
    }
}
