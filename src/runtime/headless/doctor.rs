//! Looking at every connection: is it reachable, who does it take us for, how long does it take.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use super::{Exit, Output};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::time::brief,
    platform::{Adapter, Checkup},
    report::{self, Format},
};

/// A connection that has not answered by then is reported as hanging.
const LIMIT: Duration = Duration::from_secs(10);

/// Writes how every connection is. Fails when one of them does.
pub async fn doctor(adapters: &[Arc<dyn Adapter>], format: Format, output: &mut Output) -> Result<Exit> {
    let looks = adapters.iter().map(|adapter| async {
        let hangs = || Error::new(ErrorKind::TimedOut, format!("no answer within {}", brief(LIMIT)));
        timeout(LIMIT, adapter.check()).await.unwrap_or_else(|_| Err(hangs()))
    });
    let checkups = join_all(looks).await;
    let pairs: Vec<(&Arc<dyn Adapter>, Result<Checkup>)> = adapters.iter().zip(checkups).collect();
    let well = !pairs.is_empty() && pairs.iter().all(|(_, checkup)| checkup.is_ok());
    let text = match format {
        Format::Table | Format::Wide => people(&pairs),
        Format::Json | Format::Yaml | Format::Ndjson => data(&pairs, format)?,
    };
    output.write(&text)?;
    Ok(if well { Exit::Done } else { Exit::Failed })
}

fn people(pairs: &[(&Arc<dyn Adapter>, Result<Checkup>)]) -> String {
    if pairs.is_empty() {
        return "No connection is configured, and none was found: no Docker engine, no kubeconfig.\n\
                hint: `quarterdeck config path` says where to configure one; `quarterdeck --demo` needs none\n"
            .to_owned();
    }
    let mut text = String::new();
    for (adapter, checkup) in pairs {
        let profile = adapter.profile();
        let head = format!("{} ({} at {})", profile.connection, profile.platform, profile.address);
        let (sign, mut lines) = match checkup {
            Ok(checkup) => {
                let mut lines = vec![
                    format!("reachable in {}", brief(checkup.latency)),
                    format!("version {}", checkup.version),
                    format!("as {}", checkup.identity),
                ];
                lines.extend(checkup.notes.iter().map(ToString::to_string));
                ("ok  ", lines)
            }
            Err(error) => {
                let mut lines = vec![error.to_string()];
                lines.extend(error.hint.iter().map(|hint| format!("hint: {hint}")));
                ("FAIL", lines)
            }
        };
        lines.insert(0, format!("{sign} {head}"));
        text.push_str(&lines.join("\n       "));
        text.push('\n');
    }
    text
}

fn data(pairs: &[(&Arc<dyn Adapter>, Result<Checkup>)], format: Format) -> Result<String> {
    let items: Vec<serde_json::Value> = pairs
        .iter()
        .map(|(adapter, checkup)| {
            let profile = adapter.profile();
            let (good, error) = (checkup.as_ref().ok(), checkup.as_ref().err());
            json!({
                "connection": profile.connection,
                "platform": profile.platform,
                "address": profile.address,
                "reachable": good.is_some(),
                "identity": good.map(|it| &it.identity),
                "version": good.map(|it| &it.version),
                "latency_ms": good.map(|it| u64::try_from(it.latency.as_millis()).unwrap_or(u64::MAX)),
                "notes": good.map(|it| &it.notes),
                "error": error,
            })
        })
        .collect();
    report::values(&items, format)
}
