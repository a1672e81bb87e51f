//! Images, shared between the tasks that run them.

use std::{collections::HashMap, sync::Arc};

use crate::fleet::{Image, Text};

/// Hands out one shared image for equal ones.
#[derive(Debug, Default)]
pub(super) struct Images {
    known: HashMap<(String, String), Arc<Image>>,
}

impl Images {
    /// The shared image of `reference` that runs as `image_id`, as the kubelet writes it:
    /// `registry/name@sha256:…`. A bare `sha256:…` names a configuration, not a manifest, and compares with nothing.
    pub(super) fn image(&mut self, reference: &str, image_id: Option<&str>) -> Arc<Image> {
        let digest = image_id.and_then(|id| id.split_once('@')).map_or("", |(_, digest)| digest);
        let key = (reference.to_owned(), digest.to_owned());
        let known = self.known.entry(key).or_insert_with(|| {
            let mut image = Image::parse(reference);
            if !digest.is_empty() {
                image.digest = Some(Text::clean(digest));
            }
            Arc::new(image)
        });
        Arc::clone(known)
    }

    /// Forgets what no row holds any more.
    pub(super) fn trim(&mut self) {
        self.known.retain(|_, image| Arc::strong_count(image) > 1);
    }
}
