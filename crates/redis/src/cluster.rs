//! A Cluster: its nodes, and the map of who has which slot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Pipeline, Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::backoff::Backoff;
use crate::connect::Connector;
use crate::counts::Counts;
use crate::dial::{Fixed, first};
use crate::failure::Failure;
use crate::node::Node;
use crate::options::{Address, Options};
use crate::slots::{Range, SLOTS, ranges};

/// Between two readings of the map, however often it is found to be old.
const REST: Duration = Duration::from_millis(100);
/// For a connected node to tell the map.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many are asked at once.
const WITNESSES: usize = 3;

/// The nodes that have slots, kept connected, and the map, read anew in the background when it is old.
pub(crate) struct Cluster {
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

struct Shared {
    connector: Arc<Connector>,
    seeds: Vec<Address>,
    counts: Arc<Counts>,
    map: Mutex<Map>,
    /// Changes with each reading of the map.
    reading: watch::Sender<Reading>,
    is_old: Notify,
}

#[derive(Default)]
struct Map {
    nodes: HashMap<Address, Arc<Node>>,
    /// Empty until the map was read once.
    owners: Vec<Option<Arc<Node>>>,
}

/// What became of the last reading.
enum Reading {
    None,
    Good,
    /// The next comes in a while.
    Failed(Failure),
}

impl Cluster {
    /// Begins to read the map. Runs on the link's thread.
    pub(crate) fn new(options: &Options, counts: Arc<Counts>) -> Self {
        let shared = Arc::new(Shared {
            connector: Arc::new(Connector::of_nodes(options)),
            seeds: options.addresses.clone(),
            counts,
            map: Mutex::default(),
            reading: watch::Sender::new(Reading::None),
            is_old: Notify::new(),
        });
        let keeper = tokio::spawn(keep(Arc::clone(&shared))).abort_handle();
        Self { shared, keeper }
    }

    /// The node that has a slot, as far as is known.
    pub(crate) fn owner(&self, slot: u16) -> Option<Arc<Node>> {
        self.shared.map().owners.get(usize::from(slot)).cloned().flatten()
    }

    /// Waits for the next reading of the map, but not if the last one failed.
    pub(crate) async fn next_reading(&self) -> Result<(), Failure> {
        let mut reading = self.shared.reading.subscribe();
        self.is_old();
        if let Reading::Failed(failure) = &*reading.borrow_and_update() {
            return Err(failure.clone());
        }
        reading.changed().await.map_err(|_| Failure::Closed)
    }

    /// Has the map read anew.
    pub(crate) fn is_old(&self) {
        self.shared.is_old.notify_one();
    }

    /// A node said that another has the slot now.
    pub(crate) fn moved(&self, slot: u16, address: Address) {
        let node = self.node(address);
        if let Some(owner) = self.shared.map().owners.get_mut(usize::from(slot)) {
            *owner = Some(node);
        }
        self.is_old();
    }

    /// The node at an address, which is connected to if it was not yet.
    pub(crate) fn node(&self, address: Address) -> Arc<Node> {
        self.shared.node(&mut self.shared.map(), address)
    }

    /// Where its nodes are: those that are connected, and all others that were ever named.
    pub(crate) fn addresses(&self) -> [Vec<Address>; 2] {
        let map = self.shared.map();
        let (connected, mut others): (Vec<Address>, Vec<Address>) =
            map.nodes.keys().cloned().partition(|address| map.nodes[address].is_up());
        others.extend_from_slice(&self.shared.seeds);
        [connected, others]
    }

    /// Whether a node with slots is there, as far as is known.
    pub(crate) fn has(&self, address: &Address) -> bool {
        self.shared.map().nodes.contains_key(address)
    }

    /// How many nodes are connected, and whether these are all that have slots.
    pub(crate) fn connected(&self) -> (usize, bool) {
        let map = self.shared.map();
        let up = map.nodes.values().filter(|node| node.is_up()).count();
        (up, up > 0 && up == map.nodes.len())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&self, map: &mut Map, address: Address) -> Arc<Node> {
        let make = |address: &Address| {
            let dial = Fixed { connector: Arc::clone(&self.connector), address: address.clone() };
            Node::new(dial, Arc::clone(&self.counts))
        };
        Arc::clone(map.nodes.entry(address).or_insert_with_key(make))
    }

    /// Takes a map into use. Nodes that have no slots are forgotten.
    fn install(&self, ranges: Vec<Range>) {
        let mut map = self.map();
        map.nodes.retain(|address, _| ranges.iter().any(|(_, _, owner)| owner == address));
        let mut owners = vec![None; usize::from(SLOTS)];
        for (first, last, address) in ranges {
            let node = self.node(&mut map, address);
            owners[usize::from(first)..=usize::from(last)].fill(Some(node));
        }
        map.owners = owners;
    }

    /// Asks nodes that are connected, and where none answers, all that were ever named.
    async fn read(&self) -> Result<Vec<Range>, Failure> {
        let (connected, others): (Vec<_>, Vec<_>) = {
            let map = self.map();
            map.nodes
                .iter()
                .map(|(address, node)| (address.clone(), Arc::clone(node)))
                .partition(|(_, node)| node.is_up())
        };
        let asked = connected.iter().take(WITNESSES).map(|(address, node)| self.ask_node(address, node));
        if let Ok(ranges) = first(asked).await {
            return Ok(ranges);
        }
        let others = others.iter().map(|(address, _)| address).chain(self.seeds.iter());
        first(others.map(|address| self.ask_anew(address))).await
    }

    async fn ask_node(&self, address: &Address, node: &Node) -> Result<Vec<Range>, Failure> {
        let mut question = Pipeline::new();
        question.cmd("CLUSTER").arg("SLOTS");
        let asked = timeout(PATIENCE, node.send(&question)).await;
        let answer = asked.map_err(|_| Failure::Timeout(None))??;
        read_answer(answer.first().unwrap_or(&Value::Nil), address)
    }

    async fn ask_anew(&self, address: &Address) -> Result<Vec<Range>, Failure> {
        let answer = self.connector.ask(address, cmd("CLUSTER").arg("SLOTS")).await?;
        read_answer(&answer, address)
    }
}

fn read_answer(answer: &Value, address: &Address) -> Result<Vec<Range>, Failure> {
    let Address::Tcp(host, _) = address else {
        return Err(Failure::connection("a Cluster has no Unix sockets"));
    };
    let read = ranges(answer, host).filter(|ranges| !ranges.is_empty());
    read.ok_or_else(|| Failure::Server(format!("{address} knows no slots of a Cluster: {answer:?}").into()))
}

/// Reads the map, and again each time that it is found to be old.
async fn keep(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        match shared.read().await {
            Ok(ranges) => {
                shared.install(ranges);
                backoff.reset();
                shared.reading.send_replace(Reading::Good);
                sleep(REST).await;
                shared.is_old.notified().await;
            }
            Err(failure) => {
                shared.reading.send_replace(Reading::Failed(failure));
                sleep(backoff.next()).await;
            }
        }
    }
}
