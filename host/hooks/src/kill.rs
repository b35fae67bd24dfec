//! The kill switch: pulled by a call, by a signal, or by a file that exists. Once pulled it stays so; only a new one is not.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGUSR1;

/// What pulled a kill switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Somebody called, and said why.
    #[error("{0}")]
    Called(String),
    /// The process got the signal SIGUSR1.
    #[error("the signal SIGUSR1")]
    Signal,
    /// A file is there, and begins with these words; empty if it has none or cannot be read.
    #[error("the file {}{}", .0.display(), words(.1))]
    File(PathBuf, String),
}

/// A switch that is pulled once and for all. Clones are handles of the same one.
///
/// Asking whether it was pulled takes two loads of memory, so it may be asked at every event. A file is looked at by whoever
/// trades ([`KillFile::look`], [`FileWatch::look`]) or by a thread ([`KillSwitch::watch`]).
#[derive(Debug, Clone, Default)]
pub struct KillSwitch(Arc<Wires>);

#[derive(Debug, Default)]
struct Wires {
    cause: OnceLock<Cause>,
    /// Set in the signal's handler, which may do nothing else. Shared with it for the life of the process.
    signal: Arc<AtomicBool>,
}

impl KillSwitch {
    /// Pulls it. The first cause stays.
    pub fn pull(&self, cause: Cause) {
        let _ = self.0.cause.set(cause);
    }

    /// What pulled it, if anything did.
    #[must_use]
    pub fn pulled(&self) -> Option<&Cause> {
        if self.0.signal.load(Ordering::Relaxed) {
            self.pull(Cause::Signal);
        }
        self.0.cause.get()
    }

    /// From now on the signal SIGUSR1 pulls it. That one is free: SIGINT and SIGTERM ask for an orderly end, with positions and
    /// protective stops left where they are, SIGHUP comes when a terminal closes, and SIGQUIT leaves a core file.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(&self) -> io::Result<()> {
        signal_hook::flag::register(SIGUSR1, Arc::clone(&self.0.signal)).map(drop)
    }

    /// Starts a thread that looks for this file every [`FileWatch::PAUSE`] and pulls the switch when it is there. It ends then,
    /// or when the answer is dropped.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn watch(&self, file: KillFile) -> io::Result<Watcher> {
        let (stop, stopped) = channel::<()>();
        let switch = self.clone();
        let look = move || {
            loop {
                file.look(&switch);
                if switch.pulled().is_some() {
                    return;
                }
                if stopped.recv_timeout(FileWatch::PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("kill-file".to_owned()).spawn(look)?;
        Ok(Watcher { stop: Some(stop), thread: Some(thread) })
    }
}

/// The file that stops all trading while it exists, whatever is in it: its words say when and why, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillFile {
    path: PathBuf,
}

impl KillFile {
    /// Its name in a workspace.
    pub const NAME: &'static str = "KILL";
    /// Most bytes of it that are read.
    const READ: u64 = 1_000;

