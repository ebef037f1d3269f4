//! What a link does about servers that answer late, wrongly or not at all.

mod support;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use keelson_redis::{Address, Failure, MAX_IN_FLIGHT, Reply, Script};
use support::{Answer, Job, PATIENCE, say, serve, single, submit, terms};

const SHORT: Duration = Duration::from_millis(50);
const ONE: Result<Reply, Failure> = Ok(Reply::Integer(1));

fn is_timeout<T>(outcome: &Result<T, Failure>) -> bool {
    matches!(outcome, Err(Failure::Timeout(_)))
}

fn is_connection<T>(outcome: &Result<T, Failure>) -> bool {
    matches!(outcome, Err(Failure::Connection(_)))
}

/// A server that tells the commands that it gets, with the number of their connection.
fn told(
    behaviour: impl Fn(usize, &[&str]) -> Answer + Send + Sync + 'static,
) -> (Address, Receiver<(usize, Vec<String>)>) {
    let (teller, commands) = channel();
    let teller = Mutex::new(teller);
    let address = serve(move |connection, words| {
        let words_told = words.iter().map(|word| (*word).to_owned()).collect();
        teller.lock().expect("nobody panics").send((connection, words_told)).expect("the test listens");
        behaviour(connection, words)
    });
    (address, commands)
}

#[test]
fn replies_are_those_of_their_calls() {
    let link = single(serve(|_, words| say(&format!("${}\r\n{}", words[3].len(), words[3]))));
    let outcome = submit(&link, &["a", "bb", "ccc"], PATIENCE).outcome().expect("it was carried out");
    let bytes = |text: &str| Ok(Reply::Bytes(text.as_bytes().to_vec()));
    assert_eq!(outcome, [bytes("a"), bytes("bb"), bytes("ccc")]);
    assert_eq!(link.in_flight(), 0);
}

#[test]
fn a_script_that_is_missing_is_sent_once_and_only_what_failed_is_repeated() {
    let (address, commands) = told(|_, words| match (words[0], words[3]) {
        ("EVALSHA", "a") => say(":1"),
        ("EVALSHA", _) => say("-NOSCRIPT No matching script. Please use EVAL."),
        _ => say(":2"),
    });
    // Once it was sent, it is there; this server forgets it at once, so that each call carries it in the end.
    let link = single(address);
    let outcome = submit(&link, &["a", "b", "c"], PATIENCE).outcome().expect("it was carried out");
    assert_eq!(outcome, [ONE, Ok(Reply::Integer(2)), Ok(Reply::Integer(2))]);
    let sent: Vec<String> = commands.try_iter().map(|(_, words)| format!("{} {}", words[0], words[3])).collect();
    assert_eq!(sent, ["EVALSHA a", "EVALSHA b", "EVALSHA c", "EVAL b", "EVALSHA c", "EVAL c"]);
}

#[test]
fn a_server_that_says_nothing_costs_the_deadline_and_no_more() {
    let link = single(serve(|_, _| Answer::Nothing));
    let since = Instant::now();
    assert!(is_timeout(&submit(&link, &["a"], SHORT).single()));
    assert!(since.elapsed() >= SHORT && since.elapsed() < PATIENCE);
    assert_eq!(link.in_flight(), 0);
}

