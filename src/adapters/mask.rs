//! What must not be shown, by name: one list for all platforms. Where names stand in an object is each platform's own.

/// What stands for a secret.
pub(crate) const MASK: &str = "••••••";

/// Parts of names whose values are secrets, in lower case.
const SECRETIVE: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "private",
    "credential",
    "auth_key",
    "access_key",
    "accesskey",
    "basicauth",
    "digestauth",
    "dsn",
    "jwt",
    "signing",
    "encryption",
    "unlock",
];

/// Whether the value of a variable, option or field of that name is a secret.
pub(crate) fn name_is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    // A path to a secret is no secret, and the usual way to hand one over.
    let path = name.ends_with("_file") || name.ends_with("_path");
    !path && SECRETIVE.iter().any(|part| name.contains(part))
}

/// `text` up to the first `NAME=` or `--name=` that says that a secret follows, and an address
/// `scheme://user:password@host` without its password.
pub(crate) fn without_secrets(text: &str) -> String {
    let part_of_names = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let assigned = text.match_indices('=').find_map(|(at, _)| {
        let before = text.get(..at)?;
        let name = before.trim_end_matches(part_of_names).len();
        before.get(name..).is_some_and(name_is_secret).then_some(before)
    });
    match assigned {
        Some(before) => format!("{}={MASK}", without_password(before)),
        None => without_password(text),
    }
}

fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, after) = rest.find(['/', ' ', '?']).map_or((rest, ""), |at| rest.split_at(at));
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((user, host)) => format!("{scheme}://{user}:{MASK}@{host}{after}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whether_its_value_is_a_secret() {
        for name in ["DB_PASSWORD", "--api-token", "vault/token", "AWS_ACCESS_KEY_ID", "SENTRY_DSN", "unlockKey"] {
            assert!(name_is_secret(name), "{name}");
        }
        for name in ["DB_PASSWORD_FILE", "TOKEN_PATH", "USER", "PORT", "KEYBOARD"] {
            assert!(!name_is_secret(name), "{name}");
        }
    }

    #[test]
    fn what_is_left_says_what_was_taken() {
        let masked = |text: &str| without_secrets(text).replace(MASK, "*");
        assert_eq!(masked("--api-token=hunter2"), "--api-token=*");
        assert_eq!(masked("redis://u:hunter2@r:6379/0"), "redis://u:*@r:6379/0");
        assert_eq!(masked("URL=redis://u:hunter2@r:6379/0"), "URL=redis://u:*@r:6379/0");
        assert_eq!(masked("https://host/a@b:c"), "https://host/a@b:c");
        assert_eq!(masked("A=1 API_TOKEN=x run"), "A=1 API_TOKEN=*");
        assert_eq!(masked("sh -c 'export PASSWORD=x; run --port=80'"), "sh -c 'export PASSWORD=*");
        assert_eq!(masked("https://u:p@h/x?token=abc"), "https://u:*@h/x?token=*");
        for text in ["--port=80", "--token_file=/run/t", "https://secret.io/?page=3", "password = ?", "plain"] {
            assert_eq!(masked(text), text);
        }
    }
}
