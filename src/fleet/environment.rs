//! Environments: their order on the promotion path, how much care they need, and which resources belong to which.
//! Names and order come from configuration, never from code.

use serde::{Deserialize, Serialize};

use super::{ids::EnvironmentId, text::Text};
use crate::error::{Error, ErrorKind};

/// One stage on the promotion path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its name.
    pub id: EnvironmentId,
    /// Changes here ask for the typed name of what they change.
    pub protected: bool,
}

/// All environments, earliest stage first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environments(pub Vec<Environment>);

impl Environments {
    /// Where `id` stands on the path, from 0; unknown environments come last.
    pub fn rank(&self, id: &EnvironmentId) -> usize {
        self.0.iter().position(|environment| environment.id == *id).unwrap_or(self.0.len())
    }

    /// Whether changes in `id` need the typed name.
    pub fn protected(&self, id: &EnvironmentId) -> bool {
        self.0.iter().any(|environment| environment.id == *id && environment.protected)
    }

    /// The stage after `id`, where there is one.
    pub fn next(&self, id: &EnvironmentId) -> Option<&EnvironmentId> {
        self.0.get(self.rank(id) + 1).map(|environment| &environment.id)
    }

    /// What to say of a name that is none of them.
    pub fn unknown(&self, name: &EnvironmentId) -> Error {
        let names: Vec<&str> = self.0.iter().map(|it| &*it.id.0).collect();
        Error::new(ErrorKind::Usage, format!("there is no environment `{name}`"))
            .hint(format!("the environments are {}", names.join(", ")))
    }
}

/// How one connection's groups (stacks, namespaces) map to environments; the first rule that matches wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentRules {
    /// `(pattern over the group's name, environment)`; `*` stands for any run of characters.
    pub rules: Vec<(Text, EnvironmentId)>,
    /// Where everything else belongs.
    pub otherwise: Option<EnvironmentId>,
}

impl EnvironmentRules {
    /// The environment of a resource in `group`.
    pub fn of(&self, group: &str) -> Option<EnvironmentId> {
        let rule = self.rules.iter().find(|(pattern, _)| glob(pattern, group));
        rule.map(|(_, environment)| environment.clone()).or_else(|| self.otherwise.clone())
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(glob("test-*", "test-1234"));
        assert!(glob("*", ""));
        assert!(glob("a*b*c", "axxbyyc"));
        assert!(!glob("a*b*c", "axxbyy"));
        assert!(glob("news", "news"));
        assert!(!glob("news", "newswatch"));
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        let rules = EnvironmentRules {
            rules: vec![("*-test-*".into(), "test".into()), ("news*".into(), "prod".into())],
            otherwise: None,
        };
        assert_eq!(rules.of("news-test-7"), Some("test".into()));
        assert_eq!(rules.of("newswatch"), Some("prod".into()));
        assert_eq!(rules.of("other"), None);
    }
}
