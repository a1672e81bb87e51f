//! One tag that means different bits in different places.

use std::collections::BTreeMap;

use super::{Attention, View};
use crate::fleet::{health::Health, service::Service};

/// Services that run a tag under another digest than the latest stage does. Worth knowing: what was tested under that
/// name is not what will run.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    let mut by_tag: BTreeMap<(&str, &str), Vec<(usize, &Service)>> = BTreeMap::new();
    for service in view.store.services() {
        let Some(image) = service.image.as_ref().filter(|image| image.digest.is_some()) else { continue };
        let Some(environment) = &service.environment else { continue };
        let rank = view.environments.rank(environment);
        by_tag.entry((&service.application, &image.reference)).or_default().push((rank, service));
    }
    for ((_, reference), mut services) in by_tag {
        services.sort_by(|(a, x), (b, y)| (b, &x.id).cmp(&(a, &y.id)));
        let Some((&(_, latest), earlier)) = services.split_first() else { continue };
        let same =
            |other: &Service| other.image.as_ref().zip(latest.image.as_ref()).and_then(|(a, b)| a.same_digest(b));
        let Some((_, other)) = earlier.iter().find(|(_, other)| same(other) == Some(false)) else { continue };
        let place = |service: &Service| service.environment.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = format!("`{reference}` is another image in {} than here", place(other));
        found.push(Attention::about("moved tag", Health::Idle, latest, text, latest.changed_at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    use crate::fleet::Image;

    fn running(key: &str, environment: &str, image: &str) -> crate::fleet::Resource {
        let mut service = sample::service(key, 1);
        service.application = "auth".into();
        service.environment = Some(environment.into());
        service.image = Some(Image::parse(image));
        service.into()
    }

    #[test]
    fn a_tag_that_was_moved_is_told_where_it_matters_most() {
        let fleet = vec![
            running("qa_auth", "qa", "hub/auth:1@sha256:bb"),
            running("prod_auth", "prod", "hub/auth:1@sha256:aa"),
            running("test_auth", "test", "hub/auth:2@sha256:cc"),
        ];
        assert_eq!(said(rule, fleet), ["idle prod_auth: `hub/auth:1` is another image in qa than here (2h)"]);
    }

    #[test]
    fn without_digests_nobody_knows() {
        let fleet = vec![running("a", "qa", "hub/auth:1"), running("b", "prod", "hub/auth:1@sha256:aa")];
        assert_eq!(said(rule, fleet), Vec::<String>::new());
    }
}