#[test]
fn a_late_reply_is_nobody_elses() {
    let (give, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let link = single(serve(move |_, words| {
        if words.get(3) == Some(&"slow") {
            wait.lock().expect("nobody panics").recv().expect("the test goes on");
            return say(":7");
        }
        say(":1")
    }));
    assert!(is_timeout(&submit(&link, &["slow"], SHORT).single()));
    let next = submit(&link, &["quick"], PATIENCE);
    give.send(()).expect("the server waits");
    assert_eq!(next.single(), ONE);
}

#[test]
fn what_was_sent_is_not_sent_again_and_the_next_call_finds_a_new_connection() {
    let (address, commands) = told(|connection, _| if connection == 0 { Answer::Close } else { say(":1") });
    let link = single(address);
    assert!(is_connection(&submit(&link, &["a"], PATIENCE).single()));
    assert_eq!(submit(&link, &["b"], PATIENCE).single(), ONE);
    let keys: Vec<(usize, String)> =
        commands.try_iter().map(|(connection, words)| (connection, words[3].clone())).collect();
    assert_eq!(keys, [(0, "a".to_owned()), (1, "b".to_owned())]);
}

#[test]
fn a_server_that_is_away_fails_calls_at_once() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let link = single(Address::Tcp("127.0.0.1".to_owned(), port));
    let outcome = submit(&link, &["a"], PATIENCE).single();
    assert!(is_connection(&outcome), "{outcome:?}");
    assert_eq!(link.connected(), (0, false));
}

#[test]
fn a_wrong_password_is_said_to_be_wrong() {
    let address = serve(|_, _| say("-WRONGPASS invalid username-password pair or user is disabled."));
    let mut options =
        keelson_redis::Options { addresses: vec![address], connect_timeout: PATIENCE, ..Default::default() };
    options.login.password = Some("secret".to_owned());
    let link = keelson_redis::Link::open(&options).expect("there is a thread");
    let outcome = submit(&link, &["a"], PATIENCE).single();
    assert!(matches!(&outcome, Err(Failure::Permission(text)) if !text.contains("secret")), "{outcome:?}");
}

#[test]
fn what_redis_cannot_do_yet_is_tried_again() {
    let busy = std::sync::atomic::AtomicUsize::new(3);
    let link = single(serve(move |_, _| {
        let left = busy.load(std::sync::atomic::Ordering::Relaxed);
        busy.store(left.saturating_sub(1), std::sync::atomic::Ordering::Relaxed);
        say(if left > 0 { "-LOADING Redis is loading the dataset in memory" } else { ":1" })
    }));
    assert_eq!(submit(&link, &["a"], PATIENCE).single(), ONE);
}

#[test]
fn what_stood_in_the_way_is_told_at_the_deadline() {
    let link = single(serve(|_, _| say("-LOADING Redis is loading the dataset in memory")));
    let outcome = submit(&link, &["a"], SHORT).single();
    assert!(matches!(&outcome, Err(Failure::Timeout(Some(text))) if text.contains("loading")), "{outcome:?}");
}

#[test]
fn a_replica_is_left_for_whoever_is_there_next() {
    let link = single(serve(|connection, _| {
        say(if connection == 0 { "-READONLY You can't write against a read only replica." } else { ":1" })
    }));
    assert_eq!(submit(&link, &["a"], PATIENCE).single(), ONE);
}

#[test]
fn a_node_of_a_cluster_is_no_single_server() {
    let link = single(serve(|_, _| say("-MOVED 42 10.0.0.1:7000")));
    let outcome = submit(&link, &["a"], PATIENCE).single();
    assert!(matches!(&outcome, Err(Failure::Server(text)) if text.contains("cluster")), "{outcome:?}");
}

#[test]
fn too_much_at_once_is_refused() {
    let link = single(serve(|_, _| Answer::Nothing));
    let script = Script::new("return 1".to_owned());
    let (first, second) = (submit_units(&link, &script, MAX_IN_FLIGHT), submit_units(&link, &script, 1));
    assert_eq!((first, second), (Ok(()), Err(Failure::Overloaded)));
}

fn submit_units(link: &keelson_redis::Link, script: &std::sync::Arc<Script>, units: usize) -> Result<(), Failure> {
    let (done, _) = channel();
    link.submit(script, terms(PATIENCE, units), Job::new(&["a"], done))
}

#[test]
fn a_closed_link_leaves_nobody_waiting() {
    let link = single(serve(|_, _| Answer::Nothing));
    let submitted = submit(&link, &["a"], PATIENCE);
    drop(link);
    assert_eq!(submitted.outcome(), Err(Failure::Closed));
}
