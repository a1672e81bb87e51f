//! Keeps secrets out of configuration files, and out of what is said about them.

use std::sync::LazyLock;

use regex::Regex;

/// Words that only secrets are called by.
const WORDS: &[&str] = &["password", "passwd", "passphrase", "secret", "token", "credential", "api_key", "apikey"];

static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    let words = WORDS.join("|");
    let pattern = format!(r#"(?i)([\w-]*(?:{words})[\w-]*["']?\s*=\s*)("[^"]*"?|'[^']*'?|[^\s,}}\]]+)"#);
    Regex::new(&pattern).expect("the pattern is fixed and was tested")
});

static IN_ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(://)[^/\s@\x22']+@").expect("the pattern is fixed and was tested"));

/// Whether a key of this name would hold a secret.
pub(super) fn named(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    // `…_env` and `…_file` name the place of a secret, which is what we ask for.
    let place = key.ends_with("_env") || key.ends_with("_file");
    !place && WORDS.iter().any(|word| key.contains(word))
}

/// Whether an address carries a user name or password.
pub(super) fn in_address(address: &str) -> bool {
    IN_ADDRESS.is_match(address)
}

/// `line` with the values of secrets replaced by `…`.
pub(super) fn masked(line: &str) -> String {
    let line = ASSIGNED.replace_all(line, "${1}…");
    IN_ADDRESS.replace_all(&line, "${1}…@").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        assert_eq!(masked("password = \"hunter2\""), "password = …");
        assert_eq!(masked("api-token='x' # mine"), "api-token=… # mine");
        assert_eq!(masked("tls = { key_password = \"x\", ca = \"y\" }"), "tls = { key_password = …, ca = \"y\" }");
        assert_eq!(masked("url = \"https://me:pw@host/\""), "url = \"https://…@host/\"");
        assert_eq!(masked("token = hunter2"), "token = …");
        assert_eq!(masked("theme = \"dark\""), "theme = \"dark\"");
    }

    #[test]
    fn the_place_of_a_secret_may_be_named() {
        assert!(named("Password") && named("auth-token") && named("api_key"));
        assert!(!named("basic_auth_env") && !named("token_file") && !named("key"));
    }
}
