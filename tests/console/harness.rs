//! Opens the built binary in a terminal of its own and looks at it as a person would: keys in, screen out.
//! Waiting is always for something, with a limit; nothing here knows what the console shows.

use std::{
    fs,
    io::{Read as _, Write as _},
    num::NonZeroU16,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use pty_process::blocking::Pty;
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    termios::{Termios, tcgetattr},
};

/// The binary under test: the one cargo has built for these tests, or another build that `TESTED_BINARY` names.
fn quarterdeck() -> PathBuf {
    std::env::var_os("TESTED_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_quarterdeck")), PathBuf::from)
}

/// Long enough for a debug build on a machine that is busy with other things; reached only by what never comes.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const ENTER: &str = "\r";
pub const ESCAPE: &str = "\x1b";

/// Begins and ends a synchronized update (DEC private mode 2026).
pub const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
pub const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

/// A home directory with nothing in it, so that nothing of this machine is found.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The directory the journal of the embedded fleet is in unless configuration says otherwise.
    pub fn journal(&self) -> PathBuf {
        self.path("state/quarterdeck/journal/embedded")
    }

    /// Writes the usual configuration file and says where.
    pub fn configure(&self, text: &str) -> PathBuf {
        let file = self.path("config/quarterdeck/config.toml");
        fs::create_dir_all(file.parent().expect("it has a folder")).expect("folders can be made");
        fs::write(&file, text).expect("the configuration can be written");
        file
    }

    /// The environment of whoever lives here: nothing is inherited but the search path.
    fn environment(&self) -> Vec<(String, String)> {
        let path = |below: &str| self.path(below).to_string_lossy().into_owned();
        let inherited = std::env::var("PATH").unwrap_or_default();
        [
            ("PATH", inherited),
            ("HOME", path("")),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_STATE_HOME", path("state")),
            ("XDG_DATA_HOME", path("data")),
            ("XDG_CACHE_HOME", path("cache")),
            ("XDG_RUNTIME_DIR", path("run")),
            ("USER", "ada".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// A command without a terminal, in this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(quarterdeck());
        command.args(arguments).env_clear().envs(self.environment()).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command without a terminal to its end.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        answer(&mut self.command(arguments))
    }

    /// A console in this home, still to be opened.
    pub fn console(&self, arguments: &[&str]) -> Opening<'_> {
        Opening {
            home: self,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: Vec::new(),
            columns: 100,
            rows: 30,
            session: Session::Own,
        }
    }
}

/// What a command without a terminal answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// Its standard output, after it ended well.
    pub fn well(&self) -> &str {
        assert_eq!(self.code, Some(0), "it failed: {self:?}");
        &self.out
    }

    /// Its standard output as JSON, after it ended well.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.well()).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Runs `command` to its end, or ends it when that does not come.
pub fn answer(command: &mut Command) -> Answer {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let pid = Pid::from_child(&child);
    let (done, ended) = std::sync::mpsc::channel();
    let wait = thread::spawn(move || {
        let output = child.wait_with_output();
        let _ = done.send(());
        output
    });
    let late = ended.recv_timeout(PATIENCE * 3).is_err();
    if late {
        let _ = kill_process(pid, Signal::KILL);
    }
    let output = wait.join().expect("the waiting thread ends").expect("the output can be read");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
    let answer = Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!late, "it did not end: {answer:?}");
    answer
}

/// Whether the console leads a session whose controlling terminal it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// As a login shell would: the kernel sends SIGHUP when the terminal goes.
    Own,
    /// The terminal is there but controls nothing: when it goes, no signal says so.
    None,
}

/// A console about to be opened.
pub struct Opening<'a> {
    home: &'a Home,
    arguments: Vec<String>,
    environment: Vec<(String, Option<String>)>,
    columns: u16,
    rows: u16,
    session: Session,
}

