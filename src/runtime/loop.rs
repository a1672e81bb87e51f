//! The loop: input first, then everything already waiting, then effects, then subscriptions, then a frame if anything
//! visible changed. A burst of a thousand deltas costs one frame; a key never waits behind them.

mod connecting;
mod suspended;

use std::{sync::Arc, time::Duration};

use crossterm::event::EventStream;
use ratatui::{Terminal as Canvas, TerminalOptions, Viewport, layout::Rect};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::suspended::{heard_of, next_of};
use super::{
    abilities::Abilities,
    candidates::{self, Candidates},
    clock,
    effects::{Effects, Question},
    input,
    journal::Journal,
    operations::Operations,
    painter::Painter,
    panics,
    session::{Heard, Session},
    signals::{Asked, Signals},
    supervisor::{FromStream, Supervisor},
    terminal::{Mouse, Terminal},
    writer::Writer,
};
use crate::{
    app::{App, Effect, Msg, Outcome, Redraw, Subscription},
    error::{Error, ErrorKind, Result},
    fleet::{ConnectionId, Text},
    operation::{Authority, Care, OperationId, Verb},
    platform::{Adapter, BoxFuture, Told},
    ui::{self, Theme},
};

/// Frames are at least this far apart: long enough to merge a burst, short enough that typing feels immediate.
const FRAME: Duration = Duration::from_millis(16);
/// The same after a key: somebody waits for it, and keys that are held or typed ahead still share frames.
const KEY_FRAME: Duration = Duration::from_millis(3);
/// Waiting messages are taken in for at most this long before a key gets its turn.
const SLICE: Duration = Duration::from_millis(4);
/// Messages of streams that may wait; a stream that finds it full pauses.
const QUEUE: usize = 64;
/// How long a stalled terminal may hold up the end of the program.
const LAST_WRITE: Duration = Duration::from_millis(300);

/// What the console is started with.
pub struct Setup {
    /// The console's mind, before the first message.
    pub app: App,
    /// Its face.
    pub theme: Theme,
    /// The theme of a name, where there is one.
    pub themes: Themes,
    /// What is wrong with the configuration, as sentences.
    pub problems: Vec<String>,
    /// Finds and makes the connections. Begun only after the first frame, so that nothing delays that.
    pub connect: BoxFuture<'static, Result<Connected>>,
    /// What could be connected to besides, once somebody asks.
    pub candidates: Arc<dyn Candidates>,
    /// What may be changed at all.
    pub authority: Authority,
    /// What the team decided about haste: `config.safety.care(…)`.
    pub care: Care,
    /// Where operations are recorded.
    pub journal: Journal,
    /// Who we are on this machine.
    pub operator: Text,
    /// Whose the mouse is.
    pub mouse: Mouse,
    /// What the terminal can do.
    pub abilities: Abilities,
}

/// Makes the theme of a name for the terminal at hand.
pub type Themes = Box<dyn Fn(&str) -> Option<Theme> + Send + Sync>;

/// The connections that were found.
#[derive(Default)]
pub struct Connected {
    /// One adapter for each.
    pub adapters: Vec<Arc<dyn Adapter>>,
    /// Connections that configuration makes read-only.
    pub read_only: Vec<ConnectionId>,
    /// What went wrong on the way, as sentences; the rest goes on.
    pub problems: Vec<String>,
}

/// How the console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By a key or a signal that asks for it.
    Quit,
    /// The terminal is gone.
    HangUp,
    /// Something panicked; the report is in [`panics::take`].
    Panic,
}

