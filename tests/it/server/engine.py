#!/usr/bin/env python3
"""Stands for `docker` where no engine runs: the containers of a Compose file are processes of this machine.

    docker serve             what starts and stops them; it ends with whatever it has started
    docker compose up|stop|pause|unpause|ps|build|exec …, docker run …    as far as the scripts of a server use it

$ENGINE is the folder of all that it keeps: volumes, what containers print, what has happened. `compose.json` beside the
Compose file is the same file as JSON. All listen on 127.0.0.1, so each port of a container is another one here: it is
replaced wherever it stands behind the name of the container, and in what the container itself is told. Images are
stood for by programs: that of Python by nothing, of PostgreSQL, Redis and Caddy by Debian's programs and the judge's.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOM = Path(os.environ["ENGINE"])
SOCKET = str(ROOM / "engine.sock")
NOBODY = 65534
# PostgreSQL refuses to run as root.
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
UNIT = {"s": 1, "m": 60, "h": 3600}


def seconds(text):
    return sum(int(number) * UNIT[unit] for number, unit in re.findall(r"(\d+)([smh])", text))


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Failure(Exception):
    pass


class Container:
    """One container, with its ports and its variables as they are here."""

    def __init__(self, project, name, said):
        self.project, self.name, self.said, self.process, self.code = project, name, said, None, None
        self.image = said["image"].rsplit("/", 1)[-1].split(":")[0]
        self.volumes = {it["target"]: self.project.volume(it["source"]) for it in said.get("volumes", []) if it["type"] == "volume"}
        self.env = {key: project.here(str(value), name) for key, value in said.get("environment", {}).items()}
        for key in [it for it in self.env if self.env[it].startswith("/run/secrets/")]:
            self.env[key.removesuffix("_FILE")] = project.secret(self.env.pop(key).rsplit("/", 1)[1])
        if "build" in said:
            # What runs as it is listens on all addresses of its container, and here on the one that it may.
            self.folder = project.folder / said["build"]["context"]
            self.env["HOST"] = "127.0.0.1"
        else:
            self.folder = next(iter(self.volumes.values()), ROOM)
        if self.image == "postgres":
            self.env |= {"PGHOST": str(ROOM), "PGDATA": str(self.folder)}
        self.command = [project.here(it, name) for it in said.get("command", [])]

    def run(self, command, **more):
        """Starts a command as if within the container."""
        within = AS_NOBODY if self.image == "postgres" else []
        env = {"PATH": os.environ["PATH"], "HOME": str(ROOM)} | self.env
        return subprocess.Popen(within + command, cwd=self.folder, env=env, **more)

    def start(self):
        if self.process and self.process.poll() is None:
            return
        command = self.command
        if self.image == "postgres":
            command = self.postgres()
        elif self.image == "redis":
            command = self.command + ["--bind", "127.0.0.1", "--dir", str(self.folder)]
        elif self.image == "caddy":
            command = self.caddy()
        log = open(ROOM / f"{self.name}.log", "ab")
        self.process = self.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.project.happened("started", self.name)

    def postgres(self):
        if AS_NOBODY:
            os.chown(self.folder, NOBODY, NOBODY)
        os.chmod(self.folder, 0o700)
        if not (self.folder / "PG_VERSION").exists():
            # It reads the password again by its name, which no pipe of ours has for it.
            made = self.run(
                ["sh", "-c", 'umask 077 && cat >"$PGDATA.password" && initdb --username "$POSTGRES_USER" --pwfile "$PGDATA.password" '
                 '--auth-local=trust --auth-host=scram-sha-256 --no-sync --encoding=UTF8 --locale=C >&2'],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            said = made.communicate(self.env["POSTGRES_PASSWORD"])[1]
            if made.returncode:
                raise Failure(f"{self.name}: initdb: {' '.join(said.split())}")
            single = self.run(["postgres", "--single", "-D", str(self.folder), "postgres"], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            single.communicate(f'CREATE DATABASE "{self.env["POSTGRES_DB"]}"\n')
        return ["postgres", "-D", str(self.folder), "-p", self.env["PGPORT"], "-h", "127.0.0.1", "-k", str(ROOM)] + self.command[1:]

    def caddy(self):
        text = (self.project.folder / "Caddyfile").read_text()
        ports = "".join(f"\t{key} {self.project.port(self.name, at)}\n" for key, at in (("http_port", 80), ("https_port", 443)))
        text = self.project.here(text, self.name).replace("{\n", "{\n" + ports, 1)
        text = re.sub(r"^(http://\S+) \{$", r"\1 {\n\tbind 127.0.0.1", text, flags=re.MULTILINE)
        (ROOM / "Caddyfile").write_text(text)
        self.env |= {"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(ROOM / "Caddyfile")]

    def healthy(self):
        """Asks as the Compose file says until it is healthy, or has failed so often that it is not."""
        check = self.said.get("healthcheck", {})
        if check.get("disable") or "test" not in check:
            return
        kind, *words = [self.project.here(it, self.name) for it in check["test"]]
        command = words if kind == "CMD" else ["sh", "-c", words[0]]
        bound = time.monotonic() + seconds(check["start_period"]) + check["retries"] * seconds(check["interval"])
        while True:
            asked = self.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                if asked.wait(timeout=seconds(check["timeout"])) == 0:
                    return self.project.happened("healthy", self.name)
            except subprocess.TimeoutExpired:
                asked.kill()
            if self.process.poll() is not None or time.monotonic() > bound:
                raise Failure(f"{self.name} is unhealthy")
            time.sleep(0.1)

    def completed(self):
        if self.process.wait(timeout=60):
            raise Failure(f"{self.name} ended with {self.process.returncode}")
        self.project.happened("completed", self.name)

    def stop(self):
        if self.process and self.process.poll() is None:
            # PostgreSQL's image asks for a stop that does not wait for who is connected.
            self.process.send_signal(signal.SIGINT if self.image == "postgres" else signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.project.happened("stopped", self.name)


class Project:
    """A Compose project: its containers in the order of their start."""

    def __init__(self, folder):
        self.folder, self.ports = folder, {}
        self.variables = dict(re.findall(r"^(\w+)='?([^'\n]*)'?$", (folder / ".env").read_text(), re.MULTILINE))
        self.said = self.filled(json.loads((folder / "compose.json").read_text()))
        services = self.said["services"]
        named = "|".join(map(re.escape, services))
        self.address = re.compile(rf"(?<![\w.-])({named}):(\d+)\b(?![.-])")
        for name, number in self.address.findall(json.dumps(self.said) + (folder / "Caddyfile").read_text()):
            self.port(name, int(number))
        self.containers = {}
        while len(self.containers) < len(services):
            for name, said in services.items():
                if name not in self.containers and all(it in self.containers for it in said.get("depends_on", {})):
                    self.containers[name] = Container(self, name, said)

    def filled(self, value):
        """Puts variables in, as Compose does."""
        if isinstance(value, dict):
            return {key: self.filled(it) for key, it in value.items()}
        if isinstance(value, list):
            return [self.filled(it) for it in value]
        if not isinstance(value, str):
            return value

        def variable(found):
            if found[0] == "$$":
                return "$"
            given = self.variables.get(found[1]) or (found[3] if found[2] == ":-" else None)
            if given is None:
                raise Failure(f"required variable {found[1]} is missing a value: {found[3]}")
            return given

        return re.sub(r"\$\$|\$\{(\w+)(?:(:[-?])([^}]*))?\}", variable, value)

    def port(self, name, number):
        if (name, number) not in self.ports:
            self.ports[name, number] = free_port()
            (ROOM / "ports.json").write_text(json.dumps({f"{name}:{at}": it for (name, at), it in self.ports.items()}))
        return self.ports[name, number]

    def here(self, text, name):
        """A text of a container with the addresses and the ports that are meant here."""
        own = {str(number): str(it) for (owner, number), it in self.ports.items() if owner == name}
        if text in own:
            return own[text]
        text = self.address.sub(lambda it: f"127.0.0.1:{self.port(it[1], int(it[2]))}", text)
        # Of what is told it already, nothing is told again.
        known = {str(it) for it in self.ports.values()}
        return re.sub(r"127\.0\.0\.1:(\d+)\b", lambda it: it[0] if it[1] in known else f"127.0.0.1:{self.port(name, int(it[1]))}", text)

    def secret(self, name):
        return self.variables[self.said["secrets"][name]["environment"]]

    def volume(self, name):
        folder = ROOM / "volumes" / f"{self.said['name']}_{name}"
        folder.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o777)
        return folder

    def happened(self, what, name):
        with open(ROOM / "events", "a") as events:
            events.write(f"{what} {name}\n")

    def up(self, names):
        wanted = set(names or self.containers)
        ways = {"service_healthy": Container.healthy, "service_completed_successfully": Container.completed}
        met = set()
        for name, it in self.containers.items():
            if name not in wanted:
                continue
            for other, how in it.said.get("depends_on", {}).items():
                way = ways.get(how["condition"])
                if way and (other, way) not in met:
                    way(self.containers[other])
                    met.add((other, way))
            it.start()
        for name in wanted:
            if (name, Container.completed) not in met:
                self.containers[name].healthy()

    def pause(self, names):
        for name in names:
            self.containers[name].process.send_signal(signal.SIGSTOP)
            self.happened("paused", name)

    def unpause(self, names):
        for name in names:
            self.containers[name].process.send_signal(signal.SIGCONT)
            self.happened("unpaused", name)

    def stop(self, names):
        for name, it in reversed(self.containers.items()):
            if not names or name in names:
                it.stop()


def serve():
    project, asked = None, socket.socket(socket.AF_UNIX)
    asked.bind(SOCKET)
    asked.listen()

    def end(*_):
        if project:
            project.stop([])
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        connection, _ = asked.accept()
        with connection, connection.makefile("rw") as stream:
            what, folder, names = json.loads(stream.readline())
            try:
                project = project or Project(Path(folder))
                getattr(project, what)(names)
                kept = {name: {"env": it.env, "folder": str(it.folder), "image": it.image, "runs": bool(it.process and it.process.poll() is None)}
                        for name, it in project.containers.items()}
                (ROOM / "containers.json").write_text(json.dumps(kept))
                stream.write("\n")
            except Failure as failure:
                stream.write(f"{failure}\n")


def compose(what, words):
    if what == "build":
        return None
    if what == "ps":
        # compose ps --status running --services
        known = json.loads((ROOM / "containers.json").read_text())
        print("\n".join(name for name, it in known.items() if it["runs"]))
        return None
    if what == "exec":
        # compose exec -T NAME COMMAND…
        it = json.loads((ROOM / "containers.json").read_text())[words[1]]
        within = AS_NOBODY if it["image"] == "postgres" else []
        command = within + words[2:]
        os.chdir(it["folder"])
        os.execvpe(command[0], command, dict(os.environ) | it["env"])
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        with connection.makefile("rw") as stream:
            stream.write(json.dumps([what, os.getcwd(), [it for it in words if not it.startswith("-")]]) + "\n")
            stream.flush()
            return stream.readline().strip() or None


def run(words):
    """run --rm [--interactive] --volume VOLUME:PLACE[:ro] IMAGE COMMAND…"""
    words = [it for it in words if it not in ("--rm", "--interactive")]
    volume, place = words[1].split(":")[:2]
    folder = str(ROOM / "volumes" / volume)
    os.makedirs(folder, exist_ok=True)
    command = [re.sub(rf"{place}\b", folder, it) for it in words[3:]]
    os.execvp(command[0], command)


if sys.argv[1] == "serve":
    serve()
elif sys.argv[1] == "compose":
    sys.exit(compose(sys.argv[2], sys.argv[3:]))
elif sys.argv[1] == "run":
    run(sys.argv[2:])
else:
    sys.exit(f"docker: {sys.argv[1:]}")