impl Opening<'_> {
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.environment.push((name.to_owned(), None));
        self
    }

    pub fn session(mut self, session: Session) -> Self {
        self.session = session;
        self
    }

    pub fn open(self) -> Console {
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal can be had");
        pty.resize(pty_process::Size::new(self.rows, self.columns)).expect("its size can be set");
        let before = tcgetattr(&pty).expect("its modes can be read");
        let mut environment = self.home.environment();
        for (name, value) in &self.environment {
            environment.retain(|(known, _)| known != name);
            environment.extend(value.clone().map(|value| (name.clone(), value)));
        }
        let child = match self.session {
            Session::Own => pty_process::blocking::Command::new(quarterdeck())
                .args(&self.arguments)
                .env_clear()
                .envs(environment)
                .current_dir(self.home.folder.path())
                .spawn(pts)
                .expect("the binary starts"),
            Session::None => {
                let copy = || Stdio::from(pts.as_fd().try_clone_to_owned().expect("a descriptor can be copied"));
                let mut command = Command::new(quarterdeck());
                command.args(&self.arguments).env_clear().envs(environment).current_dir(self.home.folder.path());
                command.stdin(copy()).stdout(copy()).stderr(copy()).spawn().expect("the binary starts")
            }
        };
        Console::watch(&child, pty, before, (self.columns, self.rows))
    }
}

/// A console in its terminal.
pub struct Console {
    process: Pid,
    /// `None` once the terminal was taken away.
    terminal: Option<Arc<Pty>>,
    /// Dropping it ends the reading thread.
    stop: Option<std::io::PipeWriter>,
    reader: Option<thread::JoinHandle<()>>,
    seen: Arc<Watched>,
    before: Termios,
}

struct Watched {
    state: Mutex<Seen>,
    news: Condvar,
    /// Whether the terminal reads at all.
    reading: Mutex<Reading>,
    reads_again: Condvar,
}

/// Whether a terminal reads what is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Reads,
    Stalled,
}

/// All that came out of the console so far, and how its process is.
struct Seen {
    stream: Vec<u8>,
    screen: vt100::Parser,
    /// Nothing more can come.
    closed: bool,
    process: Process,
}

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    Runs,
    Stopped,
    /// With this exit code, or none when a signal ended it.
    Ended(Option<i32>),
}

/// What a terminal shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// One line for each row, blanks at the end left out.
    pub rows: Vec<String>,
    pub alternate: bool,
    pub cursor_hidden: bool,
    pub bracketed_paste: bool,
}

impl Screen {
    fn of(screen: &vt100::Screen) -> Self {
        let (_, columns) = screen.size();
        Self {
            rows: screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect(),
            alternate: screen.alternate_screen(),
            cursor_hidden: screen.hide_cursor(),
            bracketed_paste: screen.bracketed_paste(),
        }
    }

    pub fn text(&self) -> String {
        self.rows.join("\n")
    }

    pub fn has(&self, text: &str) -> bool {
        self.rows.iter().any(|row| row.contains(text))
    }

    /// The first row that has `text`.
    pub fn row(&self, text: &str) -> Option<&str> {
        self.rows.iter().map(String::as_str).find(|row| row.contains(text))
    }
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes back when the terminal reads.
    fn when_it_reads(&self) {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let stalled = |reading: &mut Reading| *reading == Reading::Stalled;
        drop(self.reads_again.wait_while(reading, stalled).unwrap_or_else(PoisonError::into_inner));
    }

    fn turn(&self, reading: Reading) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading;
        self.reads_again.notify_all();
    }

    /// Changes what is known and wakes who waits for it.
    fn learn(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.news.notify_all();
    }
}