/// Runs the console until it ends. The terminal is given back whatever happens.
pub async fn run(mut setup: Setup) -> Result<Ending> {
    let problems = std::mem::take(&mut setup.problems);
    // Before the terminal is ours: a signal that nobody hears ends the process, and would leave it as it is.
    let signals = Signals::listen()?;
    let terminal = Terminal::take(setup.mouse)?;
    let mut console = Console::new(setup, &terminal)?;
    // The first frame before anything else: input, connections.
    console.draw();
    if !problems.is_empty() {
        console.heard(Msg::Problems(problems));
    }
    let ending = console.go_on(&terminal, signals).await;
    console.writer.finish(LAST_WRITE);
    drop(console.session.take());
    terminal.leave();
    console.effects.close(console.app.open_ways()).await;
    ending
}

struct Console {
    app: App,
    theme: Theme,
    themes: Themes,
    canvas: Canvas<Painter>,
    writer: Writer,
    supervisor: Supervisor,
    effects: Effects,
    from_streams: mpsc::Receiver<FromStream>,
    from_effects: mpsc::Receiver<Msg>,
    from_operations: mpsc::Receiver<Question>,
    connect: Option<BoxFuture<'static, Result<Connected>>>,
    candidates: Arc<dyn Candidates>,
    /// Connections on their way, by the name they were asked for.
    opening: JoinSet<(Text, Result<Connected>)>,
    redraw: Redraw,
    /// Whether somebody pressed a key since the last frame.
    waited_for: bool,
    drawn_at: Instant,
    tick: Option<(Duration, Instant)>,
    subscriptions: Vec<Subscription>,
    /// Keys; nobody's while a session has the terminal.
    events: Option<EventStream>,
    /// Whoever is in a container has the terminal; nothing is drawn.
    session: Option<(OperationId, Session)>,
}

impl Console {
    fn new(setup: Setup, terminal: &Terminal) -> Result<Self> {
        let size = Terminal::size();
        let (to_streams, from_streams) = mpsc::channel(QUEUE);
        let (to_effects, from_effects) = mpsc::channel(QUEUE);
        let (to_operations, from_operations) = mpsc::channel(QUEUE);
        let area = Rect::new(0, 0, size.width, size.height);
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let Ok(canvas) = Canvas::with_options(Painter::new(size, setup.abilities), options);
        let operations = Operations::new(setup.authority, setup.journal.clone(), setup.operator, to_effects.clone());
        Ok(Self {
            app: setup.app,
            theme: setup.theme,
            themes: setup.themes,
            canvas,
            writer: Writer::start(terminal.output()?).map_err(|error| thread_failed(&error))?,
            supervisor: Supervisor::new(to_streams),
            effects: Effects::new(
                operations,
                setup.journal,
                setup.care,
                to_effects,
                to_operations,
                Arc::clone(&setup.candidates),
            ),
            from_streams,
            from_effects,
            from_operations,
            connect: Some(setup.connect),
            candidates: setup.candidates,
            opening: JoinSet::new(),
            redraw: Redraw::Everything,
            waited_for: false,
            drawn_at: Instant::now(),
            tick: None,
            subscriptions: Vec::new(),
            events: None,
            session: None,
        })
    }

