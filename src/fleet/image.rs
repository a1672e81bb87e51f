//! What a service runs: a reference people wrote and the digest it stands for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// An image reference, pinned or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Image {
    /// Repository and tag, without the digest: `registry:5000/team/app:1.2`.
    pub reference: Text,
    /// `sha256:…` (64 hex digits), where the platform knows it.
    pub digest: Option<Text>,
}

impl Image {
    /// Reads `repository[:tag][@sha256:…]`.
    pub fn parse(raw: &str) -> Self {
        match raw.split_once('@') {
            Some((reference, digest)) => Self { reference: Text::clean(reference), digest: Some(Text::clean(digest)) },
            None => Self { reference: Text::clean(raw), digest: None },
        }
    }

    /// The digest as people compare it: its first 12 hex digits.
    pub fn short_digest(&self) -> Option<&str> {
        let digest = self.digest.as_deref()?;
        let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
        hex.get(..12).or(Some(hex))
    }

    /// The reference without registry and path: `app:1.2`.
    pub fn short_reference(&self) -> &str {
        self.reference.rsplit_once('/').map_or(&*self.reference, |(_, name)| name)
    }

    /// The repository: the reference without its tag.
    pub fn repository(&self) -> &str {
        match self.reference.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => repository,
            Some(_) | None => &self.reference,
        }
    }

    /// Whether both certainly run the same bits. Without two digests nobody knows.
    pub fn same_digest(&self, other: &Self) -> Option<bool> {
        Some(self.digest.as_ref()? == other.digest.as_ref()?)
    }
}

/// The full reference as a platform takes it.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reference)?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_the_registry_is_not_a_tag() {
        assert_eq!(Image::parse("hub:5000/lab/app").repository(), "hub:5000/lab/app");
        assert_eq!(Image::parse("hub:5000/lab/app:2").repository(), "hub:5000/lab/app");
        assert_eq!(Image::parse("hub:5000/lab/app:2@sha256:0123456789abcdef").short_digest(), Some("0123456789ab"));
        assert_eq!(Image::parse("hub:5000/lab/app:2").short_reference(), "app:2");
    }
}
