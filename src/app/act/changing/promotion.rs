//! Promotion: what runs here, proven, is to run in the next environment. Finds the service it goes to.

use super::Refusal;
use crate::{
    app::App,
    fleet::{EnvironmentId, Service},
    operation::{Argument, Intent},
};

impl App {
    /// The promotion of the one service that `intent` names: its image, to the same application in the next
    /// environment, on the same connection.
    pub(super) fn promotion(&self, intent: &Intent) -> Result<Intent, Refusal> {
        let no = |text: String, hint: Option<&str>| Err(Refusal::new(text, hint));
        let [subject] = intent.subjects.as_slice() else {
            return no("One service is promoted at a time.".to_owned(), Some("Take the marks away with esc."));
        };
        let Some(source) = self.known.store.get(subject).and_then(|it| it.as_service()) else {
            return no(format!("`{}` is gone.", subject.key), None);
        };
        let name = &source.name;
        let Some(from) = &source.environment else {
            return no(
                format!("{name} belongs to no environment, so there is none after it."),
                Some("Say in the configuration which stack or namespace belongs to which environment."),
            );
        };
        let Some(image) = source.image.clone().filter(|image| image.digest.is_some()) else {
            return no(
                format!("The digest that {name} runs is not known, and only a digest can be promoted."),
                Some("Deploy it with its digest, or let the platform resolve the tag."),
            );
        };
        let Some(to) = self.known.environments.next(from) else {
            return no(format!("{from} is the last environment: there is nowhere to promote {name} to."), None);
        };
        let target = self.target(source, to)?;
        if let Some(running) = &target.image
            && running.same_digest(&image) == Some(true)
        {
            return no(format!("{} in {to} runs this digest already.", target.name), None);
        }
        let argument = Argument::Image { image, from: from.clone() };
        Ok(Intent::new(intent.verb, vec![target.id.clone()], argument))
    }

    fn target(&self, source: &Service, to: &EnvironmentId) -> Result<&Service, Refusal> {
        let application = &source.application;
        let same = |service: &&Service| service.application == *application && service.environment.as_ref() == Some(to);
        let mut here = self.known.store.services().filter(same).filter(|it| it.id.connection == source.id.connection);
        match (here.next(), here.next()) {
            (Some(target), None) => Ok(target),
            (Some(one), Some(other)) => Err(Refusal::new(
                format!("{to} has several services for {application}: {} and {}.", one.name, other.name),
                Some("Promotion goes by the application's name; it must mean one service."),
            )),
            (None, _) => Err(match self.known.store.services().find(same) {
                Some(elsewhere) => Refusal::new(
                    format!(
                        "{application} in {to} is on {}, and {} is on {}.",
                        elsewhere.id.connection, source.name, source.id.connection
                    ),
                    Some("Promotion stays on one connection for now: deploy the digest there by hand or pipeline."),
                ),
                None => Refusal::new(format!("{to} has no service for {application}."), None),
            }),
        }
    }
}
