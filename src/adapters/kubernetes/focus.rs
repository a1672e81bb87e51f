//! Where we look when we may not look at all namespaces: at one. That of the context, as `kubectl` does, until somebody names
//! another.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// The namespace that is looked at in place of all.
#[derive(Debug, Default)]
pub(super) struct Focus {
    namespace: Mutex<Option<String>>,
    /// Whether a list of all namespaces was refused, so that it matters.
    narrow: AtomicBool,
}

impl Focus {
    /// On `namespace`, or on that of the context.
    pub(super) fn on(namespace: Option<String>) -> Self {
        Self { namespace: Mutex::new(namespace), narrow: AtomicBool::new(false) }
    }

    /// Looks at `namespace` from now on. True where lists are others because of that.
    pub(super) fn turn(&self, namespace: Option<String>) -> bool {
        let mut known = self.namespace.lock().unwrap_or_else(PoisonError::into_inner);
        let turned = *known != namespace;
        *known = namespace;
        turned && self.narrow.load(Ordering::Relaxed)
    }

    /// A list of all namespaces was refused: the one to look at, where somebody named one.
    pub(super) fn narrowed(&self) -> Option<String> {
        self.narrow.store(true, Ordering::Relaxed);
        self.namespace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
