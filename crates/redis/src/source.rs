//! Where those who listen to channels connect to: any server that gets what is published.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::connect::Connector;
use crate::dial::Master;
use crate::ear::Ear;
use crate::failure::Failure;
use crate::options::{Address, Options, Topology};
use crate::store::Store;

/// As often it is looked whether a node still belongs to the Cluster.
const LOOK: Duration = Duration::from_secs(5);

/// Servers of one link.
pub(crate) struct Source {
    connector: Connector,
    place: Place,
}

enum Place {
    /// One server.
    Fixed(Address),
    /// The one that Sentinels call the master. One that was replaced closes connections, once it is told.
    Master(Box<Master>),
    /// Any node, since each gets what is published at any other.
    Cluster(Arc<Store>),
}

impl Source {
    pub(crate) fn new(options: &Options, store: &Arc<Store>) -> Self {
        let place = match (options.topology, options.addresses.first()) {
            (Topology::Cluster, _) => Place::Cluster(Arc::clone(store)),
            (Topology::Single, Some(address)) => Place::Fixed(address.clone()),
            _ => Place::Master(Box::new(Master::new(options))),
        };
        Self { connector: Connector::of_nodes(options), place }
    }

    /// How long an attempt to connect may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.connector.timeout()
    }

    /// Where to connect to, `last` being where the attempt before led.
    pub(crate) async fn address(&self, last: Option<&Address>) -> Result<Address, Failure> {
        match &self.place {
            Place::Fixed(address) => Ok(address.clone()),
            Place::Master(master) => master.address().await,
            Place::Cluster(store) => choose(store.cluster(), last),
        }
    }

    /// Connects and logs in. There is no limit of time in it.
    pub(crate) async fn connect(&self, address: &Address) -> Result<Ear, Failure> {
        self.connector.listen(address).await
    }

    /// Returns once a server gets nothing any more that is published, though it may live.
    pub(crate) async fn left(&self, address: &Address) -> Failure {
        let Place::Cluster(store) = &self.place else { return std::future::pending().await };
        // A node may be connected to by a name that the Cluster does not call it.
        let mut was_there = false;
        loop {
            match store.cluster().map(|cluster| cluster.has(address)) {
                Some(true) => was_there = true,
                _ if was_there => return Failure::connection(format_args!("{address} has left the Cluster")),
                _ => {}
            }
            sleep(LOOK).await;
            store.lost();
        }
    }
}

/// A node, if possible one that is connected, and another than the last.
fn choose(cluster: Option<&Cluster>, last: Option<&Address>) -> Result<Address, Failure> {
    let [connected, others] = cluster.map(Cluster::addresses).unwrap_or_default();
    let other = |some: &[Address]| pick(some.iter().filter(|address| Some(*address) != last));
    let chosen = other(&connected).or_else(|| other(&others)).or_else(|| last.cloned());
    chosen.ok_or_else(|| Failure::connection("no node of the Cluster is known"))
}

/// One of them at random, so that not all who listen do so at one.
fn pick<'a>(some: impl Iterator<Item = &'a Address>) -> Option<Address> {
    let random = RandomState::new();
    some.max_by_key(|address| random.hash_one(address)).cloned()
}
