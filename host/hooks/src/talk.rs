//! The conversation with a program: all pipes at once and none of them blocking, so that nothing that the program or its
//! children do with theirs can hold the host longer than the deadline.

use std::io::{self, ErrorKind, Read, Write as _};
use std::os::fd::AsFd;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// How often a program is looked at whose pipes tell nothing: its end is no event of theirs.
const TICK: Duration = Duration::from_millis(2);

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The program ended; all that it wrote was read. It is not reaped yet.
    Exited,
    /// The time was up.
    Late,
    /// It wrote more than may be read to the stream of this name.
    TooMuch(&'static str),
}

/// The conversation and what was heard in it.
#[derive(Debug)]
pub(crate) struct Talk {
    stdin: Option<ChildStdin>,
    pub(crate) stdout: Ear<ChildStdout>,
    pub(crate) stderr: Ear<ChildStderr>,
}

/// A pipe that is read, up to a limit.
#[derive(Debug)]
pub(crate) struct Ear<P> {
    pipe: Option<P>,
    /// At most the limit and one buffer.
    pub(crate) heard: Vec<u8>,
    most: usize,
}

impl Talk {
    /// Takes the child's pipes. At most `most` bytes are read of each.
    pub(crate) fn with(child: &mut Child, most: usize) -> io::Result<Self> {
        let missing = || io::Error::other("a pipe is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        for pipe in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { stdin: Some(stdin), stdout: Ear::new(stdout, most), stderr: Ear::new(stderr, most) })
    }

    /// Tells the program all of `input`, as far as it listens, and hears it out until it ends or `deadline` after `start`.
    pub(crate) fn hold(&mut self, pid: Pid, input: &[u8], start: Instant, deadline: Duration) -> io::Result<End> {
        let mut left = input;
        loop {
            // First whether it ended, then what there is to read: so nothing is missed that it wrote before.
            let ended =
                waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG)?;
            self.tell(&mut left)?;
            self.stdout.listen()?;
            self.stderr.listen()?;
            if self.stdout.is_overrun() {
                return Ok(End::TooMuch("standard output"));
            }
            if self.stderr.is_overrun() {
                return Ok(End::TooMuch("standard error"));
            }
            if ended.is_some() {
                return Ok(End::Exited);
            }
            let Some(time) = deadline.checked_sub(start.elapsed()).filter(|time| !time.is_zero()) else {
                return Ok(End::Late);
            };
            self.rest(time.min(TICK))?;
        }
    }

    /// Writes what the pipe takes, and closes it when all is written or nobody reads it any more.
    fn tell(&mut self, left: &mut &[u8]) -> io::Result<()> {
        while let Some(pipe) = self.stdin.as_mut().filter(|_| !left.is_empty()) {
            match pipe.write(left) {
                Ok(written) => *left = &left[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A program may answer without reading; what it does not read it does not need.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                Err(error) => return Err(error),
            }
        }
        self.stdin = None;
        Ok(())
    }

    /// Waits until a pipe is ready, or for so long.
    fn rest(&self, most: Duration) -> io::Result<()> {
        let timeout = Timespec::try_from(most).map_err(io::Error::other)?;
        let stdin = self.stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT));
        let stdout = self.stdout.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN));
        let stderr = self.stderr.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN));
        let mut pipes: Vec<PollFd<'_>> = [stdin, stdout, stderr].into_iter().flatten().collect();
        match poll(&mut pipes, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl<P: Read + AsFd> Ear<P> {
    fn new(pipe: P, most: usize) -> Self {
        Self { pipe: Some(pipe), heard: Vec::new(), most }
    }

    /// Reads what there is, until the limit is passed.
    fn listen(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8 << 10];
        while let Some(pipe) = self.pipe.as_mut().filter(|_| self.heard.len() <= self.most) {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(read) => self.heard.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_overrun(&self) -> bool {
        self.heard.len() > self.most
    }
}
