//! The journal: append-only JSON lines, written and synced before each request, hash-chained, mode 0600,
//! one file per process, locked for as long as the process lives. Only files nobody has locked belong to broken
//! operations. A tail that was cut off can be noticed only against a head hash kept elsewhere.

mod alone;
mod machine;
mod scribe;

pub use machine::{Machine, ThisMachine};
pub use scribe::{JournalScribe, Look, append, completed};

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::Read as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use sha2::{Digest, Sha256};

use super::clock;
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Timestamp,
    operation::{Entry, Ongoing, OperationId, OperationRecord, Record},
};

/// So many processes may begin in one second with one process number.
const SAMENESS: u32 = 100;
/// A reader holds a file for as long as it reads it, which is short.
const READING: (u32, Duration) = (100, Duration::from_millis(20));

/// This process's journal, and a reader of all others in the same folder.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
    /// Where it is instead, since the embedded fleet opened: what was played stands in nobody's handover.
    apart: Arc<OnceLock<PathBuf>>,
    machine: Arc<dyn Machine>,
    /// Made with the first line, so that a console that only looks leaves nothing behind.
    open: Arc<Mutex<Option<Open>>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    number: u64,
    /// Of all whole lines, in bytes.
    length: u64,
    previous: String,
    /// A line failed half way and stays there: what follows could not be told from it, so nothing may follow.
    broken: bool,
}

/// What all journal files of a folder say.
#[derive(Debug, Default)]
pub struct Reading {
    /// Every operation, oldest first.
    pub operations: Vec<OperationRecord>,
    /// Operations without a verdict whose process is gone.
    pub broken: Vec<OperationId>,
    /// What is wrong with the files, as sentences.
    pub problems: Vec<String>,
}

