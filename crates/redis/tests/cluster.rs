//! How calls find the nodes that have their slots.

mod support;

use std::sync::{Arc, OnceLock};

use keelson_redis::{Address, Failure, Reply, Topology};
use support::{Answer, PATIENCE, link, say, serve, submit};

/// The slots of `{a}` and `{b}`.
const A: u16 = 15_495;
const B: u16 = 3_300;

fn port(address: &Address) -> u16 {
    let Address::Tcp(_, port) = address else { panic!("fake servers have ports") };
    *port
}

/// The answer to CLUSTER SLOTS where one node has the slots below 8,192 and another the rest.
fn slots(low: &Address, high: &Address) -> Answer {
    let range = |first: u16, last: u16, node: &Address| {
        format!("*3\r\n:{first}\r\n:{last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:{}\r\n$2\r\nid", port(node))
    };
    Answer::Say(format!("*2\r\n{}\r\n{}", range(0, 8_191, low), range(8_192, 16_383, high)))
}

type Node = fn(&[&str], &[Address]) -> Answer;

/// Two nodes that know each other.
fn cluster(behaviours: [Node; 2]) -> Vec<Address> {
    let nodes: Arc<OnceLock<Vec<Address>>> = Arc::default();
    let addresses: Vec<Address> = behaviours
        .into_iter()
        .map(|behaviour| {
            let nodes = Arc::clone(&nodes);
            serve(move |_, words| {
                let nodes = nodes.wait();
                if words == ["CLUSTER", "SLOTS"] { slots(&nodes[0], &nodes[1]) } else { behaviour(words, nodes) }
            })
        })
        .collect();
    nodes.set(addresses.clone()).expect("it is set once");
    addresses
}

fn moved(slot: u16, to: &Address) -> Answer {
    Answer::Say(format!("-MOVED {slot} 127.0.0.1:{}", port(to)))
}

/// What calls of `{a}` and `{b}` come to.
fn both(nodes: &[Address]) -> [Result<Reply, Failure>; 2] {
    let link = link(Topology::Cluster, &nodes[..1]);
    let outcome = submit(&link, &["{a}", "{b}"], PATIENCE).outcome().expect("it was carried out");
    outcome.try_into().expect("there are two calls")
}

#[test]
fn each_call_goes_to_the_node_that_has_its_slot() {
    let nodes = cluster([|_, _| say(":1"), |_, _| say(":2")]);
    assert_eq!(both(&nodes), [Ok(Reply::Integer(2)), Ok(Reply::Integer(1))]);
}

#[test]
fn a_slot_that_has_moved_is_followed() {
    let nodes = cluster([|_, _| say(":1"), |_, nodes| moved(A, &nodes[0])]);
    assert_eq!(both(&nodes), [Ok(Reply::Integer(1)), Ok(Reply::Integer(1))]);
}

#[test]
fn a_slot_on_its_way_is_asked_for_each_time() {
    fn target(words: &[&str], _: &[Address]) -> Answer {
        // A real node refuses the slot unless it was asked to make an exception just before.
        say(if words == ["ASKING"] { "+OK" } else { ":1" })
    }
    let nodes = cluster([target, |_, nodes| Answer::Say(format!("-ASK {A} 127.0.0.1:{}", port(&nodes[0])))]);
    assert_eq!(both(&nodes), [Ok(Reply::Integer(1)), Ok(Reply::Integer(1))]);
}

#[test]
fn nodes_that_send_calls_round_in_circles_do_so_until_the_deadline() {
    let nodes = cluster([|_, nodes| moved(B, &nodes[1]), |_, nodes| moved(B, &nodes[0])]);
    let link = link(Topology::Cluster, &nodes);
    let outcome = submit(&link, &["{b}"], std::time::Duration::from_millis(100)).single();
    assert!(matches!(outcome, Err(Failure::Timeout(_))), "{outcome:?}");
}

#[test]
fn a_node_that_fails_takes_no_others_with_it() {
    let nodes = cluster([|_, _| Answer::Close, |_, _| say(":2")]);
    let [a, b] = both(&nodes);
    assert_eq!(a, Ok(Reply::Integer(2)));
    assert!(matches!(b, Err(Failure::Connection(_))), "{b:?}");
}

#[test]
fn a_server_without_a_cluster_says_so() {
    let address = serve(|_, _| say("-ERR This instance has cluster support disabled"));
    let link = link(Topology::Cluster, &[address]);
    let outcome = submit(&link, &["a"], PATIENCE).single();
    assert!(matches!(&outcome, Err(Failure::Server(text)) if text.contains("cluster support")), "{outcome:?}");
}