    /// The one in this folder, there or not.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join(Self::NAME) }
    }

    /// Where it is, or would be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it exists, as whatever: a folder and a dangling link count. Who cannot tell takes it for there.
    #[must_use]
    pub fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
    }

    /// Pulls the switch if the file exists.
    pub fn look(&self, switch: &KillSwitch) {
        if self.exists() {
            switch.pull(Cause::File(self.path.clone(), self.words()));
        }
    }

    /// The first words in it, in one line; empty if there are none to be read.
    #[must_use]
    pub fn words(&self) -> String {
        let mut text = Vec::new();
        // What is no file may keep a reader waiting.
        if fs::metadata(&self.path).is_ok_and(|about| about.is_file()) {
            let read = File::open(&self.path).and_then(|file| file.take(Self::READ).read_to_end(&mut text));
            if read.is_err() {
                text.clear();
            }
        }
        let words: Vec<String> = String::from_utf8_lossy(&text).split_whitespace().map(harmless).collect();
        words.join(" ")
    }

    /// Makes the file, with these words, and waits until it is on disk. One that is there stays as it is. Says whether it was
    /// made.
    ///
    /// # Errors
    /// What the system says.
    pub fn make(&self, words: &str) -> io::Result<bool> {
        let mut file = match File::create_new(&self.path) {
            Ok(file) => file,
            Err(_) if self.exists() => return Ok(false),
            Err(error) => return Err(error),
        };
        // From here on it stops trading, whatever else fails.
        writeln!(file, "{words}")?;
        file.sync_all()?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(true)
    }

    /// Takes it away. Says whether it was there.
    ///
    /// # Errors
    /// What the system says; it then still stops all trading.
    pub fn remove(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A file that the caller looks at, no more often than it takes.
#[derive(Debug, Clone)]
pub struct FileWatch {
    file: KillFile,
    looked: Option<Instant>,
}

impl FileWatch {
    /// From one look at a file to the next.
    pub const PAUSE: Duration = Duration::from_millis(100);

    /// Nobody has looked yet.
    #[must_use]
    pub fn of(file: KillFile) -> Self {
        Self { file, looked: None }
    }

    /// Looks, unless the last look is less than [`FileWatch::PAUSE`] ago. To be called at every event.
    pub fn look(&mut self, now: Instant, switch: &KillSwitch) {
        let due = self.looked.is_none_or(|looked| now.saturating_duration_since(looked) >= Self::PAUSE);
        if due {
            self.looked = Some(now);
            self.file.look(switch);
        }
    }
}

/// A thread that looks for a file. It ends when this is dropped.
#[derive(Debug)]
pub struct Watcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Whether it still looks: it has ended once the switch was pulled.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn words(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// Without what a terminal would obey.
fn harmless(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use super::{Cause, FileWatch, KillFile, KillSwitch, Watcher};

    #[test]
    fn the_first_cause_stays_and_every_handle_knows_it() {
        let switch = KillSwitch::default();
        let handle = switch.clone();
        assert_eq!(switch.pulled(), None);
        std::thread::spawn(move || handle.pull(Cause::Called("a person".to_owned()))).join().unwrap();
        switch.pull(Cause::Signal);
        assert_eq!(switch.pulled(), Some(&Cause::Called("a person".to_owned())));
    }

    #[test]
    fn a_signal_pulls_it_before_the_next_question() {
        let (switch, deaf) = (KillSwitch::default(), KillSwitch::default());
        switch.listen().unwrap();
        assert_eq!(switch.pulled(), None);
        signal_hook::low_level::raise(signal_hook::consts::SIGUSR1).unwrap();
        assert_eq!(switch.pulled(), Some(&Cause::Signal));
        assert_eq!(deaf.pulled(), None);
    }

    #[test]
    fn a_file_that_exists_pulls_it_at_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let file = KillFile::of(folder.path());
        let switch = KillSwitch::default();
        file.look(&switch);
        assert_eq!(switch.pulled(), None);
        assert!(file.make("2026-01-01\n  fire\u{1b}[2J").unwrap());
        assert!(!file.make("again").unwrap(), "the first words stay");
        file.look(&switch);
        let cause = switch.pulled().unwrap();
        assert_eq!(*cause, Cause::File(file.path().to_owned(), "2026-01-01 fire\u{fffd}[2J".to_owned()));
        assert!(file.remove().unwrap() && !file.remove().unwrap());
        assert!(switch.pulled().is_some(), "taking the file away does not take that back");
    }

    #[test]
    fn anything_of_that_name_is_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = KillFile::of(folder.path());
        std::os::unix::fs::symlink("nowhere", file.path()).unwrap();
        assert!(file.exists(), "a link to nothing");
        assert!(!file.make("fire").unwrap());
        file.remove().unwrap();
        fs::create_dir(file.path()).unwrap();
        assert!(file.exists() && file.words().is_empty(), "a folder");
        assert!(KillFile::of(&file.path().join("x\0y")).exists(), "what cannot be told");
    }

    #[test]
    fn a_caller_looks_no_more_often_than_it_takes() {
        let folder = tempfile::tempdir().unwrap();
        let file = KillFile::of(folder.path());
        let (switch, start) = (KillSwitch::default(), Instant::now());
        let mut watch = FileWatch::of(file.clone());
        watch.look(start, &switch);
        file.make("fire").unwrap();
        watch.look(start + FileWatch::PAUSE / 2, &switch);
        assert_eq!(switch.pulled(), None);
        watch.look(start + FileWatch::PAUSE, &switch);
        assert!(switch.pulled().is_some());
    }

    #[test]
    fn a_thread_looks_until_it_has_seen_the_file_or_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let file = KillFile::of(folder.path());
        let switch = KillSwitch::default();
        let nobody: Watcher = switch.watch(file.clone()).unwrap();
        drop(nobody);
        assert_eq!(switch.pulled(), None);
        file.make("fire").unwrap();
        let watcher = switch.watch(file).unwrap();
        while watcher.is_looking() {
            std::thread::yield_now();
        }
        assert!(matches!(switch.pulled(), Some(Cause::File(..))));
    }
}
