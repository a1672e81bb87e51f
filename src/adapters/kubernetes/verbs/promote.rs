//! Promote: the digest that is proven in one environment becomes the image of the workload in the next.

use serde_json::json;

use super::{
    super::way::Named,
    Bench,
    draft::Draft,
    roll::{moving, replaced, update},
    workload::Reading,
};
use crate::{
    adapters::steps::change::Changes,
    error::{Error, ErrorKind, Result},
    fleet::Image,
    operation::{Argument, Evidence, Intent, OperationId, Plan, Verb},
};

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let Argument::Image { image, from } = &intent.argument else {
        return Err(Error::new(ErrorKind::Usage, "promote needs the image and where it was proven"));
    };
    let Some(digest) = &image.digest else {
        return Err(Error::new(ErrorKind::Refused, format!("{} in {from} has no known digest", image.reference))
            .hint("only a digest that has run can be promoted"));
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let mut last = String::new();
    for subject in &intent.subjects {
        let reading = Reading::of(&draft.bench, Named::of(subject)?).await?;
        last.clone_from(&reading.name);
        moving(&reading)?;
        let images = reading.images();
        let (place, container, running) = container(&reading, &images, image)?;
        if running.same_digest(image) == Some(true) {
            return Err(Error::new(ErrorKind::Conflict, format!("{} runs this digest already", reading.title())));
        }
        if running.repository() != image.repository() {
            draft.say(format!(
                "{} ran an image of another repository until now: {}",
                reading.name,
                running.repository()
            ));
        }
        let path = ["template", "spec", "containers", &place.to_string(), "image"];
        let changes = Changes::small().set(reading.spec(), &path, json!(image.to_string()));
        let short = image.short_digest().unwrap_or(digest);
        let title = format!("run {short} of {from} in {}", reading.title());
        draft.plan.steps.push(update(subject, &reading, &title, &changes)?);
        draft.owners(&reading);
        replaced(&mut draft, &reading);
        draft.touches(&reading.namespace);
        draft.say(format!("{}: {running} of container {container} becomes {image}", reading.name));
        draft.say(format!("{}: only the image; configuration and secrets of {from} do not come along", reading.name));
        draft.say("whether the registry has it is seen as nodes pull it: Kubernetes cannot be asked");
    }
    draft.plan.rollback = "roll it back: the revision before runs the image before".into();
    draft.plan.undo = Some(Box::new(Intent::new(Verb::Rollback, intent.subjects.clone(), Argument::None)));
    Ok(draft.finish(&last))
}

/// The container that runs it: the only one, or the only one of that repository.
fn container(reading: &Reading, images: &[(String, String)], image: &Image) -> Result<(usize, String, Image)> {
    let all = || images.iter().enumerate().map(|(place, (name, raw))| (place, name.clone(), Image::parse(raw)));
    if let [_] = images
        && let Some(only) = all().next()
    {
        return Ok(only);
    }
    let mut same = all().filter(|(_, _, it)| it.repository() == image.repository());
    if let (Some(one), None) = (same.next(), same.next()) {
        return Ok(one);
    }
    let names: Vec<&str> = images.iter().map(|(name, _)| name.as_str()).collect();
    let text = format!("which container of {} should run it is not clear: {}", reading.title(), names.join(", "));
    Err(Error::new(ErrorKind::Unsupported, text).hint("kubectl set image names the container"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::super::way::Workload, *};

    #[test]
    fn the_container_is_the_only_one_of_its_repository() {
        let reading = Reading {
            kind: Workload::Deployment,
            namespace: "team".to_owned(),
            name: "web".to_owned(),
            object: Value::Null,
        };
        let images = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(name, image)| ((*name).to_owned(), (*image).to_owned())).collect()
        };
        let image = Image::parse("hub/web:2@sha256:ab");
        let found =
            |all: &[(&str, &str)]| container(&reading, &images(all), &image).map(|(place, name, _)| (place, name));
        assert_eq!(found(&[("a", "hub/api:1")]).expect("the only one"), (0, "a".to_owned()));
        assert_eq!(found(&[("proxy", "hub/proxy:1"), ("main", "hub/web:1")]).expect("one"), (1, "main".to_owned()));
        assert!(found(&[("a", "hub/web:1"), ("b", "hub/web:1")]).is_err());
        assert!(found(&[("a", "hub/x:1"), ("b", "hub/y:1")]).is_err());
    }
}
