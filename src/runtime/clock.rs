//! The console's only look at the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    fleet::{Text, Timestamp},
    operation::{OperationId, Uptime},
};

/// The time now, by the machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long this machine has been up. Only Linux names its boots.
pub fn up() -> Option<Uptime> {
    static BOOT: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        id.split('-').next().map(str::to_owned)
    });
    let boot = BOOT.clone()?;
    #[cfg(target_os = "linux")]
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Some(Uptime { boot, milliseconds: since.tv_sec.saturating_mul(1_000).saturating_add(since.tv_nsec / 1_000_000) })
}

static FROZEN: std::sync::OnceLock<Timestamp> = std::sync::OnceLock::new();

/// From now on, what is shown is shown as it is at `at`: the embedded fleet's clock stands still, and so must ages.
/// The journal goes on with the machine's clock.
pub fn freeze(at: Timestamp) {
    // The first call decides; there is one console in a process.
    let _ = FROZEN.set(at);
}

/// The time that ages in lists are counted from.
pub fn shown() -> Timestamp {
    FROZEN.get().copied().unwrap_or_else(now)
}

/// A name no other operation has: the time in UTC, this process, and a count within it.
pub fn operation_id() -> OperationId {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    OperationId(Text::clean(&format!("{}-{:x}-{count}", compact(now()), std::process::id())))
}

/// `20261121-142233`, UTC.
pub fn compact(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().strftime("%Y%m%d-%H%M%S").to_string()
}
