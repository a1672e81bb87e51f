//! Forward: a port of this machine, on 127.0.0.1 alone, leads to one of a pod. A service's forward follows its pods: when
//! the one it leads to goes, it leads to another that is ready.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use kube::api::Portforwarder;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{
    super::{
        feed,
        opening::Opening,
        read::Right,
        way::Named,
        write::{self, Dial},
    },
    Bench,
    draft::{Draft, looked_at, step},
    evict::UID,
    inside::Inside,
};
use crate::{
    adapters::{
        feed::{sleep, wall_clock},
        steps::{Says, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, Text, bytes_brief, counted},
    operation::{Argument, Evidence, Intent, OperationId, Outcome, Plan, Ports, Progress, Traffic, Verdict},
    platform::{BoxFuture, Cancel, Scribe},
};

/// How often what was carried is told, and how long one that goes may look like one that stays.
const LOOK: Duration = Duration::from_secs(1);
/// How often the pod is looked at, in looks: it costs a request.
const POD: u32 = 5;
/// How long a connection waits for a pod that is ready.
const PATIENCE: Duration = Duration::from_secs(10);
/// A program here that has said everything may still be answered for so long; the stream cannot be closed on one side
/// only.
const LINGER: Duration = Duration::from_secs(5);
/// How long the word on a connection that failed may come behind its end.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Connections at a time. A browser opens six.
const CONNECTIONS: usize = 256;
const PIECE: usize = 32 * 1024;

/// The plan: where it listens, and where it leads.
pub(super) async fn plan(bench: Bench, operation: OperationId, intent: Intent, evidence: Evidence) -> Result<Plan> {
    let mut draft = Draft::new(bench, operation, &intent, evidence.environments.clone()).await?;
    let [subject] = intent.subjects.as_slice() else {
        return Err(Error::new(ErrorKind::Usage, "one forward at a time").hint("take the marks away"));
    };
    let Argument::Forward(ports) = &intent.argument else {
        return Err(Error::new(ErrorKind::Usage, "a forward needs a port").hint("write 8080:80, or :80 for any here"));
    };
    let pod = Inside::of(&draft.bench, subject).await?;
    let (namespace, name) = (pod.metadata.namespace.as_str(), pod.metadata.name.as_str());
    draft.touches(namespace);
    draft.needs(Right::Forward, namespace).await;
    let request = Opening { namespace, name }.forward(ports.local, ports.remote)?;
    let title = format!("listen on {} and lead to port {} of {}", here(*ports), ports.remote, pod.title());
    let presumed = vec![looked_at(UID, &pod.metadata.uid)];
    draft.plan.steps.push(step(subject, &title, request, presumed, "somebody to end it"));
    draft.say("each connection to it is a request of its own; whoever is on this machine can make one");
    match subject.kind {
        Kind::Service => draft.say("when that pod goes, it leads to another one of the service that is ready"),
        _ => draft.say("it ends with that pod: a forward of the service follows its pods"),
    }
    if !pod.declares(ports.remote) {
        draft.say(format!("no container says that it listens on {}; it may all the same", ports.remote));
    }
    draft.plan.rollback = "ending it closes the port; connections that are open are cut".into();
    let short = match subject.kind {
        Kind::Service => Named::of(subject)?.name.to_owned(),
        _ => name.to_owned(),
    };
    let mut plan = draft.finish(&short);
    plan.expected = None;
    Ok(plan)
}

fn here(ports: Ports) -> String {
    ports.local.map_or_else(|| "a free port of 127.0.0.1".to_owned(), |port| format!("127.0.0.1:{port}"))
}

/// Runs what was agreed to until somebody ends it.
pub(super) async fn run(bench: &Bench, plan: &Plan, scribe: &dyn Scribe, cancel: &Cancel, says: &Says) -> Verdict {
    let refused = |error: &Error| verdict(Outcome::Refused, format!("nothing was sent: {}", error.sentence()));
    let (Some(planned), Argument::Forward(ports), Some(subject)) =
        (plan.steps.first(), &plan.argument, plan.subjects.first())
    else {
        return verdict(Outcome::Refused, "nothing was sent: this is no plan of a forward");
    };
    says.say(Progress::Step(0)).await;
    let pod = match target(bench, subject).await {
        Ok(pod) => pod,
        Err(error) => return refused(&error),
    };
    // Before the record: a port that is taken is no forward at all.
    let listener = match listen(*ports).await {
        Ok(listener) => listener,
        Err(error) => return refused(&error),
    };
    let ticket = match scribe.sending(0, &planned.request).await {
        Ok(ticket) => ticket,
        Err(error) => return refused(&error),
    };
    let local = listener.local_addr().map_or_else(|_| here(*ports), |address| address.to_string());
    says.say(Progress::Answered { step: 0, said: Text::clean(&format!("listening on {local}")) }).await;
    let dial = write::passage(ticket, Arc::clone(&bench.connection));
    let traffic = Traffic { local: Text::clean(&local), ..Traffic::default() };
    let forward = Forward {
        bench,
        subject,
        remote: ports.remote,
        dial,
        says,
        state: Mutex::new(State { target: Some(pod), traffic }),
    };
    forward.until_over(&listener, cancel).await
}

async fn listen(ports: Ports) -> Result<TcpListener> {
    let port = ports.local.unwrap_or(0);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|cause| {
        let text = format!("127.0.0.1:{port} cannot be listened on");
        Error::new(ErrorKind::Io, text)
            .because(&cause)
            .hint(format!("choose another port, or `:{}` for any that is free", ports.remote))
    })
}