    async fn go_on(&mut self, terminal: &Terminal, mut signals: Signals) -> Result<Ending> {
        let (gone, mut hang_up) = mpsc::channel::<()>(1);
        terminal.watch_for_hangup(gone)?;
        self.events = Some(EventStream::new());
        let mut connecting = self.connect.take().map(tokio::spawn);
        loop {
            let frame_due = self.frame_due();
            let tick_due = self.tick.map(|(_, at)| at);
            tokio::select! {
                biased;
                () = panics::happened() => return Ok(Ending::Panic),
                _ = hang_up.recv() => return Ok(Ending::HangUp),
                asked = signals.next() => match asked {
                    Asked::End => return Ok(Ending::Quit),
                    Asked::HangUp => return Ok(Ending::HangUp),
                    Asked::Stop => self.stop(terminal)?,
                    Asked::Continue => self.take_again(terminal)?,
                    // The input library tells it to the console itself.
                    Asked::Resize => self.session.iter().for_each(|(_, session)| session.resized()),
                },
                event = next_of(&mut self.events) => match event {
                    Some(Ok(event)) => {
                        if let Some(msg) = input::message(event) {
                            self.heard(msg);
                            self.waited_for = true;
                        }
                    }
                    Some(Err(_)) | None => return Ok(Ending::HangUp),
                },
                // Not while the terminal is still busy with what came before.
                heard = heard_of(&mut self.session), if !self.writer.busy() => match heard {
                    Heard::Told(Told::Output(bytes) | Told::Errors(bytes)) => self.writer.write(bytes),
                    Heard::Told(Told::Exit(_) | Told::Progress(_)) => {}
                    Heard::Over => self.leave_session(terminal)?,
                    Heard::Left => {
                        self.session.iter().for_each(|(id, _)| self.effects.begin(Effect::Cancel(id.clone())));
                        self.leave_session(terminal)?;
                    }
                },
                // Before what streams say: an operation that waits must not wait behind a flood, nor may an answer.
                Some(question) = self.from_operations.recv() => {
                    let _ = question.answer.send(self.app.evidence(&question.intent));
                }
                Some(msg) = self.from_effects.recv() => self.heard(msg),
                Some((generation, msg)) = self.from_streams.recv() => self.take_in(generation, msg),
                found = async { connecting.as_mut().expect("guarded by the condition").await }, if connecting.is_some() => {
                    connecting = None;
                    match found {
                        Ok(found) => self.connected(found),
                        // A panic in discovery: the hook has kept its report and `happened` is ready.
                        Err(_) => continue,
                    }
                }
                Some(opened) = self.opening.join_next() => {
                    // A panic on the way: the hook has kept its report and `happened` is ready.
                    let Ok((name, opened)) = opened else { continue };
                    self.opened(name, opened);
                }
                () = self.writer.written() => {}
                () = until(frame_due), if frame_due.is_some() && !self.writer.busy() => self.draw(),
                () = until(tick_due), if tick_due.is_some() => self.ticked(),
            }
            if self.writer.broken() {
                return Ok(Ending::HangUp);
            }
            if let Some(stop) = self.carry_out(terminal)? {
                return Ok(stop);
            }
            self.reconcile();
            // Here and not only above: while streams have something to say, `select` never comes to its last branches.
            if self.frame_due().is_some_and(|due| due <= Instant::now()) && !self.writer.busy() {
                self.draw();
            }
        }
    }

    /// When the next frame may be drawn, if one is wanted.
    fn frame_due(&self) -> Option<Instant> {
        let pause = if self.waited_for { KEY_FRAME } else { FRAME };
        (self.redraw != Redraw::Nothing && self.session.is_none()).then(|| self.drawn_at + pause)
    }

    /// One message, with the time it came at.
    fn heard(&mut self, msg: Msg) {
        if let Msg::Resize(width, height) = msg {
            let area = Rect::new(0, 0, width.max(1), height.max(1));
            self.canvas.backend_mut().set_size(area.as_size());
            let Ok(()) = self.canvas.resize(area);
            self.redraw = Redraw::Everything;
        }
        let now = self.app.update(Msg::Tick(clock::now()));
        self.note(now);
        let outcome = self.app.update(msg);
        self.note(outcome);
    }

    /// A message of a stream and everything that waits behind it, for a slice of time.
    fn take_in(&mut self, generation: u64, msg: Msg) {
        let end = Instant::now() + SLICE;
        let now = self.app.update(Msg::Tick(clock::now()));
        self.note(now);
        let mut next = Some((generation, msg));
        while let Some((generation, msg)) = next {
            if self.supervisor.current(generation) {
                let outcome = self.app.update(msg);
                self.note(outcome);
            }
            next = if Instant::now() < end { self.from_streams.try_recv().ok() } else { None };
        }
    }

