//! The border between the console and the platforms: what an adapter promises and what it is given.

mod adapter;
mod cancel;
mod candidate;
mod logs;
mod profile;
mod scribe;
mod secret;
mod session;

pub use adapter::Adapter;
pub use cancel::{Cancel, Canceller};
pub use candidate::Candidate;
pub use logs::LogRequest;
pub use profile::{Checkup, Freshness, Profile};
pub use scribe::{Scribe, Ticket};
pub use secret::Secret;
pub use session::{Told, Typed};

/// A boxed stream, as adapters return it.
pub type BoxStream<'a, T> = std::pin::Pin<Box<dyn futures_core::Stream<Item = T> + Send + 'a>>;
/// A boxed future, as adapters return it.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
