//! What the benches ask of the machine: what a process costs, where the storage in memory is, and what runs here.
//!
//! Everything is read from files of the system; where it has none (not Linux), figures are missing rather than made up.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What a run cost, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From its start to its end.
    pub(crate) wall: f64,
    /// On all processors together.
    pub(crate) cpu: f64,
}

impl Cost {
    pub(crate) fn show_cpu(&self) -> String {
        show(self.cpu)
    }

    pub(crate) fn show_wall(&self) -> String {
        show(self.wall)
    }
}

fn show(seconds: f64) -> String {
    if seconds < 0.95 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// A folder of our own that goes with this.
pub(crate) struct Storage {
    pub(crate) folder: TempDir,
    pub(crate) is_memory: bool,
}

impl Storage {
    /// Takes a folder in memory, or where the system keeps what is temporary.
    pub(crate) fn find() -> Self {
        match TempDir::with_prefix_in("gen-bench-", "/dev/shm") {
            Ok(folder) => Self {
                folder,
                is_memory: true,
            },
            Err(_) => Self {
                folder: TempDir::with_prefix("gen-bench-").expect("there is a temporary folder"),
                is_memory: false,
            },
        }
    }
}

/// Runs `command` to its end, which must be a success.
pub(crate) fn run(command: &mut Command) -> Cost {
    let (before, start) = (cpu_of_children(), Instant::now());
    let status = command.status().expect("the program is there");
    let wall = start.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} failed: {status}");
    Cost {
        wall,
        cpu: cpu_of_children() - before,
    }
}

/// Returns the processor time of all children that have ended. The system counts it in hundredths of a second.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold anything: count from its end.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|it| it.1.split_whitespace().collect())
        .unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(13) + ticks(14)) / 100.0
}

/// Runs `command` and returns the most memory it held, in megabytes.
pub(crate) fn peak_memory(command: &mut Command) -> f64 {
    let mut child = command.spawn().expect("the program is there");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = f64::NAN;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        peak = peak.max(kilobytes.map_or(f64::NAN, |it| it * 1024.0 / 1e6));
        if let Some(status) = child.try_wait().expect("it is our child") {
            assert!(status.success(), "{command:?} failed: {status}");
            return peak;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Says in one line what this machine is.
pub(crate) fn facts(storage: &Storage) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|it| it.strip_prefix("model name"))
        .and_then(|it| it.split_once(':'));
    let model = model.map_or("an unknown processor", |it| it.1.trim());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let place = if storage.is_memory {
        "in memory (/dev/shm)"
    } else {
        "in the temporary folder, which may be a disk"
    };
    let git = Command::new("git")
        .arg("--version")
        .output()
        .map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    format!(
        "{cores} cores of {model}, Linux {}, load {load} at the start; files {place}; {}; {}",
        system.trim(),
        git.unwrap_or_else(|_| "no git".to_owned()),
        if Path::new("/proc/self/stat").exists() {
            "release build"
        } else {
            "processor times unknown"
        },
    )
}
