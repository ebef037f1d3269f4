//! What becomes of channels whose servers go, say no, or say nothing.

mod support;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use keelson_redis::{Address, Event, Failure, Link, PULSE, Subscription, Topology};
use support::{Answer, PATIENCE, link, say, serve, single};

/// What came of a channel so far, and what comes.
struct Heard {
    subscription: Subscription,
    woken: Receiver<()>,
    events: VecDeque<Event>,
}

impl Heard {
    fn of(link: &Link) -> Self {
        let (wake, woken) = channel();
        // A test may have ended.
        let subscription = link.subscribe(b"news".to_vec(), move || _ = wake.send(()));
        Self { subscription, woken, events: VecDeque::new() }
    }

    fn next(&mut self) -> Event {
        while self.events.is_empty() {
            self.woken.recv_timeout(PATIENCE).expect("something happens in time");
            self.events.extend(self.subscription.take_all());
        }
        self.events.pop_front().expect("there is one")
    }

    fn expect(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            assert_eq!(self.next(), event);
        }
    }

    fn expect_loss(&mut self) {
        let event = self.next();
        assert!(matches!(&event, Event::Lost(Failure::Connection(_))), "{event:?}");
    }
}

fn message(text: &str) -> Event {
    Event::Message(text.as_bytes().to_vec())
}

fn array(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("${}\r\n{word}", word.len())).collect();
    format!("*{}\r\n{}", words.len(), words.join("\r\n"))
}

/// The answer to SUBSCRIBE, and messages right behind it.
fn subscribed(messages: &[&str]) -> Answer {
    let confirmation = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1".to_owned();
    let messages = messages.iter().map(|message| array(&["message", "news", message]));
    Answer::Say([confirmation].into_iter().chain(messages).collect::<Vec<_>>().join("\r\n"))
}

