//! Which requests a swarm is changed with: as a plan shows them, and as they are found in a plan again.

use serde_json::Value;

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::Request,
};

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// Another spec for a service.
    Service(&'a str),
    /// The spec before, for a service.
    Rollback(&'a str),
    /// Another spec for a node.
    Node(&'a str),
    /// A new join token.
    Token(Token),
    /// A new config.
    NewConfig,
    /// Other labels for a config.
    Config(&'a str),
    /// The end of something: a list and what of it.
    Removal(&'a str, &'a str),
}

/// Whose join token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Workers'.
    Worker,
    /// Managers'.
    Manager,
}

impl Token {
    /// As the API writes it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Worker => "Worker",
            Self::Manager => "Manager",
        }
    }
}

impl<'a> Way<'a> {
    /// The request as a plan writes it.
    pub(super) fn request(self, change: Value) -> Request {
        let path = match self {
            Self::Service(key) => format!("/services/{key}/update?version={{version}}&registryAuthFrom=spec"),
            Self::Rollback(key) => {
                format!("/services/{key}/update?version={{version}}&registryAuthFrom=previous-spec&rollback=previous")
            }
            Self::Node(key) => format!("/nodes/{key}/update?version={{version}}"),
            Self::Token(token) => format!("/swarm/update?version={{version}}&rotate{}Token=true", token.word()),
            Self::NewConfig => "/configs/create".to_owned(),
            Self::Config(key) => format!("/configs/{key}/update?version={{version}}"),
            Self::Removal(list, key) => {
                return Request { method: "DELETE".into(), path: Text::clean(&format!("/{list}/{key}")), change };
            }
        };
        Request { method: "POST".into(), path: Text::clean(&path), change }
    }

    /// What a plan's request is about.
    pub(super) fn of(request: &'a Request) -> Result<Self> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let way = match parts.as_slice() {
            ["services", key, "update"] if query.contains("rollback=previous") => Self::Rollback(key),
            ["services", key, "update"] => Self::Service(key),
            ["nodes", key, "update"] => Self::Node(key),
            ["swarm", "update"] if query.contains("rotateManagerToken") => Self::Token(Token::Manager),
            ["swarm", "update"] if query.contains("rotateWorkerToken") => Self::Token(Token::Worker),
            ["configs", "create"] => Self::NewConfig,
            ["configs", key, "update"] => Self::Config(key),
            [list @ ("services" | "networks" | "configs" | "secrets"), key] => Self::Removal(list, key),
            _ => {
                let text = format!("a swarm has no {} {}", request.method, request.path);
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        };
        Ok(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plan_shows_is_what_is_sent() {
        let ways = [
            Way::Service("x"),
            Way::Rollback("x"),
            Way::Node("x"),
            Way::Token(Token::Worker),
            Way::Token(Token::Manager),
            Way::NewConfig,
            Way::Config("x"),
            Way::Removal("networks", "x"),
        ];
        for way in ways {
            assert_eq!(Way::of(&way.request(Value::Null)).expect("it was just written"), way);
        }
        let request = Way::Removal("nodes", "x").request(Value::Null);
        assert!(Way::of(&request).is_err(), "nodes are not removed");
    }
}