impl Journal {
    /// The journal in `folder`, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self::on(Arc::new(ThisMachine), folder)
    }

    /// The same on another machine's clock and disk, for tests of what becomes of it when they fail.
    pub fn on(machine: Arc<dyn Machine>, folder: PathBuf) -> Self {
        Self { folder, apart: Arc::default(), machine, open: Arc::default() }
    }

    /// The same for operations on the embedded fleet, in a folder of its own within this one.
    #[must_use]
    pub fn of_embedded(self) -> Self {
        self.set_apart();
        self
    }

    /// From now on it is that of the embedded fleet.
    pub fn set_apart(&self) {
        // Nothing is written before it is known on what the console opens.
        let _ = self.apart.set(self.folder.join("embedded"));
    }

    fn folder(&self) -> &Path {
        self.apart.get().unwrap_or(&self.folder)
    }

    /// Writes one line and syncs it. When this comes back well, the line survives a power cut.
    pub fn append(&self, operation: &OperationId, entry: Entry) -> Result<()> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *guard {
            Some(open) => open,
            None => guard.insert(self.create()?),
        };
        if open.broken {
            return Err(self
                .failed("has a line that could not be finished", None)
                .hint("nothing is sent without its journal line: start quarterdeck again, which begins another file"));
        }
        let record = Record {
            number: open.number,
            at: self.machine.now(),
            up: self.machine.up(),
            operation: operation.clone(),
            entry,
            previous: open.previous.clone(),
            hash: String::new(),
        };
        let bare = serde_json::to_vec(&record).map_err(|error| internal(&error))?;
        let hash = hex(Sha256::digest(&bare).as_slice());
        let mut line = bare.strip_suffix(UNHASHED).unwrap_or(&bare).to_vec();
        line.extend_from_slice(ending(&hash).as_bytes());
        line.push(b'\n');
        if let Err(error) = self.machine.write(&mut open.file, &line) {
            // Half a line goes again, so that others can follow once there is room.
            open.broken = open.file.set_len(open.length).and_then(|()| open.file.sync_data()).is_err();
            return Err(self.failed("cannot be written", Some(&error)));
        }
        open.number += 1;
        open.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
        open.previous = hash;
        Ok(())
    }

    fn create(&self) -> Result<Open> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(self.folder());
        made.map_err(|error| self.failed("has no folder", Some(&error)))?;
        let (name, file) = self.file().map_err(|error| self.failed("cannot be made", Some(&error)))?;
        lock(&file).map_err(|error| self.failed("cannot be locked", Some(&error)))?;
        // The name of a file is on disk only when its folder is synced too.
        File::open(self.folder())
            .and_then(|folder| folder.sync_all())
            .map_err(|error| self.failed("has a folder that cannot be synced", Some(&error)))?;
        let previous = hex(Sha256::digest(name.as_bytes()).as_slice());
        Ok(Open { file, number: 0, length: 0, previous, broken: false })
    }

    /// A new file. Its name need not be free: in a container every process has the same number.
    fn file(&self) -> std::io::Result<(String, File)> {
        let began = format!("{}-{}", clock::compact(self.machine.now()), std::process::id());
        let names = (1..=SAMENESS).map(|number| match number {
            1 => format!("{began}.jsonl"),
            number => format!("{began}-{number}.jsonl"),
        });
        for name in names {
            match OpenOptions::new().append(true).create_new(true).mode(0o600).open(self.folder().join(&name)) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                made => return made.map(|file| (name, file)),
            }
        }
        Err(std::io::ErrorKind::AlreadyExists.into())
    }

    /// Reads every file of the folder. A folder that does not exist holds nothing.
    pub fn read(&self) -> Result<Reading> {
        let mut reading = Reading::default();
        let (records, gone) = self.lines(&mut reading.problems)?;
        reading.operations = OperationRecord::fold(&records);
        reading.broken = reading
            .operations
            .iter()
            .filter(|known| known.verdict.is_none() && gone.contains(&known.operation))
            .map(|known| known.operation.clone())
            .collect();
        Ok(reading)
    }

    /// What living processes have under way, our own among it, oldest first. A file that cannot be read is left out:
    /// that it cannot was said when the journal was read.
    pub fn ongoing(&self) -> Vec<Ongoing> {
        let mut ongoing: Vec<Ongoing> = Vec::new();
        for path in self.files().unwrap_or_default() {
            let Ok((file, Owner::Alive)) = open(&path) else { continue };
            let Ok(lines) = read_file(file, Owner::Alive, &path, &mut Vec::new()) else { continue };
            let open = OperationRecord::fold(&lines).into_iter().filter(|known| known.verdict.is_none());
            ongoing.extend(open.map(Ongoing::from));
        }
        ongoing.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        ongoing
    }

    /// Every line about one operation, oldest first.
    pub fn lines_of(&self, operation: &OperationId) -> Result<Vec<Record>> {
        let (mut records, _) = self.lines(&mut Vec::new())?;
        records.retain(|record| record.operation == *operation);
        Ok(records)
    }

    /// Every line of every file, oldest first, and the operations in files whose process is gone.
    fn lines(&self, problems: &mut Vec<String>) -> Result<(Vec<Record>, Vec<OperationId>)> {
        let mut records: Vec<(Timestamp, Record)> = Vec::new();
        let mut gone: Vec<OperationId> = Vec::new();
        let (now, up) = (self.machine.now(), self.machine.up());
        for path in self.files()? {
            let read = open(&path).and_then(|(file, owner)| Ok((read_file(file, owner, &path, problems)?, owner)));
            let (lines, owner) = match read {
                Ok(read) => read,
                Err(error) => {
                    problems.push(format!("{}: {error}", path.display()));
                    continue;
                }
            };
            if owner == Owner::Gone {
                gone.extend(lines.iter().map(|record| record.operation.clone()));
            }
            // A clock that was set back does not put what was written later before what was written earlier.
            let mut latest = Timestamp(i64::MIN);
            records.extend(lines.into_iter().map(|mut record| {
                if let Some(up) = &up {
                    record.redate(now, up);
                }
                latest = latest.max(record.at);
                (latest, record)
            }));
        }
        records.sort_by_key(|(at, _)| *at);
        Ok((records.into_iter().map(|(_, record)| record).collect(), gone))
    }

    /// The files of the folder, oldest first. A folder that does not exist holds none.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(self.folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("cannot be read", Some(&error))),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        paths.sort();
        Ok(paths)
    }

    fn failed(&self, what: &str, error: Option<&std::io::Error>) -> Error {
        let failed = Error::new(ErrorKind::Io, format!("the journal in {} {what}", self.folder().display()))
            .hint("nothing is sent without its journal line: make room or set journal.directory, then try again");
        match error {
            Some(error) => failed.because(error),
            None => failed,
        }
    }
}

