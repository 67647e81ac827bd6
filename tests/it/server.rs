//! What keeps a server: a backup that is had back, and a release that gives way to the one before it. No engine runs
//! here: `server/docker.sh` stands for it, with folders for volumes and files for databases.

mod running;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::tidy::{files, top};

/// A server: a copy of what `fixtures/hobby` generates, and what stands for its engine.
struct Server {
    room: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let server = Self { room };
        let from = top().join("fixtures/hobby/deployments");
        for file in files(&from, "") {
            let to = server
                .path("deployments")
                .join(file.strip_prefix(&from).expect("it was found there"));
            fs::create_dir_all(to.parent().expect("it stands in a folder")).expect("the folder is ours");
            fs::copy(&file, &to).expect("the folder is ours");
        }
        server.write("bin/docker", include_str!("server/docker.sh"));
        // A database of PostgreSQL is a file; what the real programs print and read is that.
        server.write("bin/pg_dump", "#!/bin/sh\nfor name; do :; done\ncat \"$name.sql\"\n");
        server.write("bin/psql", "#!/bin/sh\ncat >shop.sql\n");
        server.write("deployments/compose/.env", "TAG='one'\nSHOP_DB_PASSWORD='none'\n");
        server.write("state/databases/shop-db/shop.sql", "what was there\n");
        server.write("state/volumes/shop_shop-redis-data/appendonly.aof", "a queue\n");
        server.write("state/volumes/shop_caddy-data/caddy/key.pem", "a key\n");
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it stands in a folder")).expect("the folder is ours");
        fs::write(&path, text).expect("the folder is ours");
        if name.starts_with("bin/") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn run(&self, script: &str, arguments: &[&Path]) -> Output {
        Command::new("bash")
            .arg(self.path("deployments/server").join(script))
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("STATE", self.path("state"))
            .output()
            .expect("there is a bash")
    }

    fn backup(&self) -> PathBuf {
        let made = self.run("backup.sh", &[&self.path("backups")]);
        assert!(made.status.success(), "{made:?}");
        let out = String::from_utf8_lossy(&made.stdout).into_owned();
        PathBuf::from(out.lines().last().expect("it names the backup"))
    }
}

#[test]
fn what_was_backed_up_is_had_back() {
    let server = Server::new();
    let backup = server.backup();
    let log = server.read("state/log");
    let asked: Vec<&str> = log.lines().filter_map(|it| it.strip_prefix("compose ")).collect();
    let still = ["pause shop-redis", "unpause shop-redis"].map(|it| asked.iter().position(|asked| *asked == it));
    assert!(
        matches!(still, [Some(first), Some(then)] if first < then),
        "who writes stands still:\n{log}"
    );
    server.write("state/databases/shop-db/shop.sql", "lost\n");
    server.write("state/volumes/shop_shop-redis-data/appendonly.aof", "lost\n");
    server.write("state/volumes/shop_shop-redis-data/more", "made since\n");
    fs::remove_dir_all(server.path("state/volumes/shop_caddy-data")).expect("it is there");

    let restored = server.run("restore.sh", &[&backup]);
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(server.read("state/databases/shop-db/shop.sql"), "what was there\n");
    assert_eq!(
        server.read("state/volumes/shop_shop-redis-data/appendonly.aof"),
        "a queue\n"
    );
    assert_eq!(server.read("state/volumes/shop_caddy-data/caddy/key.pem"), "a key\n");
    assert!(
        !server.path("state/volumes/shop_shop-redis-data/more").exists(),
        "it was made since"
    );
}

#[test]
fn a_backup_that_is_not_whole_is_not_restored() {
    let server = Server::new();
    let backup = server.backup();
    server.write("state/databases/shop-db/shop.sql", "what is there now\n");
    fs::write(backup.join("shop-db.sql.gz"), "cut").expect("it is ours");
    let restored = server.run("restore.sh", &[&backup]);
    assert!(!restored.status.success(), "{restored:?}");
    assert_eq!(server.read("state/databases/shop-db/shop.sql"), "what is there now\n");
    assert!(!server.read("state/log").contains("stop"), "nothing was stopped");
}

#[test]
fn a_release_that_does_not_come_up_gives_way_to_the_one_before() {
    let server = Server::new();
    // The scripts keep backups where the spec says, which is not ours to write to here.
    let update = server.read("deployments/server/update.sh");
    let backups = server.path("backups").display().to_string();
    let told = update.replace("\"$here/backup.sh\"", &format!("\"$here/backup.sh\" '{backups}'"));
    assert_ne!(update, told, "the update begins with a backup");
    server.write("deployments/server/update.sh", &told);

    let good = server.run("update.sh", &[Path::new("two")]);
    assert!(good.status.success(), "{good:?}");
    assert!(server.read("deployments/compose/.env").contains("TAG=two"));
    let bad = server.run("update.sh", &[Path::new("broken")]);
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    let variables = server.read("deployments/compose/.env");
    assert!(
        variables.contains("TAG=two") && !variables.contains("broken"),
        "{variables}"
    );
    assert!(variables.contains("SHOP_DB_PASSWORD"), "{variables}");
    let last = server.read("state/log").lines().last().map(str::to_owned);
    assert_eq!(last.as_deref(), Some("compose up --detach --wait --remove-orphans"));
}
