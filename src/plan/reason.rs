//! Why an artifact changes.
//!
//! Made where staleness is decided; the plan only carries it to the reports.

use std::sync::Arc;

/// One input that changed, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Reason {
    /// What changed, as people name it: `services.orders.deployment.replicas`, `rules/tubes/line.yaml`.
    pub input: Arc<str>,
    /// What it was; `None` where it did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Arc<str>>,
    /// What it is now; `None` where it no longer exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Arc<str>>,
}
