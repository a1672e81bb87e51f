//! Credential plugins: they get no terminal, and their failure names the command that renews a login.

use std::path::{Path, PathBuf};

use kube::{
    client::AuthError,
    config::{AuthInfo, ExecInteractiveMode},
};

use super::trouble::sources;
use crate::{
    error::{Error, ErrorKind},
    fleet::Text,
};

/// Keeps a credential plugin away from the terminal: a login prompt must not fight the console for keys.
/// It gets no standard input, its errors are caught, and where the system has `setsid` not even `/dev/tty`.
pub(super) fn without_terminal(info: &mut AuthInfo) {
    let Some(exec) = info.exec.as_mut() else { return };
    exec.interactive_mode = Some(ExecInteractiveMode::Never);
    let Some(command) = exec.command.take() else { return };
    match found("setsid") {
        Some(setsid) => {
            exec.command = Some(setsid.display().to_string());
            exec.args.get_or_insert_default().insert(0, command);
        }
        None => exec.command = Some(command),
    }
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|it| it.is_file())
}

/// What to type to get new credentials.
pub(super) fn login_hint(info: &AuthInfo, user: &str) -> String {
    let Some(exec) = &info.exec else {
        let what = if info.client_certificate.is_some() || info.client_certificate_data.is_some() {
            "client certificate"
        } else {
            "token"
        };
        return format!("the {what} of user `{user}` in the kubeconfig was refused: get a new one, then try again");
    };
    let arguments: &[String] = exec.args.as_deref().unwrap_or_default();
    let value = |flag: &str| {
        let at = arguments.iter().position(|it| it == flag)?;
        arguments.get(at + 1).cloned()
    };
    let variable = |name: &str| {
        let named = |it: &&std::collections::HashMap<String, String>| it.get("name").is_some_and(|it| it == name);
        exec.env.iter().flatten().find(named)?.get("value").cloned()
    };
    let command = exec.command.as_deref().unwrap_or_default();
    let program = Path::new(command).file_name().and_then(|it| it.to_str()).unwrap_or(command);
    let login = match program {
        "aws" | "aws-iam-authenticator" => {
            let profile = value("--profile").or_else(|| variable("AWS_PROFILE"));
            profile.map_or("aws sso login".to_owned(), |profile| format!("aws sso login --profile {profile}"))
        }
        "gke-gcloud-auth-plugin" | "gcloud" => "gcloud auth login".to_owned(),
        "kubelogin" if arguments.iter().any(|it| it == "azurecli") => "az login".to_owned(),
        "tsh" => "tsh login".to_owned(),
        _ => std::iter::once(command).chain(arguments.iter().map(String::as_str)).collect::<Vec<_>>().join(" "),
    };
    format!("renew the credentials with `{login}` in another terminal, then try again")
}

/// The error of a credential plugin, if that is what failed. Its output is left out: it may hold a token.
pub(super) fn refused_login(cause: &kube::Error, login: &str) -> Option<Error> {
    let auth = sources(cause).find_map(|it| it.downcast_ref::<AuthError>())?;
    let said = if let AuthError::AuthExecRun { out, .. } = auth {
        let errors = String::from_utf8_lossy(&out.stderr);
        let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        format!("the credential plugin failed ({}): {}", out.status, last.trim())
    } else if matches!(auth, AuthError::AuthExecParse(_)) {
        // The parser's error repeats what it read.
        "the credential plugin printed something that is no credential".to_owned()
    } else {
        format!("no credentials: {auth}")
    };
    Some(Error::new(ErrorKind::Auth, Text::from(said).as_str()).hint(login))
}