/// A pod that a forward leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pod {
    namespace: String,
    name: String,
    uid: String,
}

impl Pod {
    fn of(pod: &Inside) -> Self {
        let it = &pod.metadata;
        Self { namespace: it.namespace.clone(), name: it.name.clone(), uid: it.uid.clone() }
    }
}

/// The pod that `subject` means now.
async fn target(bench: &Bench, subject: &ResourceId) -> Result<Pod> {
    let pod = Inside::of(bench, subject).await?;
    pod.container(None)?;
    Ok(Pod::of(&pod))
}

/// One forward while it lasts. Everything of it runs in one task.
struct Forward<'a> {
    bench: &'a Bench,
    subject: &'a ResourceId,
    remote: u16,
    dial: Dial,
    says: &'a Says,
    state: Mutex<State>,
}

struct State {
    /// Where it leads; `None` while nothing is ready.
    target: Option<Pod>,
    traffic: Traffic,
}

impl Forward<'_> {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn until_over(&self, listener: &TcpListener, cancel: &Cancel) -> Verdict {
        let mut open = FuturesUnordered::new();
        let (mut told, mut looks) = (Traffic::default(), 0_u32);
        let mut look = Box::pin(sleep(Duration::ZERO));
        let mut watched: BoxFuture<'_, Option<String>> = Box::pin(std::future::pending());
        let mut accepting = true;
        let ended = loop {
            tokio::select! {
                biased;
                () = cancel.wait() => break None,
                accepted = listener.accept(), if accepting && open.len() < CONNECTIONS => match accepted {
                    Ok((local, _)) => {
                        self.with(|it| it.traffic.connections += 1);
                        open.push(self.connection(local));
                    }
                    // A connection that was given up before it was taken, or no descriptor left for a moment: asked at
                    // once it would say so again, and nothing else would have its turn.
                    Err(error) => {
                        accepting = false;
                        self.troubled(&error.to_string());
                    }
                },
                Some(()) = open.next(), if !open.is_empty() => {}
                over = &mut watched => {
                    if let Some(why) = over {
                        break Some(why);
                    }
                    watched = Box::pin(std::future::pending());
                }
                () = &mut look => {
                    look = Box::pin(sleep(LOOK));
                    accepting = true;
                    looks = looks.wrapping_add(1);
                    if looks.is_multiple_of(POD) {
                        watched = Box::pin(self.watched());
                    }
                    let now = self.now(open.len());
                    if now != told {
                        self.says.say(Progress::Carried(now.clone())).await;
                        told = now;
                    }
                }
            }
        };
        drop(open);
        let Traffic { connections, sent, received, .. } = self.now(0);
        let carried = format!(
            "{} carried {} there and {} back",
            counted(connections, "connection"),
            bytes_brief(sent),
            bytes_brief(received)
        );
        self.says.say(Progress::Carried(self.now(0))).await;
        match ended {
            None => verdict(Outcome::Completed, format!("it was ended; {carried}")),
            Some(why) => verdict(Outcome::Failed, format!("{why}; {carried}")),
        }
    }

    fn now(&self, open: usize) -> Traffic {
        self.with(|it| {
            it.traffic.open = u32::try_from(open).unwrap_or(u32::MAX);
            it.traffic.target = match &it.target {
                Some(pod) => Text::clean(&format!("{}/{}:{}", pod.namespace, pod.name, self.remote)),
                None => Text::default(),
            };
            it.traffic.clone()
        })
    }

    fn troubled(&self, why: &str) {
        self.with(|it| it.traffic.trouble = Some(Text::clean(why)));
    }

    /// Looks whether the pod still is there; gives why the forward is over, if it is.
    async fn watched(&self) -> Option<String> {
        let Some(pod) = self.with(|it| it.target.clone()) else {
            self.turned(None).await;
            return None;
        };
        // Whoever cannot be asked may be there all the same.
        let there = Inside::again(self.bench, &pod.namespace, &pod.name, &pod.uid).await.ok()?;
        match self.subject.kind {
            Kind::Service if there.as_ref().is_none_or(|pod| !pod.serves()) => {
                self.turned(Some(&pod)).await;
                None
            }
            Kind::Service => None,
            _ => there.is_none().then(|| format!("pod {}/{} is gone", pod.namespace, pod.name)),
        }
    }

    /// Leads to another pod of the service, if one is ready.
    async fn turned(&self, from: Option<&Pod>) {
        let Ok(named) = Named::of(self.subject) else { return };
        let found = match Inside::ready_of(self.bench, named).await {
            Ok(found) => found.as_ref().map(Pod::of),
            Err(error) => return self.says.say(Progress::Trouble(error)).await,
        };
        let before = self.with(|it| std::mem::replace(&mut it.target, found.clone()));
        if before == found {
            return;
        }
        let gone = from.map_or_else(|| "nothing was ready".to_owned(), |pod| format!("{} goes", pod.name));
        let id = self.subject.clone();
        let said = if let Some(pod) = &found {
            Progress::Task { id, text: Text::clean(&format!("leads to {} now: {gone}", pod.name)) }
        } else {
            let reason = Text::clean(&format!("{gone}, and no other pod of {} is ready", named.name));
            Progress::Waiting { id, reason, since: wall_clock() }
        };
        self.says.say(said).await;
    }

    /// Carries one connection from its beginning to its end.
    async fn connection(&self, local: TcpStream) {
        if let Err(why) = self.carried(local).await {
            self.troubled(&why);
        }
    }

    async fn carried(&self, local: TcpStream) -> std::result::Result<(), String> {
        let mut stream = self.opened().await?;
        let (Some(data), Some(said)) = (stream.take_stream(self.remote), stream.take_error(self.remote)) else {
            return Err("the stream has no such port".to_owned());
        };
        let (mut from_pod, mut to_pod) = tokio::io::split(data);
        let (mut from_here, mut to_here) = local.into_split();
        let there = async {
            let mut piece = vec![0; PIECE];
            while let Ok(count @ 1..) = from_here.read(&mut piece).await {
                let bytes = piece.get(..count).unwrap_or_default();
                if to_pod.write_all(bytes).await.is_err() {
                    break;
                }
                self.with(|it| it.traffic.sent += count as u64);
            }
        };
        let back = async {
            let mut piece = vec![0; PIECE];
            while let Ok(count @ 1..) = from_pod.read(&mut piece).await {
                let bytes = piece.get(..count).unwrap_or_default();
                if to_here.write_all(bytes).await.is_err() {
                    break;
                }
                self.with(|it| it.traffic.received += count as u64);
            }
            let _ = to_here.shutdown().await;
        };
        futures_util::pin_mut!(there, back);
        if let futures_util::future::Either::Left(((), mut back)) = futures_util::future::select(there, back).await {
            // Whatever still comes keeps it open.
            loop {
                let before = self.with(|it| it.traffic.received);
                let over = feed::within(LINGER, &mut back).await.is_some();
                if over || self.with(|it| it.traffic.received) == before {
                    break;
                }
            }
        }
        match feed::within(LAST_WORDS, said).await {
            Some(Some(why)) => Err(why),
            Some(None) | None => Ok(()),
        }
    }

    /// A stream to the pod it leads to; of a service to another one, where that one is gone.
    async fn opened(&self) -> std::result::Result<Portforwarder, String> {
        let open = async {
            let mut last = None;
            loop {
                if let Some(pod) = self.with(|it| it.target.clone()) {
                    match (self.dial)(pod.namespace.clone(), pod.name.clone(), self.remote).await {
                        Ok(stream) => return Ok(stream),
                        Err(error) if self.subject.kind != Kind::Service => return Err(error.sentence()),
                        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Auth) => {
                            return Err(error.sentence());
                        }
                        Err(error) => {
                            if last.as_ref() == Some(&pod) {
                                return Err(error.sentence());
                            }
                            last = Some(pod.clone());
                            self.turned(Some(&pod)).await;
                            continue;
                        }
                    }
                }
                sleep(LOOK).await;
                self.turned(None).await;
            }
        };
        let waited = feed::within(PATIENCE, open).await;
        waited.unwrap_or_else(|| Err(format!("nothing was ready within {} s", PATIENCE.as_secs())))
    }
}
