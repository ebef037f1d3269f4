// Each test file uses what it needs.
#![allow(dead_code)]
//! Servers that answer what a test says, and work that tells how it ended.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use keelson_redis::{Address, Call, Failure, Instant, Layout, Link, Options, Reply, Script, Terms, Topology, Work};

/// What is over at once or at a deadline is over within this on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a fake server does about a command.
pub enum Answer {
    /// In the protocol, without the last line's end.
    Say(String),
    Nothing,
    Close,
}

pub fn say(text: &str) -> Answer {
    Answer::Say(text.to_owned())
}

/// Decides by the number of the connection, from 0, and the words of the command.
pub type Behaviour = dyn Fn(usize, &[&str]) -> Answer + Send + Sync;

/// A server of the protocol; it stays until the process ends.
pub fn serve(behaviour: impl Fn(usize, &[&str]) -> Answer + Send + Sync + 'static) -> Address {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let behaviour: Arc<Behaviour> = Arc::new(behaviour);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (stream, behaviour) = (stream.expect("a client comes"), Arc::clone(&behaviour));
            thread::spawn(move || converse(stream, |words| behaviour(number, words)));
        }
    });
    Address::Tcp("127.0.0.1".to_owned(), port)
}

fn converse(mut stream: TcpStream, behaviour: impl Fn(&[&str]) -> Answer) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some(words) = command(&mut reader) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // The greeting of each connection.
        let answer = if words.starts_with(&["CLIENT", "SETINFO"]) { say("+OK") } else { behaviour(&words) };
        match answer {
            Answer::Say(text) if stream.write_all(format!("{text}\r\n").as_bytes()).is_ok() => {}
            Answer::Nothing => {}
            _ => return,
        }
    }
}

fn command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let count: usize = line.strip_prefix('*')?.trim().parse().ok()?;
    let word = |_| {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut bytes = vec![0; line.strip_prefix('$')?.trim().parse::<usize>().ok()? + 2];
        reader.read_exact(&mut bytes).ok()?;
        bytes.truncate(bytes.len() - 2);
        String::from_utf8(bytes).ok()
    };
    (0..count).map(word).collect()
}

pub type Outcome = Result<Vec<Result<Reply, Failure>>, Failure>;

/// Calls that have one key each, and tell what they came to.
pub struct Job {
    keys: Vec<&'static str>,
    done: Sender<Outcome>,
    times: Arc<AtomicUsize>,
}

impl Job {
    pub fn new(keys: &[&'static str], done: Sender<Outcome>) -> Self {
        Self { keys: keys.to_vec(), done, times: Arc::default() }
    }
}

impl Work for Job {
    fn calls(&mut self, _layout: Layout) -> Vec<Call> {
        self.keys.iter().map(|key| Call { keys: vec![key.as_bytes().to_vec()], args: Vec::new() }).collect()
    }

    fn done(self: Box<Self>, outcome: Outcome) {
        self.times.fetch_add(1, Ordering::Relaxed);
        // A test may have ended.
        _ = self.done.send(outcome);
    }
}

/// Something that was submitted.
pub struct Submitted {
    outcome: Receiver<Outcome>,
    times: Arc<AtomicUsize>,
}

impl Submitted {
    /// What it came to; it comes to nothing else later.
    pub fn outcome(self) -> Outcome {
        let outcome = self.outcome.recv_timeout(PATIENCE).expect("it is done in time");
        assert!(self.outcome.recv_timeout(Duration::from_millis(5)).is_err(), "it is done once");
        assert_eq!(self.times.load(Ordering::Relaxed), 1);
        outcome
    }

    /// The outcome of the one call that it has.
    pub fn single(self) -> Result<Reply, Failure> {
        self.outcome().expect("it was carried out").remove(0)
    }
}

pub fn link(topology: Topology, addresses: &[Address]) -> Link {
    let options = Options { topology, addresses: addresses.to_vec(), connect_timeout: PATIENCE, ..Options::default() };
    Link::open(&options).expect("there is a thread")
}

pub fn single(address: Address) -> Link {
    link(Topology::Single, &[address])
}

pub fn terms(timeout: Duration, units: usize) -> Terms {
    Terms { deadline: Instant::now() + timeout, units }
}

pub fn submit(link: &Link, keys: &[&'static str], timeout: Duration) -> Submitted {
    let (done, outcome) = channel();
    let job = Job::new(keys, done);
    let times = Arc::clone(&job.times);
    let script = Script::new("return 1".to_owned());
    link.submit(&script, terms(timeout, 1), job).expect("there is room");
    Submitted { outcome, times }
}
