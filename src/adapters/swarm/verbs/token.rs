//! Rotate a join token. The new one is never in a plan, a journal or a row; `reveal` shows it to whoever asks for it.

use serde_json::{Value, json};

use super::{
    super::way::{Token, Way},
    Bench,
    draft::{Draft, step, version},
    hand::TOKEN_HASH,
    spec::token_hash,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{NodeRole, Text},
    operation::{Argument, Enforcer, Evidence, Intent, OperationId, Plan, Precondition},
};

pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let token = match intent.argument {
        Argument::Role(NodeRole::Worker) => Token::Worker,
        Argument::Role(NodeRole::Manager | NodeRole::Leader) => Token::Manager,
        _ => return Err(Error::new(ErrorKind::Usage, "say whose token: worker or manager")),
    };
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments).await?;
    let swarm: Value = draft.bench.engine.swarm().await?;
    let hash = token_hash(&swarm, token)
        .ok_or_else(|| Error::new(ErrorKind::Malformed, "the swarm was answered without its join tokens"))?;
    let whose = token.word().to_lowercase();
    let change = json!({"token": {"of": whose, "to": "a new one"}});
    let old = Precondition { what: TOKEN_HASH.into(), value: Text::clean(&hash), enforcer: Enforcer::Console };
    for subject in &intent.subjects {
        let title = format!("rotate the {whose} join token");
        draft.plan.steps.push(step(
            subject,
            &title,
            Way::Token(token).request(change.clone()),
            vec![old.clone(), version()],
            "the old token to let nobody in",
        ));
    }
    draft.say("members stay members; only joining needs the new token");
    draft.say("whatever hands the token out (discovery, an image, a launch template) must be given the new one, or new nodes cannot join");
    draft.plan.rollback = "there is none: an old token never comes back; rotate again for another new one".into();
    let name = draft.plan.connection.to_string();
    Ok(draft.finish(&name))
}