    fn note(&mut self, outcome: Outcome) {
        self.redraw = match (self.redraw, outcome.redraw) {
            (Redraw::Everything, _) | (_, Redraw::Everything) => Redraw::Everything,
            (Redraw::Frame, _) | (_, Redraw::Frame) => Redraw::Frame,
            (Redraw::Nothing, Redraw::Nothing) => Redraw::Nothing,
        };
        self.effects.queue(outcome.effects);
    }

    fn ticked(&mut self) {
        if let Some((period, at)) = &mut self.tick {
            *at = Instant::now() + *period;
        }
        let outcome = self.app.update(Msg::Tick(clock::now()));
        self.note(outcome);
    }

    /// Does what the console wants done. What needs the terminal is done here, the rest elsewhere.
    fn carry_out(&mut self, terminal: &Terminal) -> Result<Option<Ending>> {
        while let Some(effect) = self.effects.next() {
            match effect {
                Effect::Quit => return Ok(Some(Ending::Quit)),
                Effect::Suspend => self.stop(terminal)?,
                Effect::Retry(connection) => self.supervisor.retry(&connection),
                Effect::Copy(text) => self.copy(&text),
                Effect::Theme(name) => {
                    if let Some(theme) = (self.themes)(&name) {
                        self.theme = theme;
                        self.redraw = Redraw::Everything;
                    }
                }
                Effect::OpenCandidate(name) => {
                    let candidates = Arc::clone(&self.candidates);
                    self.opening.spawn(async move {
                        let asked = name.clone();
                        (name, candidates::ask(&candidates, move |it| it.open(&asked)).await)
                    });
                }
                Effect::Focus(group) => {
                    for connection in self.supervisor.focus(group.as_ref()) {
                        // What runs is not what is wanted any more, though that is called the same.
                        self.subscriptions.clear();
                        self.heard(Msg::Restarted(connection));
                    }
                }
                Effect::Bell => self.canvas.backend_mut().bell(),
                Effect::Approve { plan, answer, override_reason, evidence } if plan.verb == Verb::Exec => {
                    let session = self.enter_session(terminal, &plan)?;
                    self.effects.approve(plan, (answer, override_reason), evidence, Some(session));
                }
                Effect::Describe(_)
                | Effect::Reveal(_)
                | Effect::Check(_)
                | Effect::Plan(..)
                | Effect::Approve { .. }
                | Effect::Cancel(_)
                | Effect::ListCandidates
                | Effect::ReadJournal
                | Effect::SearchLog(_)
                | Effect::Save { .. } => self.effects.begin(effect),
            }
        }
        Ok(None)
    }

    fn copy(&mut self, text: &Text) {
        self.canvas.backend_mut().copy(text);
        self.redraw = Redraw::Frame;
    }

    fn reconcile(&mut self) {
        let wanted = self.app.subscriptions();
        if wanted == self.subscriptions {
            return;
        }
        self.supervisor.reconcile(&wanted);
        let period = wanted.iter().filter_map(|subscription| match subscription {
            Subscription::Clock(period) => Some(*period),
            Subscription::Watch(..) | Subscription::Objects(_) | Subscription::Logs(_) => None,
        });
        let period = period.min();
        if period != self.tick.map(|(period, _)| period) {
            self.tick = period.map(|period| (period, Instant::now() + period));
        }
        self.subscriptions = wanted;
    }

    fn draw(&mut self) {
        if self.redraw == Redraw::Everything {
            let Ok(()) = self.canvas.clear();
        }
        let (app, theme) = (&self.app, &self.theme);
        let mut areas = None;
        let Ok(_) = self.canvas.draw(|frame| areas = Some(ui::draw(app, theme, frame)));
        if let Some(areas) = areas {
            self.app.drawn(areas);
        }
        if let Some(frame) = self.canvas.backend_mut().take_frame() {
            self.writer.write(frame);
        }
        self.redraw = Redraw::Nothing;
        self.waited_for = false;
        self.drawn_at = Instant::now();
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn thread_failed(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "no thread can be started for the terminal").because(error)
}
