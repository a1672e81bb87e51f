//! What one may be allowed to do to pods, as reviews of access ask for it.

/// What one may be allowed to do to pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::adapters::kubernetes) enum Right {
    /// End them within their budgets.
    Evict,
    /// End them.
    Delete,
    /// Run commands in them.
    Exec,
    /// Reach their ports.
    Forward,
}

impl Right {
    /// The API's verb, and the part of a pod it is done to.
    pub(super) const fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Evict => ("create", "eviction"),
            Self::Delete => ("delete", ""),
            Self::Exec => ("create", "exec"),
            Self::Forward => ("create", "portforward"),
        }
    }

    /// What it is called where it is lacked.
    pub(in crate::adapters::kubernetes) const fn word(self) -> &'static str {
        match self {
            Self::Evict => "evict",
            Self::Delete => "delete",
            Self::Exec => "go into",
            Self::Forward => "forward ports of",
        }
    }

    /// As whoever grants it writes it.
    pub(in crate::adapters::kubernetes) const fn rule(self) -> &'static str {
        match self {
            Self::Evict => "create pods/eviction",
            Self::Delete => "delete pods",
            Self::Exec => "create pods/exec",
            Self::Forward => "create pods/portforward",
        }
    }
}
