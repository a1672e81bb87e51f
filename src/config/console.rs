//! How the console looks and behaves: `[console]`, `[journal]` and `[demo]`.

use std::{path::PathBuf, time::Duration};

use super::{
    setting::Setting,
    value::{Bytes, words},
};

words! {
    /// How many colours are used.
    Colors {
        /// As many as the terminal says it has; none where `NO_COLOR` is set.
        Auto = "auto",
        /// 24 bits.
        Truecolor = "truecolor",
        /// The palette of 256.
        Palette = "256",
        /// The sixteen of the terminal's own scheme.
        Sixteen = "16",
        /// None: bold, underline and reverse only.
        None = "none",
    }
}

words! {
    /// The pane the console opens on, by the word that opens it in the palette. Logs are logs of something, so not those.
    StartPane {
        /// Environments by service, attention, connections.
        Overview = "overview",
        /// Nodes.
        Nodes = "nodes",
        /// Services.
        Services = "services",
        /// Tasks.
        Tasks = "tasks",
        /// Endpoints.
        Health = "health",
        /// Pipelines.
        Pipelines = "pipelines",
        /// Stacks, configuration, secrets, registries.
        Stacks = "stacks",
        /// Operations under way and past.
        Operations = "operations",
        /// Every kind the platform has.
        Objects = "objects",
    }
}

/// How the console looks and behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// The name of a theme, or the path of one's own.
    pub theme: String,
    /// How many colours are used.
    pub colors: Colors,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// The pane it opens on.
    pub start_pane: StartPane,
    /// The most memory log lines may take.
    pub log_bytes: Bytes,
    /// How many of the newest lines a log pane begins with.
    pub log_tail: u32,
    /// For how long a confirmation ignores keys after it appears.
    pub confirm_after: Duration,
    /// Whether to look for platforms when no connection is configured.
    pub discover: bool,
    /// Whether nothing may be changed anywhere.
    pub read_only: bool,
    /// The mistake for whose sake nothing may be changed, where nobody asked for that: `[safety] has a mistake`.
    pub mistaken: Option<&'static str>,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            theme: "dark".to_owned(),
            colors: Colors::Auto,
            // Otherwise the terminal's own selection, which people copy errors with, needs shift.
            mouse: false,
            start_pane: StartPane::Overview,
            log_bytes: Bytes(256 << 20),
            log_tail: 1_000,
            confirm_after: Duration::from_millis(500),
            discover: true,
            read_only: false,
            mistaken: None,
        }
    }
}

impl Console {
    /// Nothing may be changed until the mistake is corrected: the careful choice.
    pub(super) const fn mistrust(&mut self, mistake: &'static str) {
        self.read_only = true;
        self.mistaken = Some(mistake);
    }

    pub(super) fn settings() -> Vec<Setting<Self>> {
        let log_bytes = Bytes(1 << 20)..=Bytes(64 << 30);
        vec![
            Setting::new(
                "theme",
                |it: &mut Self| &mut it.theme,
                "A theme by name (`quarterdeck themes` lists them), or the path of your own.",
            ),
            Setting::new(
                "colors",
                |it: &mut Self| &mut it.colors,
                "How many colours; auto asks the terminal and obeys NO_COLOR.",
            ),
            Setting::new(
                "mouse",
                |it: &mut Self| &mut it.mouse,
                "Listen to the mouse: wheel and click. Hold shift to select text as usual.",
            ),
            Setting::new("start_pane", |it: &mut Self| &mut it.start_pane, "The pane the console opens on."),
            Setting::ranged(
                "log_bytes",
                |it: &mut Self| &mut it.log_bytes,
                log_bytes,
                "The most memory log lines may take; the oldest go first, and the screen says how many.",
            ),
            Setting::ranged(
                "log_tail",
                |it: &mut Self| &mut it.log_tail,
                0..=100_000,
                "How many of the newest lines a log pane begins with.",
            ),
            Setting::ranged(
                "confirm_after",
                |it: &mut Self| &mut it.confirm_after,
                Duration::ZERO..=Duration::from_secs(10),
                "For how long a confirmation ignores keys after it appears, so that a key meant for something else cannot agree to it.",
            ),
            Setting::new(
                "discover",
                |it: &mut Self| &mut it.discover,
                "With no connection configured, look for a Docker engine and a kubeconfig.",
            ),
            Setting::new("read_only", |it: &mut Self| &mut it.read_only, "Refuse every change, on every connection.")
                .careful(
                    |it| it.mistrust("console.read_only has a mistake"),
                    "until this is corrected, it is taken as true: nothing can be changed",
                ),
        ]
    }
}

/// Where the record of operations is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// Its directory; by default below the state directory.
    pub directory: Option<PathBuf>,
}

impl Journal {
    pub(super) fn settings() -> Vec<Setting<Self>> {
        let about = "The directory of the journal, by default below the state directory (`quarterdeck config path`).";
        vec![Setting::new("directory", |it: &mut Self| &mut it.directory, about).sample("\"~/quarterdeck-journal\"")]
    }
}

/// The embedded fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// How many tasks it has; by default as many as its systems run.
    pub tasks: Option<u32>,
    /// How many changes a second; by default what its incidents bring. 0 stops its clock.
    pub deltas: Option<u32>,
    /// How many log lines a second from whatever is followed; by default what each service would write.
    pub logs: Option<u32>,
    /// The same seed plays the same fleet.
    pub seed: u64,
}

impl Default for Demo {
    fn default() -> Self {
        Self { tasks: None, deltas: None, logs: None, seed: 1 }
    }
}

impl Demo {
    pub(super) fn settings() -> Vec<Setting<Self>> {
        // Fewer than its services need would be another fleet, not a smaller one.
        let tasks = Some(200)..=Some(1_000_000);
        let deltas = Some(0)..=Some(100_000);
        let logs = Some(0)..=Some(1_000_000);
        vec![
            Setting::ranged(
                "tasks",
                |it: &mut Self| &mut it.tasks,
                tasks,
                "How many tasks; by default as many as its systems run.",
            )
            .sample("50000"),
            Setting::ranged(
                "deltas",
                |it: &mut Self| &mut it.deltas,
                deltas,
                "How many changes a second, by default what its incidents bring; 0 freezes it, clock included.",
            )
            .sample("1000"),
            Setting::ranged(
                "logs",
                |it: &mut Self| &mut it.logs,
                logs,
                "How many log lines a second from whatever is followed; by default what each service would write.",
            )
            .sample("100000"),
            Setting::new("seed", |it: &mut Self| &mut it.seed, "The same seed plays the same fleet."),
        ]
    }
}
