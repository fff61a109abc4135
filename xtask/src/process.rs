//! Processes: commands that must succeed, and servers that end with us, whichever way we end.

use anyhow::{Context as _, Result, bail};
use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How we run commands: loudly, quietly (words only on failure), or for their answer.
pub trait Run {
    fn loudly(&mut self) -> Result<()>;
    fn quietly(&mut self) -> Result<()>;
    fn read(&mut self) -> Result<String>;
}

impl Run for Command {
    fn loudly(&mut self) -> Result<()> {
        let name = name_of(self);
        let status = self.stdin(Stdio::null()).status().with_context(|| format!("cannot start {name}"))?;
        if status.success() { Ok(()) } else { bail!("{name} ended with {status}") }
    }
    fn quietly(&mut self) -> Result<()> {
        let name = name_of(self);
        let output = self.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
        if output.status.success() {
            return Ok(());
        }
        let words = [output.stdout, output.stderr].concat();
        bail!("{name} ended with {}:\n{}", output.status, String::from_utf8_lossy(&words).trim());
    }
    fn read(&mut self) -> Result<String> {
        let name = name_of(self);
        let output = self.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
        if !output.status.success() {
            bail!("{name} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn name_of(command: &Command) -> String {
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    format!("`{} {}`", command.get_program().to_string_lossy(), arguments.join(" "))
}

/// Pids of the servers that run for us: ended one by one, by their id, on every way out.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// Folders that go when we do.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A server that ends when this value is dropped, on Ctrl-C, and when xtask fails.
pub struct Server {
    pub name: &'static str,
    /// Where its words go; `None` is our own terminal.
    log: Option<PathBuf>,
    child: Child,
    /// The polite way to end it: PostgreSQL stops fast on INT.
    signal: &'static str,
}

impl Server {
    pub fn start(name: &'static str, command: &mut Command, log: Option<&Path>, signal: &'static str) -> Result<Self> {
        if let Some(log) = log {
            let words = File::create(log).with_context(|| format!("writing {}", log.display()))?;
            command.stdout(words.try_clone()?).stderr(words);
        }
        let child = command
            .stdin(Stdio::null())
            // A group of its own: the terminal's Ctrl-C reaches us, and we end it in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        running().push(child.id());
        Ok(Self { name, log: log.map(Path::to_path_buf), child, signal })
    }
    pub fn its_words(&self) -> String {
        self.log.as_ref().map_or_else(|| "see above".to_owned(), |log| format!("its words are in {}", log.display()))
    }
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
    pub fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }
    fn end(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        signal(self.child.id(), self.signal);
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        signal(self.child.id(), "KILL");
        let _ended = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        let id = self.child.id();
        running().retain(|pid| *pid != id);
    }
}

fn running() -> std::sync::MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal(pid: u32, name: &str) {
    let _sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
}

/// A folder that goes with its owner, or with us.
pub struct TemporaryFolder {
    pub path: PathBuf,
}

impl TemporaryFolder {
    pub fn new(name: &str) -> Result<Self> {
        Self::within(&std::env::temp_dir(), name)
    }

    /// For files that need not outlive a power cut.
    pub fn in_memory(name: &str) -> Result<Self> {
        Self::within(&passing(), name)
    }

    fn within(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Ok(Self { path })
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        remove(&self.path);
        TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.path);
    }
}

/// The folder for files that tests make: memory, where there is plenty of it, for waiting for a disk is most of what their databases do.
pub fn passing() -> PathBuf {
    const PLENTY_MB: u64 = 4_096;
    let memory = Path::new("/dev/shm");
    let free = Command::new("df").args(["--output=avail", "--block-size=1M"]).arg(memory).read().ok();
    let free: Option<u64> = free.and_then(|table| table.lines().nth(1)?.trim().parse().ok());
    if free.is_some_and(|megabytes| megabytes >= PLENTY_MB) { memory.to_path_buf() } else { std::env::temp_dir() }
}

fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        eprintln!("{} stays behind: {error}", folder.display());
    }
}

/// How often a server that ends is looked at, and for how long: the shop lets requests finish for ten seconds.
const ENDING: (u32, Duration) = (240, Duration::from_millis(50));

/// Ends what is still running, and waits for it; servers that were dropped are no longer listed.
pub fn end_all() {
    let pids = std::mem::take(&mut *running());
    for pid in &pids {
        signal(*pid, "INT");
        signal(*pid, "TERM");
    }
    let is_there = |pid: &u32| {
        // One that has ended and was not waited for is a zombie.
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
    };
    for _ in 0..ENDING.0 {
        if !pids.iter().any(is_there) {
            return;
        }
        std::thread::sleep(ENDING.1);
    }
}

/// Ctrl-C, SIGTERM and a closed terminal end our servers, then us.
pub fn end_all_on_interrupt() {
    let set = ctrlc::set_handler(|| {
        end_all();
        for folder in std::mem::take(&mut *TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)) {
            remove(&folder);
        }
        std::process::exit(130);
    });
    if set.is_err() {
        eprintln!("xtask cannot listen for Ctrl-C: servers of the tests may stay behind");
    }
}