/// A server that decides by how often it was listened to before, and the command. The link has a connection of its own.
fn listened(behaviour: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Address {
    let times = AtomicUsize::new(0);
    serve(move |_, words| {
        let is_new = words[0] == "SUBSCRIBE";
        let before = if is_new { times.fetch_add(1, Ordering::Relaxed) } else { times.load(Ordering::Relaxed) - 1 };
        behaviour(before, words[0])
    })
}

#[test]
fn messages_are_heard_in_order() {
    let link = single(serve(|_, words| {
        assert_eq!(words, ["SUBSCRIBE", "news"]);
        subscribed(&["a", "", "b\r\nc"])
    }));
    Heard::of(&link).expect([Event::Subscribed, message("a"), message(""), message("b\r\nc")]);
}

#[test]
fn a_lost_connection_is_told_once_and_mended() {
    let link = single(listened(|before, word| match (before, word) {
        // The first one is lost later, and others before they are of any use.
        (0, "SUBSCRIBE") => subscribed(&["a"]),
        (0..5, _) => Answer::Close,
        _ => subscribed(&["b"]),
    }));
    let mut heard = Heard::of(&link);
    heard.expect([Event::Subscribed, message("a")]);
    // A PING closes it.
    heard.expect_loss();
    heard.expect([Event::Subscribed, message("b")]);
}

#[test]
fn a_silent_connection_is_left() {
    let link = single(listened(|before, word| match (before, word) {
        (_, "SUBSCRIBE") => subscribed(&[]),
        (0, _) => Answer::Nothing,
        _ => Answer::Say(array(&["pong", ""])),
    }));
    let mut heard = Heard::of(&link);
    heard.expect([Event::Subscribed]);
    let since = Instant::now();
    heard.expect_loss();
    assert!(since.elapsed() > PULSE && since.elapsed() < PATIENCE);
    heard.expect([Event::Subscribed]);
}

#[test]
fn a_connection_that_answers_is_kept() {
    let pings = Arc::<AtomicUsize>::default();
    let asked = Arc::clone(&pings);
    let link = single(serve(move |_, words| match words[0] {
        "SUBSCRIBE" => subscribed(&[]),
        // The second answer has a message in front of it.
        _ if asked.fetch_add(1, Ordering::Relaxed) == 1 => {
            Answer::Say([array(&["message", "news", "a"]), array(&["pong", ""])].join("\r\n"))
        }
        _ => Answer::Say(array(&["pong", ""])),
    }));
    let mut heard = Heard::of(&link);
    heard.expect([Event::Subscribed, message("a")]);
    assert_eq!(pings.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_not_permitted_is_said_and_tried_again() {
    let link = single(listened(|before, _| match before {
        0 | 1 => say("-NOPERM this user has no permissions to access one of the channels used as arguments"),
        _ => subscribed(&[]),
    }));
    let mut heard = Heard::of(&link);
    let event = heard.next();
    assert!(matches!(&event, Event::Lost(Failure::Permission(text)) if text.contains("NOPERM")), "{event:?}");
    heard.expect([Event::Subscribed]);
}

#[test]
fn a_server_that_is_away_is_told_once() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let link = single(Address::Tcp("127.0.0.1".to_owned(), port));
    let mut heard = Heard::of(&link);
    heard.expect_loss();
    assert!(heard.woken.recv_timeout(Duration::from_millis(200)).is_err());
}

#[test]
fn a_closed_link_ends_what_is_heard() {
    let link = single(serve(|_, _| subscribed(&[])));
    let mut heard = Heard::of(&link);
    heard.expect([Event::Subscribed]);
    drop(link);
    heard.expect([Event::Lost(Failure::Closed)]);
}

/// Nodes that say who they are when they are listened to, of a Cluster which `members` says are in it.
fn cluster(members: impl Fn(usize) -> Vec<usize> + Send + Sync + 'static, behaviour: fn(usize) -> Answer) -> Link {
    let nodes: Arc<std::sync::OnceLock<Vec<Address>>> = Arc::default();
    let readings = Arc::<AtomicUsize>::default();
    let members = Arc::new(members);
    let addresses: Vec<Address> = (0..2)
        .map(|node| {
            let (nodes, readings, members) = (Arc::clone(&nodes), Arc::clone(&readings), Arc::clone(&members));
            serve(move |_, words| match words[0] {
                "CLUSTER" => slots(nodes.wait(), &members(readings.fetch_add(1, Ordering::Relaxed))),
                "SUBSCRIBE" => behaviour(node),
                _ => Answer::Say(array(&["pong", ""])),
            })
        })
        .collect();
    nodes.set(addresses.clone()).expect("it is set once");
    link(Topology::Cluster, &addresses[..1])
}

fn slots(nodes: &[Address], members: &[usize]) -> Answer {
    let range = |first: usize, member: &usize| {
        let Address::Tcp(host, port) = &nodes[*member] else { panic!("fake servers have ports") };
        let last = if first + 1 == members.len() { 16_383 } else { first };
        format!("*3\r\n:{first}\r\n:{last}\r\n*2\r\n${}\r\n{host}\r\n:{port}", host.len())
    };
    let ranges: Vec<String> = members.iter().enumerate().map(|(first, member)| range(first, member)).collect();
    Answer::Say(format!("*{}\r\n{}", ranges.len(), ranges.join("\r\n")))
}

#[test]
fn of_a_cluster_a_node_that_can_be_listened_to_is_found() {
    let link = cluster(|_| vec![0, 1], |node| if node == 0 { Answer::Close } else { subscribed(&["1"]) });
    let mut heard = Heard::of(&link);
    let mut event = heard.next();
    if matches!(event, Event::Lost(_)) {
        event = heard.next();
    }
    assert_eq!(event, Event::Subscribed);
    heard.expect([message("1")]);
}

#[test]
fn a_node_that_leaves_the_cluster_is_left() {
    // At first all slots are of the node that is known, later of the other one.
    let link = cluster(
        |reading| if reading == 0 { vec![0] } else { vec![1] },
        |node| subscribed(if node == 0 { &["0"] } else { &["1"] }),
    );
    let mut heard = Heard::of(&link);
    heard.expect([Event::Subscribed, message("0")]);
    heard.expect_loss();
    heard.expect([Event::Subscribed, message("1")]);
}