fn sized(size: (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    let one = |length| NonZeroU16::new(length).expect("a terminal has a size");
    (one(size.1), one(size.0))
}

impl Console {
    fn watch(child: &Child, pty: Pty, before: Termios, size: (u16, u16)) -> Self {
        let (rows, columns) = sized(size);
        let seen = Seen {
            stream: Vec::new(),
            screen: vt100::Parser::new(rows, columns, 0),
            closed: false,
            process: Process::Runs,
        };
        let seen = Arc::new(Watched {
            state: Mutex::new(seen),
            news: Condvar::new(),
            reading: Mutex::new(Reading::Reads),
            reads_again: Condvar::new(),
        });
        let terminal = Arc::new(pty);
        let (stopped, stop) = std::io::pipe().expect("a pipe can be had");
        let reader = {
            let (terminal, seen) = (Arc::clone(&terminal), Arc::clone(&seen));
            thread::spawn(move || {
                read_all(&terminal, &stopped, &seen);
                drop(terminal);
                seen.learn(|seen| seen.closed = true);
            })
        };
        let process = Pid::from_child(child);
        let watched = Arc::clone(&seen);
        thread::spawn(move || {
            while let Ok(Some((_, status))) = waitpid(Some(process), WaitOptions::UNTRACED | WaitOptions::CONTINUED) {
                let process = match (status.stopped(), status.continued()) {
                    (true, _) => Process::Stopped,
                    (_, true) => Process::Runs,
                    (false, false) => Process::Ended(status.exit_status()),
                };
                watched.learn(|seen| seen.process = process);
                if matches!(process, Process::Ended(_)) {
                    return;
                }
            }
        });
        Self { process, terminal: Some(terminal), stop: Some(stop), reader: Some(reader), seen, before }
    }

    /// Waits until `found` finds what it looks for, and returns that. Looks only between frames.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, limit: Duration, found: impl Fn(&Screen, Process) -> Option<T>) -> T {
        let deadline = Instant::now() + limit;
        let mut seen = self.seen.lock();
        loop {
            if between_frames(&seen.stream)
                && let Some(found) = found(&Screen::of(seen.screen.screen()), seen.process)
            {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let hopeless = seen.closed && matches!(seen.process, Process::Ended(_));
            if left.is_zero() || hopeless {
                let screen = Screen::of(seen.screen.screen());
                let (process, closed) = (seen.process, seen.closed);
                drop(seen);
                panic!(
                    "{what}: never seen; the process: {process:?}, closed: {closed}; the screen:\n{}",
                    screen.text()
                );
            }
            seen = self.seen.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the screen is as `wanted` says, and returns it.
    #[track_caller]
    pub fn until(&self, what: &str, wanted: impl Fn(&Screen) -> bool) -> Screen {
        self.wait(what, PATIENCE, |screen, _| wanted(screen).then(|| screen.clone()))
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub fn shows(&self, text: &str) -> Screen {
        self.until(text, |screen| screen.has(text))
    }

    /// Waits until the screen does not show `text`.
    #[track_caller]
    pub fn hides(&self, text: &str) -> Screen {
        self.until(&format!("without {text}"), |screen| !screen.has(text))
    }

    /// Waits until nothing was written for `gap`, and returns the screen.
    pub fn rests(&self, gap: Duration) -> Screen {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.lock();
        let mut length = seen.stream.len();
        let mut since = Instant::now();
        while since.elapsed() < gap {
            assert!(Instant::now() < deadline, "it never rests");
            let left = gap.saturating_sub(since.elapsed());
            seen = self.seen.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
            if seen.stream.len() != length {
                (length, since) = (seen.stream.len(), Instant::now());
            }
        }
        Screen::of(seen.screen.screen())
    }

    /// Waits until more than `length` bytes were written in all.
    #[track_caller]
    pub fn writes_beyond(&self, length: usize) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.lock();
        while seen.stream.len() <= length {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "nothing more was written");
            seen = self.seen.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many bytes are written within `window`.
    pub fn written_within(&self, window: Duration) -> usize {
        let deadline = Instant::now() + window;
        let mut seen = self.seen.lock();
        let before = seen.stream.len();
        while Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            seen = self.seen.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        seen.stream.len() - before
    }

    /// The screen now.
    pub fn screen(&self) -> Screen {
        Screen::of(self.seen.lock().screen.screen())
    }

    /// Everything written so far.
    pub fn stream(&self) -> Vec<u8> {
        self.seen.lock().stream.clone()
    }

    /// Types `keys`, all at once.
    pub fn keys(&self, keys: &str) {
        self.try_keys(keys).expect("the terminal takes keys");
    }

    /// Types `keys`, all at once; fails where the console has ended meanwhile.
    pub fn try_keys(&self, keys: &str) -> std::io::Result<()> {
        let mut terminal = &**self.terminal.as_ref().expect("the terminal is there");
        terminal.write_all(keys.as_bytes())
    }

    /// Pastes `text` as terminals do where bracketed paste is on.
    pub fn paste(&self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let (height, width) = sized((columns, rows));
        self.seen.learn(|seen| seen.screen.screen_mut().set_size(height, width));
        let terminal = self.terminal.as_ref().expect("the terminal is there");
        terminal.resize(pty_process::Size::new(rows, columns)).expect("its size can be set");
    }

    /// Lets the terminal read nothing any more, as one behind a link that stalls.
    pub fn stall(&self) {
        self.seen.turn(Reading::Stalled);
    }

    /// Lets the terminal read again.
    pub fn flow(&self) {
        self.seen.turn(Reading::Reads);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.process, signal).expect("the process is there");
    }

    /// How the process is.
    pub fn process(&self) -> Process {
        self.seen.lock().process
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.process.as_raw_nonzero().get().unsigned_abs()
    }

    /// Waits until the process is stopped.
    #[track_caller]
    pub fn stops(&self) {
        self.wait("a stopped process", PATIENCE, |_, process| (process == Process::Stopped).then_some(()));
    }

    /// Waits until the process has ended, whatever of its output is unread; its exit code.
    #[track_caller]
    pub fn dies(&self, limit: Duration) -> Option<i32> {
        self.wait_ended(limit, |seen| match seen.process {
            Process::Ended(code) => Some(code),
            Process::Runs | Process::Stopped => None,
        })
    }

    /// Waits until the process has ended and everything it wrote was read; its exit code.
    #[track_caller]
    pub fn ends(&self, limit: Duration) -> Option<i32> {
        self.wait_ended(limit, |seen| match (seen.process, seen.closed) {
            (Process::Ended(code), true) => Some(code),
            (Process::Ended(_) | Process::Runs | Process::Stopped, _) => None,
        })
    }

    #[track_caller]
    fn wait_ended(&self, limit: Duration, ended: impl Fn(&Seen) -> Option<Option<i32>>) -> Option<i32> {
        let deadline = Instant::now() + limit;
        let mut seen = self.seen.lock();
        loop {
            if let Some(code) = ended(&seen) {
                return code;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (process, screen) = (seen.process, Screen::of(seen.screen.screen()));
                drop(seen);
                panic!("it did not end within {limit:?} ({process:?}):\n{}", screen.text());
            }
            seen = self.seen.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes the terminal away: no handle of it is left open on this side.
    pub fn hang_up(&mut self) {
        self.stop = None;
        self.flow();
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reading thread ends");
        }
        self.terminal = None;
    }

    /// The terminal's modes that a program left behind changed, as words; empty when none did.
    pub fn changed_modes(&self) -> Vec<String> {
        let now = tcgetattr(self.terminal.as_ref().expect("the terminal is there")).expect("its modes can be read");
        let pairs = [
            ("input", format!("{:?}", self.before.input_modes), format!("{:?}", now.input_modes)),
            ("output", format!("{:?}", self.before.output_modes), format!("{:?}", now.output_modes)),
            ("control", format!("{:?}", self.before.control_modes), format!("{:?}", now.control_modes)),
            ("local", format!("{:?}", self.before.local_modes), format!("{:?}", now.local_modes)),
        ];
        let changed = pairs.into_iter().filter(|(_, before, now)| before != now);
        changed.map(|(name, before, now)| format!("{name}: {before} became {now}")).collect()
    }

    /// What is left of the console in the terminal, as words; empty when it was given back whole.
    pub fn left_behind(&self) -> Vec<String> {
        let mut left = self.changed_modes();
        let seen = self.seen.lock();
        let screen = Screen::of(seen.screen.screen());
        let wheel = seen.screen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        let signs = [
            (screen.alternate, "the alternate screen"),
            (screen.cursor_hidden, "a hidden cursor"),
            (screen.bracketed_paste, "bracketed paste"),
            (wheel, "mouse reports"),
            (!between_frames(&seen.stream), "an open frame"),
        ];
        left.extend(signs.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()));
        left
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if !matches!(self.process(), Process::Ended(_)) {
            let _ = kill_process(self.process, Signal::KILL);
        }
        self.stop = None;
        self.flow();
    }
}

/// Reads what the console writes until its end, or until the other end of `stopped` is gone.
fn read_all(terminal: &Pty, stopped: &std::io::PipeReader, seen: &Watched) {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let mut either = [PollFd::new(terminal, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut either, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        let [readable, end] = either.map(|descriptor| !descriptor.revents().is_empty());
        if end {
            return;
        }
        if !readable {
            continue;
        }
        seen.when_it_reads();
        let mut terminal = terminal;
        match terminal.read(&mut chunk) {
            // The kernel says EIO when nobody holds the other side any more.
            Ok(0) | Err(_) => return,
            Ok(length) => seen.learn(|seen| {
                let bytes = chunk.get(..length).unwrap_or_default();
                seen.stream.extend_from_slice(bytes);
                seen.screen.process(bytes);
            }),
        }
    }
}

/// Whether no frame is half read.
fn between_frames(stream: &[u8]) -> bool {
    let last = |mark: &[u8]| stream.windows(mark.len()).rposition(|window| window == mark);
    match (last(FRAME_BEGINS), last(FRAME_ENDS)) {
        (Some(begun), Some(ended)) => begun < ended,
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Every file below `folder` whose name ends so.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(ending));
    files.sort();
    files
}
