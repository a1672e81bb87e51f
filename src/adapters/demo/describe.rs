//! Everything the embedded fleet says about one resource: what people read first, then the platform's own JSON.

use super::{
    plan,
    player::Player,
    raw,
    world::{Flavour, Instance, Spec, Workload, World},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{
        Document, Endpoint, Mode, Node, Pipeline, Resource, ResourceId, Service, Task, Text, Timestamp,
        document::{Body, Section},
        time::brief,
    },
};

/// Describes `id` as it is now.
pub(crate) fn describe(player: &Player, id: &ResourceId) -> Result<Document> {
    let now = player.now();
    player.with(|world| {
        let resource = world.get(id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{id} does not exist any more")).hint("go back to the list")
        })?;
        let sections = Page { world, now }.sections(&resource);
        let json = raw::of(world, &resource);
        let text = serde_json::to_string_pretty(&json).unwrap_or_default();
        let raw = text.lines().map(Text::clean).collect();
        Ok(Document { id: id.clone(), fetched_at: now, sections, raw })
    })
}

struct Page<'a> {
    world: &'a World,
    now: Timestamp,
}

impl Page<'_> {
    fn sections(&self, resource: &Resource) -> Vec<Section> {
        match resource {
            Resource::Service(it) => self.service(it),
            Resource::Task(it) => self.task(it),
            Resource::Node(it) => self.node(it),
            Resource::Pipeline(it) => self.pipeline(it),
            Resource::Endpoint(it) => self.endpoint(it),
            Resource::Cluster(it) => {
                let quorum = it.quorum.map(|quorum| {
                    let (votes, all) = (quorum.reachable, quorum.managers);
                    format!("{votes} of {all} managers answer, {} needed", quorum.needed())
                });
                vec![facts(
                    "Cluster",
                    vec![
                        ("name", it.name.to_string()),
                        ("version", it.version.to_string()),
                        ("health", it.health.word().to_owned()),
                        ("quorum", quorum.unwrap_or_default()),
                        ("created", self.ago(it.created_at)),
                    ],
                )]
            }
            Resource::Backing(it) => vec![facts(
                "Backing",
                vec![
                    ("name", it.name.to_string()),
                    ("sort", it.sort.word().to_owned()),
                    ("detail", it.detail.to_string()),
                    ("created", self.ago(it.created_at)),
                    ("changed", self.ago(it.changed_at)),
                ],
            )],
            Resource::Lock(it) => vec![facts(
                "Lock",
                vec![
                    ("environment", it.environment.to_string()),
                    ("holder", it.holder.to_string()),
                    ("reason", it.reason.to_string()),
                    ("since", self.ago(Some(it.since))),
                    ("ends in", brief(self.now.age(it.until))),
                ],
            )],
            Resource::Definition(it) => vec![facts(
                "Definition",
                vec![
                    ("kind", it.native.to_string()),
                    ("called", it.name.to_string()),
                    ("for short", it.short.join(", ")),
                    ("group and version", it.place()),
                    ("verbs", it.verbs.join(", ")),
                ],
            )],
            Resource::Object(it) => {
                let cells = it.columns.all.iter().zip(&it.cells).filter(|(column, _)| !column.name);
                let said = cells.map(|(column, cell)| (&*column.title, cell.value().display(self.now).into_owned()));
                vec![facts(&it.columns.native, said.collect())]
            }
        }
    }

    fn ago(&self, at: Option<Timestamp>) -> String {
        at.map(|at| format!("{} ago", brief(at.age(self.now)))).unwrap_or_default()
    }

    fn service(&self, it: &Service) -> Vec<Section> {
        let Some((number, workload)) = self.world.workload(&it.id.key) else { return Vec::new() };
        let counts = it.replicas;
        let mut sections = vec![facts(
            "Service",
            vec![
                ("name", it.name.to_string()),
                ("kind", it.native.to_string()),
                ("group", it.group.to_string()),
                ("mode", it.mode.word().to_owned()),
                ("health", it.health.word().to_owned()),
                (
                    "tasks",
                    format!(
                        "{} of {} running, {} pending, {} up to date",
                        counts.running, counts.desired, counts.pending, counts.updated
                    ),
                ),
                ("image", it.image.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("before it", workload.previous.as_ref().map(|spec| spec.image.to_string()).unwrap_or_default()),
                ("created", self.ago(it.created_at)),
                ("changed", self.ago(it.changed_at)),
            ],
        )];
        sections.push(update(workload));
        if let Some(rollout) = &it.rollout {
            sections.push(facts(
                "Rollout",
                vec![
                    ("state", rollout.state.word().to_owned()),
                    ("message", rollout.message.as_ref().map(ToString::to_string).unwrap_or_default()),
                    ("began", self.ago(rollout.started_at)),
                    ("ended", self.ago(rollout.ended_at)),
                ],
            ));
        }
        if self.world.flavour == Flavour::Kubernetes && it.mode != Mode::Job {
            let pods = |revision| self.world.instances_of(number).filter(|(_, it)| it.revision == revision).count();
            let row = |spec: &Spec| {
                let (number, image) = (spec.revision.to_string(), spec.image.to_string());
                [number, image, plan::running(pods(spec.revision))].map(Text::from).to_vec()
            };
            let rows = [Some(&workload.spec), workload.previous.as_ref()].into_iter().flatten().map(row).collect();
            sections.push(table("Revisions", &["revision", "images", "where"], rows));
        }
        let rows = self.world.instances_of(number).map(|(_, instance)| self.task_cells(instance)).collect();
        sections.push(table("Tasks", &["name", "state", "node", "restarts", "age", "message"], rows));
        if !it.ports.is_empty() {
            let port = |port: &crate::fleet::Port| {
                let published = port.published.map_or_else(|| "-".to_owned(), |it| it.to_string());
                vec![published.into(), port.target.to_string().into(), port.protocol.clone()]
            };
            sections.push(table("Ports", &["published", "target", "protocol"], it.ports.iter().map(port).collect()));
        }
        if !it.routes.is_empty() {
            let rows = it.routes.iter().map(|route| vec![route.name.clone(), route.rule.clone()]).collect();
            sections.push(table("Routes", &["router", "rule"], rows));
        }
        if !it.configuration.is_empty() {
            let rows = it.configuration.iter().map(|it| vec![it.name.clone(), self.ago(Some(it.changed_at)).into()]);
            sections.push(table("Configuration", &["object", "written"], rows.collect()));
        }
        sections.push(labels(&it.labels));
        sections
    }

    fn task_cells(&self, it: &Instance) -> Vec<Text> {
        vec![
            it.name.clone(),
            it.native.clone(),
            self.world.node_name(it).cloned().unwrap_or_default(),
            it.restarts.to_string().into(),
            self.ago(Some(it.created_at)).into(),
            it.message.clone().unwrap_or_default(),
        ]
    }

    fn task(&self, it: &Task) -> Vec<Section> {
        vec![facts(
            "Task",
            vec![
                ("name", it.name.to_string()),
                ("state", it.native_state.to_string()),
                ("wanted", (if it.wanted { "yes" } else { "no" }).to_owned()),
                ("node", it.node_name.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("image", it.image.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("restarts", it.restarts.to_string()),
                ("exit code", it.exit_code.map(|code| code.to_string()).unwrap_or_default()),
                ("message", it.message.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("created", self.ago(it.created_at)),
                ("started", self.ago(it.started_at)),
                ("changed", self.ago(it.changed_at)),
            ],
        )]
    }

    fn node(&self, it: &Node) -> Vec<Section> {
        let gib = |bytes: u64| format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1024 * 10 / 1024);
        let mut sections = vec![facts(
            "Node",
            vec![
                ("name", it.name.to_string()),
                ("role", it.role.word().to_owned()),
                ("state", it.state.word().to_owned()),
                ("availability", it.availability.word().to_owned()),
                ("reachability", it.reachability.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("zone", it.zone.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("group", it.group.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("bought", it.purchase.map(|it| it.word().to_owned()).unwrap_or_default()),
                ("address", it.address.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("version", it.version.to_string()),
                ("cpu reserved", format!("{}m of {}m", it.reserved.cpu_millis, it.capacity.cpu_millis)),
                ("memory reserved", format!("{} of {}", gib(it.reserved.memory_bytes), gib(it.capacity.memory_bytes))),
                ("cpu used", it.used.map(|used| format!("{}m", used.cpu_millis)).unwrap_or_default()),
                ("memory used", it.used.map(|used| gib(used.memory_bytes)).unwrap_or_default()),
                ("joined", self.ago(it.joined_at)),
            ],
        )];
        if !it.conditions.is_empty() {
            sections.push(Section { title: "Conditions".into(), body: Body::Lines(it.conditions.clone()) });
        }
        let here = self.world.machine(&it.id.key).map(|(_, machine)| &machine.instances);
        let rows = here.into_iter().flatten().filter_map(|task| self.world.instances.get(task));
        let rows = rows.map(|instance| self.task_cells(instance)).collect();
        sections.push(table("Tasks", &["name", "state", "node", "restarts", "age", "message"], rows));
        sections.push(labels(&it.labels));
        sections
    }

    fn pipeline(&self, it: &Pipeline) -> Vec<Section> {
        let mut sections = Vec::new();
        if let Some(run) = it.runs.first() {
            if let Some(gate) = &run.gate {
                sections.push(facts(
                    "Waits for a person",
                    vec![
                        ("question", gate.question.to_string()),
                        ("since", self.ago(Some(gate.since))),
                        ("approvers", gate.approvers.to_string()),
                    ],
                ));
            }
            let row = |stage: &crate::fleet::Stage| {
                let took = brief(std::time::Duration::from_millis(stage.took_ms));
                vec![stage.name.clone(), stage.state.word().into(), took.into()]
            };
            let rows = run.stages.iter().map(row).collect();
            sections.push(table(&format!("Run #{}", run.number), &["stage", "state", "took"], rows));
        }
        let row = |run: &crate::fleet::Run| {
            let digest = run.digest.as_ref().and_then(|digest| digest.get(7..19)).unwrap_or_default();
            vec![
                run.number.clone(),
                run.state.word().into(),
                run.commit.clone().unwrap_or_default(),
                digest.into(),
                self.ago(Some(run.started_at)).into(),
            ]
        };
        let rows = it.runs.iter().map(row).collect();
        sections.push(table("Runs", &["run", "state", "commit", "digest", "began"], rows));
        sections
    }

    fn endpoint(&self, it: &Endpoint) -> Vec<Section> {
        let latest = it.latency_ms.last().copied().flatten();
        let mut sections = vec![facts(
            "Endpoint",
            vec![
                ("address", it.url.to_string()),
                ("health", it.health.word().to_owned()),
                ("status", it.status.map(|it| it.to_string()).unwrap_or_default()),
                ("message", it.message.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("latency", latest.map(|it| format!("{it} ms")).unwrap_or_default()),
                ("checked", self.ago(it.checked_at)),
                ("changed", self.ago(it.changed_at)),
                (
                    "certificate ends in",
                    it.certificate_until.map(|until| brief(self.now.age(until))).unwrap_or_default(),
                ),
            ],
        )];
        if let Some(report) = &it.report {
            sections.push(facts(
                "Report",
                vec![
                    ("passed", report.passed.to_string()),
                    ("failed", report.failed.to_string()),
                    ("coverage", report.coverage.map(|it| format!("{it:.1}%")).unwrap_or_default()),
                    ("asked", self.ago(Some(report.at))),
                ],
            ));
            sections.push(Section { title: "Output".into(), body: Body::Lines(report.output.clone()) });
        }
        sections
    }
}

fn update(workload: &Workload) -> Section {
    let config = workload.config;
    facts(
        "Update",
        vec![
            (
                "parallelism",
                if config.parallelism == 0 { "all at once".to_owned() } else { config.parallelism.to_string() },
            ),
            ("order", config.order.word().to_owned()),
            ("on failure", config.on_failure.word().to_owned()),
            ("watched for", brief(std::time::Duration::from_millis(u64::try_from(config.monitor).unwrap_or(0)))),
            ("each task", format!("{}m cpu, {} MiB", workload.cost.cpu_millis, workload.cost.memory_bytes >> 20)),
            ("runs on", workload.spec.need.words().map_or_else(|| "any node".to_owned(), |it| it.to_string())),
        ],
    )
}

fn labels(labels: &[(Text, Text)]) -> Section {
    Section { title: "Labels".into(), body: Body::Facts(labels.to_vec()) }
}

/// Names and values; what is empty is left out.
fn facts(title: &str, pairs: Vec<(&str, String)>) -> Section {
    let told = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    Section { title: title.into(), body: Body::Facts(told.map(|(name, value)| (name.into(), value.into())).collect()) }
}

fn table(title: &str, columns: &[&str], rows: Vec<Vec<Text>>) -> Section {
    Section {
        title: title.into(),
        body: Body::Table { columns: columns.iter().map(|name| Text::clean(name)).collect(), rows },
    }
}
