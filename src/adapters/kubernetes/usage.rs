//! What nodes and pods use now: `metrics.k8s.io`, where a cluster serves it. It cannot be watched, so it is asked for again
//! and again, while somebody looks at what it measures. That it is not there is no failure of anything else.
//!
//! <https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go>

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;

use super::{
    connection::Connection,
    cut::ListCutter,
    feed::{PAGE, Pace, unread},
    pod::Str,
    quantity::{instant, nano_cpus, units},
    read::{Collection, Read},
};
use crate::{
    adapters::feed::sleep,
    error::{Error, ErrorKind, Result},
    fleet::{Amount, Timestamp},
};

/// How often usage is asked for: as often as a metrics-server measures it by default.
pub(super) const PERIOD: Duration = Duration::from_secs(15);
/// Where nobody measures, or we may not know, that may change: rarely.
const ABSENT: Duration = Duration::from_mins(2);
/// Polls that may fail before what was measured last is not shown any more: it is as old as rows may be, 45 s.
const FORGIVEN: u32 = 2;
/// Polls in which no sample may be newer than those before, for servers that measure once a minute, and some slack.
const SAME: u32 = 8;
/// Milliseconds that one sample may be older than the newest of its answer: what is not measured any more is not live.
const BEHIND: i64 = 120_000;

/// What was measured last, by name: of a node, or of a pod as `namespace/name`.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// Whether an answer came, be it that there is none.
    pub(super) answered: bool,
    used: HashMap<Box<str>, Amount>,
}

impl Sample {
    /// What `name` uses.
    pub(super) fn of(&self, name: &str) -> Option<Amount> {
        self.used.get(name).copied()
    }
}

/// Usage as rows see it.
pub(super) type Samples = watch::Receiver<Sample>;

/// What measures `of`, and where what it measures is seen. The stream says nothing; it runs as long as it is polled.
pub(super) fn measure<T: Send>(
    connection: Arc<Connection>,
    of: Collection,
    period: Duration,
) -> (impl Stream<Item = T> + Send, Samples) {
    let (samples, seen) = watch::channel(Sample::default());
    let gauge = Gauge { connection, of, period, samples, newest: Timestamp(i64::MIN), same: 0, failed: 0 };
    (stream::unfold(gauge, |gauge| async move { gauge.run().await }), seen)
}

struct Gauge {
    connection: Arc<Connection>,
    of: Collection,
    period: Duration,
    samples: watch::Sender<Sample>,
    /// When the newest of the samples so far was taken, by the server's clock.
    newest: Timestamp,
    /// In how many answers that was the newest.
    same: u32,
    /// How many polls failed since one did not.
    failed: u32,
}

/// One node or pod as it was measured.
#[derive(Debug, Deserialize)]
struct Measured<'a> {
    #[serde(borrow)]
    metadata: MeasuredMetadata<'a>,
    #[serde(borrow)]
    timestamp: Option<Str<'a>>,
    /// A node.
    #[serde(borrow)]
    usage: Option<Used<'a>>,
    /// A pod.
    #[serde(borrow, default)]
    containers: Vec<Container<'a>>,
}

#[derive(Debug, Deserialize)]
struct MeasuredMetadata<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    namespace: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
struct Container<'a> {
    #[serde(borrow)]
    usage: Used<'a>,
}

#[derive(Debug, Deserialize)]
struct Used<'a> {
    #[serde(borrow)]
    cpu: Option<Str<'a>>,
    #[serde(borrow)]
    memory: Option<Str<'a>>,
}

impl Measured<'_> {
    fn name(&self) -> Box<str> {
        match &self.metadata.namespace {
            Some(namespace) => format!("{}/{}", &**namespace, &*self.metadata.name).into(),
            None => (*self.metadata.name).into(),
        }
    }

    /// Rounded once, after everything is summed up, as `kubectl top` does.
    fn used(&self) -> Amount {
        let all = || self.usage.iter().chain(self.containers.iter().map(|it| &it.usage));
        let nanos = all().filter_map(|it| it.cpu.as_deref()).map(nano_cpus).fold(0, u64::saturating_add);
        let memory_bytes = all().filter_map(|it| it.memory.as_deref()).map(units).fold(0, u64::saturating_add);
        Amount { cpu_millis: nanos.div_ceil(1_000_000), memory_bytes }
    }
}

impl Gauge {
    /// Never comes to an end.
    async fn run<T>(mut self) -> Option<(T, Self)> {
        loop {
            let wait = match self.poll().await {
                Ok(()) => self.period,
                // The aggregator answers 503 for whom it cannot reach, and 404 for whom it does not know.
                Err(Error { kind: ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Platform, .. })
                    if self.newest.0 == i64::MIN =>
                {
                    self.show(HashMap::new());
                    ABSENT
                }
                Err(error) => {
                    self.failed += 1;
                    if self.failed > FORGIVEN || !self.samples.borrow().answered {
                        self.show(HashMap::new());
                    }
                    if let ErrorKind::Throttled(Some(asked)) = error.kind {
                        asked.max(self.period)
                    } else {
                        self.period
                    }
                }
            };
            sleep(wait).await;
        }
    }

    async fn poll(&mut self) -> Result<()> {
        if self.newest.0 == i64::MIN {
            served(&self.connection).await?;
        }
        let (used, newest) = self.look().await?;
        self.failed = 0;
        self.same = if newest > self.newest { 0 } else { self.same + 1 };
        self.newest = newest;
        // Whoever answers with what was measured long ago does not measure.
        self.show(if self.same > SAME { HashMap::new() } else { used });
        Ok(())
    }

    /// Everything that was measured, and when the newest of it was.
    async fn look(&self) -> Result<(HashMap<Box<str>, Amount>, Timestamp)> {
        let mut found: Vec<(Box<str>, Amount, Timestamp)> = Vec::new();
        let mut next = String::new();
        loop {
            let page = Read::Page { of: self.of.clone(), limit: PAGE, next };
            let mut answer = self.connection.send(&page).await?;
            let mut cutter = ListCutter::default();
            while let Some(piece) = answer.part(Pace::USUAL.page).await? {
                cutter.feed(&piece, |_, item| {
                    let measured: Measured = serde_json::from_slice(item).map_err(|cause| unread(&cause))?;
                    let at = measured.timestamp.as_deref().and_then(instant).unwrap_or(Timestamp(0));
                    found.push((measured.name(), measured.used(), at));
                    Ok(())
                })?;
            }
            next = cutter.finish()?.metadata.next;
            if next.is_empty() {
                break;
            }
        }
        let newest = found.iter().map(|(.., at)| *at).max().unwrap_or(Timestamp(0));
        let current = found.into_iter().filter(|(.., at)| newest.0.saturating_sub(at.0) <= BEHIND);
        Ok((current.map(|(name, used, _)| (name, used)).collect(), newest))
    }

    fn show(&self, used: HashMap<Box<str>, Amount>) {
        self.samples.send_replace(Sample { answered: true, used });
    }
}

/// Whether the API is served, by discovery: a cluster that has none says so there at once.
pub(super) async fn served(connection: &Connection) -> Result<()> {
    connection.get(&Read::Metrics).await.map(drop)
}
