//! Promotion: what runs here, proven, is to run in the next environment. Finds the service it goes to.

use super::{
    intent::{Argument, Intent},
    verb::Verb,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{EnvironmentId, Environments, ResourceId, Service, Store},
};

/// The promotion of the one service in `subjects`: its image, to the same application on the same connection, in the
/// next environment or in the later one that `to` names.
pub fn promotion(
    store: &Store,
    environments: &Environments,
    subjects: &[ResourceId],
    to: Option<&EnvironmentId>,
) -> Result<Intent> {
    let [subject] = subjects else {
        return Err(impossible("promote takes one service at a time").hint("name or mark one"));
    };
    let Some(source) = store.get(subject).and_then(|it| it.as_service()) else {
        return Err(Error::new(ErrorKind::NotFound, format!("`{}` is gone", subject.key)));
    };
    let name = &source.name;
    let Some(from) = &source.environment else {
        return Err(impossible(format!("{name} belongs to no environment, so there is none after it"))
            .hint("say in the configuration which stack or namespace belongs to which environment"));
    };
    let Some(image) = source.image.clone().filter(|image| image.digest.is_some()) else {
        return Err(impossible(format!("the digest that {name} runs is not known, and only a digest can be promoted"))
            .hint("deploy it with its digest, or let the platform resolve the tag"));
    };
    let to = next(environments, source, from, to)?;
    let target = target(store, source, to)?;
    if let Some(running) = &target.image
        && running.same_digest(&image) == Some(true)
    {
        return Err(impossible(format!("{} in {to} runs this digest already", target.name)));
    }
    let argument = Argument::Image { image, from: from.clone() };
    Ok(Intent::new(Verb::Promote, vec![target.id.clone()], argument))
}

fn next<'a>(
    environments: &'a Environments,
    source: &Service,
    from: &EnvironmentId,
    wanted: Option<&EnvironmentId>,
) -> Result<&'a EnvironmentId> {
    let name = &source.name;
    let Some(wanted) = wanted else {
        return environments.next(from).ok_or_else(|| {
            impossible(format!("{from} is the last environment: there is nowhere to promote {name} to"))
        });
    };
    let known = environments.0.iter().map(|it| &it.id).find(|it| *it == wanted);
    let known = known.ok_or_else(|| environments.unknown(wanted))?;
    if environments.rank(known) <= environments.rank(from) {
        return Err(impossible(format!("{known} does not come after {from}, where {name} runs")));
    }
    Ok(known)
}

fn target<'a>(store: &'a Store, source: &Service, to: &EnvironmentId) -> Result<&'a Service> {
    let application = &source.application;
    let same = |service: &&Service| service.application == *application && service.environment.as_ref() == Some(to);
    let mut here = store.services().filter(same).filter(|it| it.id.connection == source.id.connection);
    match (here.next(), here.next()) {
        (Some(target), None) => Ok(target),
        (Some(one), Some(other)) => {
            let several = format!("{to} has several services for {application}: {} and {}", one.name, other.name);
            Err(impossible(several).hint("promotion goes by the application's name; it must mean one service"))
        }
        (None, _) => Err(match store.services().find(same) {
            Some(elsewhere) => impossible(format!(
                "{application} in {to} is on {}, and {} is on {}",
                elsewhere.id.connection, source.name, source.id.connection
            ))
            .hint("promotion stays on one connection for now: deploy the digest there by hand or pipeline"),
            None => impossible(format!("{to} has no service for {application}")),
        }),
    }
}

fn impossible(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
