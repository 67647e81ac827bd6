//! A `gen watch` that a bench has run beside it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A watch that runs until it is dropped.
pub(crate) struct Watching(Child);

impl Watching {
    /// Starts one over the project in `folder`.
    pub(crate) fn over(folder: &Path) -> Self {
        let mut command = Command::new(super::GEN);
        command.args(["watch", "--quiet", "-C"]).arg(folder);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn();
        Self(child.expect("gen starts"))
    }

    /// Returns the memory that it holds, in megabytes.
    pub(crate) fn memory(&mut self) -> f64 {
        assert!(
            self.0.try_wait().expect("it is our child").is_none(),
            "the watch has ended"
        );
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("the system is Linux");
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kilobytes.expect("the system says it") * 1024.0 / 1e6
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended by itself, which is seen then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
