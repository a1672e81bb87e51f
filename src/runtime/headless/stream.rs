//! `watch` without a terminal: one line of JSON for each change of state, until the reader leaves.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Exit, Output, output::say};
use crate::{
    app::{ConnectionState, Msg, Subscription},
    error::Result,
    fleet::{Store, time::brief},
    platform::Adapter,
    report,
    runtime::{
        clock,
        signals::{Asked, Signals},
        supervisor::Supervisor,
    },
};

/// Watches every kind on all `adapters`. What exists when a list is first complete is not news; what changes is.
pub async fn watch(adapters: &[Arc<dyn Adapter>], output: &mut Output) -> Result<Exit> {
    let (to, mut from) = mpsc::channel(64);
    let mut supervisor = Supervisor::new(to);
    supervisor.add(adapters);
    let wanted: Vec<Subscription> = adapters
        .iter()
        .flat_map(|adapter| {
            let profile = adapter.profile();
            profile.kinds.iter().map(|(kind, _)| Subscription::Watch(profile.connection.clone(), *kind))
        })
        .collect();
    supervisor.reconcile(&wanted);
    // A quiet fleet says nothing for minutes, which looks as if nobody were watching.
    let names: Vec<String> = adapters.iter().map(|it| it.profile().connection.to_string()).collect();
    say(&format!("watching {}: a line for each change of state", names.join(", ")));
    let mut signals = Signals::listen()?;
    let mut store = Store::default();
    loop {
        let msg = tokio::select! {
            asked = signals.next() => match asked {
                Asked::End | Asked::HangUp => return Ok(Exit::Done),
                Asked::Stop => { crate::runtime::signals::stop_this_process(); continue }
                Asked::Continue | Asked::Resize => continue,
            },
            Some((_, msg)) = from.recv() => msg,
        };
        if let Msg::Stream(connection, kind, ConnectionState::Retrying { error, at }) = &msg {
            let wait = brief(clock::now().age(*at).max(at.age(clock::now())));
            say(&format!("{connection}: {}: {error}; trying again in {wait}", kind.plural()));
        }
        if let Msg::Deltas(deltas, at) = msg {
            let mut lines = String::new();
            for delta in deltas {
                let news = super::gather::listed(&store, &delta);
                store.apply(delta, at, &mut |change| {
                    if news {
                        lines.push_str(&report::change_line(&change, at));
                        lines.push('\n');
                    }
                });
            }
            if !lines.is_empty() {
                output.write(&lines)?;
            }
        }
        if output.closed() {
            return Ok(Exit::Done);
        }
    }
}