/// Whether the process that writes a file still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Alive,
    Gone,
}

/// Locks a new file for as long as this process lives. A reader may have found it before we had.
fn lock(file: &File) -> std::io::Result<()> {
    let (times, pause) = READING;
    for _ in 1..times {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => std::thread::sleep(pause),
            locked => return locked.map_err(Into::into),
        }
    }
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(Into::into)
}

fn open(path: &Path) -> std::io::Result<(File, Owner)> {
    let file = File::open(path)?;
    // A shared lock can be had only when nobody holds the exclusive one; it ends with this descriptor.
    let owner = match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Owner::Gone,
        Err(_) => Owner::Alive,
    };
    Ok((file, owner))
}

fn read_file(mut file: File, owner: Owner, path: &Path, problems: &mut Vec<String>) -> std::io::Result<Vec<Record>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut previous = hex(Sha256::digest(name.as_bytes()).as_slice());
    let mut records: Vec<Record> = Vec::new();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for (number, line) in lines.iter().enumerate() {
        let last = number + 1 == lines.len();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Record>(line) {
            // Without its line break the last line was never synced as a whole, so its request never left.
            Ok(_) | Err(_) if last && owner == Owner::Alive => {}
            Ok(_) | Err(_) if last => problems.push(format!("{name}: the last line is torn and was left out")),
            Ok(record) => {
                let intact = record.previous == previous && hash_of(line, &record.hash).as_ref() == Some(&record.hash);
                if !intact {
                    problems.push(format!("{name}, line {}: the hash chain is broken here", number + 1));
                }
                previous.clone_from(&record.hash);
                records.push(record);
            }
            Err(error) => problems.push(format!("{name}, line {}: {error}", number + 1)),
        }
    }
    Ok(records)
}

/// How a line ends before its hash is known.
const UNHASHED: &[u8] = br#""hash":""}"#;

/// How a line with that hash ends: it is the last field.
fn ending(hash: &str) -> String {
    format!("\"hash\":\"{hash}\"}}")
}

