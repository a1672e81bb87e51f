//! What somebody on the command line calls a resource, and which one that is.

use crate::{
    error::{Error, ErrorKind, Result, nearest},
    fleet::{Kind, Resource, ResourceId, Store},
};

/// What somebody called a resource: a name, `kind/name`, `environment/name`, `connection/name` or
/// `connection/kind/id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    text: String,
    kinds: Vec<Kind>,
}

/// How closely a name must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// As the platform writes it: nobody reads what was found before it is acted on.
    Exact,
    /// The application's name is enough, where only one service has it: somebody reads what was found.
    Near,
}

impl Name {
    /// A name of something of one of `kinds`, the likeliest first; a kind in the name itself wins.
    pub fn of(text: &str, kinds: &[Kind]) -> Self {
        let (first, rest) = text.split_once('/').unwrap_or(("", text));
        if let Some(kind) = Kind::parse(first) {
            return Self { text: rest.to_owned(), kinds: vec![kind] };
        }
        let second = rest.split_once('/').and_then(|(second, _)| Kind::parse(second));
        Self { text: text.to_owned(), kinds: second.map_or_else(|| kinds.to_vec(), |kind| vec![kind]) }
    }

    /// The text, without a kind in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same name among other kinds.
    pub(super) fn among(&self, kinds: Vec<Kind>) -> Self {
        Self { text: self.text.clone(), kinds }
    }

    /// The kinds it may mean.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Whether it means `resource`, where `is` says whether a text is the resource's own name.
    fn means(&self, resource: &Resource, is: impl Fn(&str) -> bool) -> bool {
        let within = |place: &str| {
            let environment = resource.environment().is_some_and(|it| *it.0 == *place);
            environment || *resource.id().connection.0 == *place
        };
        is(&self.text) || self.text.split_once('/').is_some_and(|(place, rest)| within(place) && is(rest))
    }

    /// Whether it is the name or the id of `resource`.
    fn names(&self, resource: &Resource) -> bool {
        let id = resource.id();
        self.means(resource, |text| **resource.name() == *text || *id.key == *text) || id.to_string() == self.text
    }

    /// The one resource in `store` it means. Of several kinds, the likeliest that has one.
    pub fn find(&self, store: &Store, fit: Fit) -> Result<ResourceId> {
        for kind in &self.kinds {
            let mut found: Vec<&Resource> = store.all(*kind).filter(|it| self.names(it)).collect();
            let exact = !found.is_empty();
            if !exact {
                // `auth` for what its stack calls `newswatch_auth`, where there is only one.
                let application =
                    |it: &Resource, text: &str| it.as_service().is_some_and(|it| *it.application == *text);
                found = store.all(*kind).filter(|it| self.means(it, |text| application(it, text))).collect();
            }
            match found.as_slice() {
                [] => {}
                [one] if !exact && fit == Fit::Exact => {
                    let message = format!("`{}` is not the whole name of {}, and nobody is asked", self.text, one.id());
                    return Err(Error::new(ErrorKind::Refused, message)
                        .hint(format!("write `{}`, or leave --yes out and read the plan", one.name())));
                }
                [one] => return Ok(one.id().clone()),
                several => {
                    let message = format!("{} {} are called `{}`", several.len(), kind.plural(), self.text);
                    let mut names: Vec<String> = several.iter().map(|it| told_apart(it, several)).collect();
                    names.sort();
                    return Err(Error::new(ErrorKind::Usage, message).hint(format!("say which: {}", names.join(", "))));
                }
            }
        }
        let words: Vec<&str> = self.kinds.iter().map(|kind| kind.word()).collect();
        let missing = Error::new(ErrorKind::NotFound, format!("no {} is called `{}`", words.join(" or "), self.text));
        let names = self.kinds.iter().flat_map(|kind| store.all(*kind)).map(|it| it.name().as_str());
        Err(match nearest(&self.text, names) {
            Some(near) => missing.hint(format!("did you mean `{near}`?")),
            None => match self.kinds.first() {
                Some(kind) => missing.hint(format!("`quarterdeck get {}` lists them", kind.plural())),
                None => missing,
            },
        })
    }
}

/// The shortest way to write which of `several` is meant: its name, with its environment, or its id.
fn told_apart(one: &Resource, several: &[&Resource]) -> String {
    let alike: Vec<&&Resource> = several.iter().filter(|it| it.name() == one.name()).collect();
    match (alike.as_slice(), one.environment()) {
        ([_], _) => one.name().to_string(),
        (alike, Some(place)) if alike.iter().filter(|it| it.environment() == Some(place)).count() == 1 => {
            format!("{place}/{}", one.name())
        }
        _ => one.id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::sample;

    fn service(name: &str, application: &str, environment: &str) -> Resource {
        let mut service = sample::service(name, 1);
        service.application = application.into();
        service.environment = Some(environment.into());
        service.into()
    }

    fn store() -> Store {
        let mut twin = sample::service("twin", 1);
        twin.name = "docs".into();
        twin.environment = Some("qa".into());
        sample::store(vec![
            service("docs", "docs", "dev"),
            twin.into(),
            service("prod_auth", "auth", "prod"),
            service("qa_pay", "pay", "qa"),
            service("prod_pay", "pay", "prod"),
        ])
    }

    fn find(text: &str, fit: Fit) -> Result<String> {
        Name::of(text, &[Kind::Service]).find(&store(), fit).map(|id| id.key.to_string())
    }

    #[test]
    fn a_name_may_say_where() {
        for (text, key) in [
            ("dev/docs", "docs"),
            ("qa/docs", "twin"),
            ("lab/prod_auth", "prod_auth"),
            ("service/prod_auth", "prod_auth"),
            ("lab/service/twin", "twin"),
        ] {
            assert_eq!(find(text, Fit::Exact), Ok(key.to_owned()), "{text}");
        }
        assert_eq!(find("prod/docs", Fit::Near).map_err(|error| error.kind), Err(ErrorKind::NotFound));
    }

    #[test]
    fn what_nobody_reads_first_must_be_named_exactly() {
        for text in ["auth", "prod/auth"] {
            assert_eq!(find(text, Fit::Near), Ok("prod_auth".to_owned()));
            let error = find(text, Fit::Exact).expect_err("an application is not a whole name");
            assert_eq!(error.kind, ErrorKind::Refused);
            assert_eq!(error.hint.as_deref(), Some("write `prod_auth`, or leave --yes out and read the plan"));
        }
    }

    #[test]
    fn what_may_be_several_things_says_how_to_tell_them_apart() {
        let hint = |text| find(text, Fit::Near).expect_err("several").hint;
        assert_eq!(hint("docs").as_deref(), Some("say which: dev/docs, qa/docs"));
        assert_eq!(hint("pay").as_deref(), Some("say which: prod_pay, qa_pay"));
    }
}
