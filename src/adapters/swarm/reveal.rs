//! The one place that reads join tokens to show them. Everything else masks them (`mask`) or compares their hashes.

use std::sync::Arc;

use super::{engine::Engine, way::Token};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId},
    platform::Secret,
};

/// The join tokens of the swarm that `id` is.
pub(super) async fn reveal(engine: Arc<Engine>, id: ResourceId) -> Result<Vec<Secret>> {
    if id.kind != Kind::Cluster {
        return Err(Error::new(ErrorKind::Unsupported, format!("a swarm keeps no token of a {}", id.kind.word())));
    }
    let swarm = engine.swarm().await?;
    let token = |token: Token| {
        let words = swarm.pointer(&format!("/JoinTokens/{}", token.word())).and_then(|it| it.as_str());
        let words = words.filter(|words| !words.is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::Malformed, "the swarm was answered without its join tokens")
                .hint("only managers tell them; connect to one")
        })?;
        Ok(Secret::new(&format!("join token of {}s", token.word().to_lowercase()), words))
    };
    [Token::Worker, Token::Manager].into_iter().map(token).collect()
}