/// SHA-256 over the bytes of a line with its own hash left empty; `None` when that is not what it ends with.
fn hash_of(line: &[u8], hash: &str) -> Option<String> {
    let bare = line.strip_suffix(ending(hash).as_bytes())?;
    Some(hex(Sha256::new().chain_update(bare).chain_update(UNHASHED).finalize().as_slice()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn internal(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "a journal line cannot be written as JSON").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{ConnectionId, Kind, ResourceId, Timestamp},
        operation::{Answer, Argument, Intent, Outcome, Plan, Request, Verb, Verdict},
    };

    fn operation(name: &str) -> OperationId {
        OperationId(name.into())
    }

    fn approved(id: &OperationId) -> Entry {
        let connection = ConnectionId::from("swarm");
        let subject = ResourceId::new(connection.clone(), Kind::Service, "auth".into());
        let intent = Intent::new(Verb::Roll, vec![subject], Argument::None);
        let plan = Plan::new(id.clone(), &intent, connection, Timestamp(1));
        Entry::Approved {
            plan_hash: plan.hash(),
            plan: Box::new(plan),
            answer: Answer::Key,
            override_reason: None,
            operator: "ada@bastion".into(),
            identity: "unix socket".into(),
        }
    }

    fn sending(step: usize) -> Entry {
        let request =
            Request { method: "POST".into(), path: "/services/auth/update".into(), change: serde_json::Value::Null };
        Entry::Sending { step, request }
    }

    fn verdict() -> Entry {
        Entry::Verdict(Verdict {
            outcome: Outcome::Completed,
            text: "done".into(),
            left: Vec::new(),
            undone: Vec::new(),
        })
    }

    #[test]
    fn what_was_written_is_read_back_as_one_operation() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let journal = Journal::new(folder.path().join("journal"));
        let id = operation("one");
        for entry in [approved(&id), sending(0), verdict()] {
            journal.append(&id, entry).expect("a line is written");
        }
        let reading = journal.read().expect("the folder is read");
        assert_eq!(reading.problems, Vec::<String>::new());
        assert_eq!(reading.operations.len(), 1);
        let known = &reading.operations[0];
        assert_eq!((&known.operation, &known.sent[..]), (&id, &[0][..]));
        assert_eq!(known.verdict.as_ref().map(|verdict| verdict.outcome), Some(Outcome::Completed));
    }

    #[test]
    fn an_operation_of_a_living_process_is_not_broken_and_of_a_dead_one_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let journal = Journal::new(folder.path().to_owned());
        let id = operation("one");
        journal.append(&id, approved(&id)).expect("a line is written");
        assert_eq!(journal.read().expect("read").broken, []);
        let folder = journal.folder.clone();
        drop(journal);
        assert_eq!(Journal::new(folder).read().expect("read").broken, [id]);
    }

    #[test]
    fn what_is_ongoing_is_what_living_processes_have_not_ended() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let here = Journal::new(folder.path().to_owned());
        let (ended, open) = (operation("one"), operation("two"));
        for entry in [approved(&ended), verdict()] {
            here.append(&ended, entry).expect("a line is written");
        }
        here.append(&open, approved(&open)).expect("a line is written");
        let names = || here.ongoing().into_iter().map(|it| (it.id, it.operator)).collect::<Vec<_>>();
        assert_eq!(names(), [(open.clone(), "ada@bastion".into())]);
        here.append(&open, verdict()).expect("a line is written");
        assert_eq!(names(), []);
        let dead = Journal::new(folder.path().join("of-a-dead-process"));
        dead.append(&open, approved(&open)).expect("a line is written");
        let folder = dead.folder.clone();
        drop(dead);
        assert_eq!(Journal::new(folder).ongoing(), []);
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_said() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let id = operation("one");
        let journal = Journal::new(folder.path().to_owned());
        journal.append(&id, approved(&id)).expect("a line is written");
        journal.append(&id, sending(0)).expect("a line is written");
        drop(journal);
        let path = std::fs::read_dir(folder.path()).expect("a folder").flatten().next().expect("a file").path();
        let text = std::fs::read(&path).expect("the file");
        std::fs::write(&path, &text[..text.len() - 7]).expect("the file is cut");
        let reading = Journal::new(folder.path().to_owned()).read().expect("read");
        assert_eq!(reading.operations[0].sent, Vec::<usize>::new());
        assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
    }

    #[test]
    fn a_changed_line_breaks_the_chain() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let id = operation("one");
        let journal = Journal::new(folder.path().to_owned());
        journal.append(&id, approved(&id)).expect("a line is written");
        journal.append(&id, sending(0)).expect("a line is written");
        drop(journal);
        let path = std::fs::read_dir(folder.path()).expect("a folder").flatten().next().expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("the file").replace("ada@bastion", "eve@bastion");
        std::fs::write(&path, text).expect("the file is changed");
        let problems = Journal::new(folder.path().to_owned()).read().expect("read").problems;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with("line 1: the hash chain is broken here"), "{problems:?}");
    }

    #[test]
    fn files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let inside = folder.path().join("journal");
        let id = operation("one");
        Journal::new(inside.clone()).append(&id, approved(&id)).expect("a line is written");
        let mode = |path: &Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        let file = std::fs::read_dir(&inside).expect("a folder").flatten().next().expect("a file").path();
        assert_eq!((mode(&inside), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn no_folder_no_line() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let id = operation("one");
        let error =
            Journal::new(file.path().join("below")).append(&id, approved(&id)).expect_err("a file is no folder");
        assert_eq!(error.kind, ErrorKind::Io);
    }
}
