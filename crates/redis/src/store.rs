//! What a link leads to: one server, or a Cluster.

use std::sync::Arc;

use crate::call::Call;
use crate::cluster::Cluster;
use crate::connect::Connector;
use crate::counts::Counts;
use crate::dial::{Fixed, Master};
use crate::node::Node;
use crate::options::{Address, Options, Topology};
use crate::slots::slot_of;

/// Which keys a call may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Any: all are on one server.
    One,
    /// Those of one slot.
    Slots,
}

pub(crate) enum Store {
    One(Arc<Node>),
    Cluster(Cluster),
}

impl Store {
    /// Begins to connect. Runs on the link's thread.
    pub(crate) fn open(options: &Options, counts: &Arc<Counts>) -> Self {
        let counts = Arc::clone(counts);
        match (options.topology, options.addresses.first()) {
            (Topology::Cluster, _) => Self::Cluster(Cluster::new(options, counts)),
            (Topology::Single, Some(address)) => {
                let connector = Arc::new(Connector::of_nodes(options));
                Self::One(Node::new(Fixed { connector, address: address.clone() }, counts))
            }
            _ => Self::One(Node::new(Master::new(options), counts)),
        }
    }

    pub(crate) fn layout(&self) -> Layout {
        match self {
            Self::One(_) => Layout::One,
            Self::Cluster(_) => Layout::Slots,
        }
    }

    /// The node that has the keys of a call; none if it is not known.
    pub(crate) fn owner(&self, call: &Call) -> Option<Arc<Node>> {
        match self {
            Self::One(node) => Some(Arc::clone(node)),
            Self::Cluster(cluster) => cluster.owner(call.keys.first().map_or(0, |key| slot_of(key))),
        }
    }

    /// The cluster, if it is one.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        if let Self::Cluster(cluster) = self { Some(cluster) } else { None }
    }

    /// A node turned out to be no master.
    pub(crate) fn demoted(&self, node: &Node) {
        match self {
            Self::One(_) => node.reconnect(),
            Self::Cluster(cluster) => cluster.is_old(),
        }
    }

    /// A node turned out to be gone; it is connected to by itself, but others may have its slots.
    pub(crate) fn lost(&self) {
        if let Self::Cluster(cluster) = self {
            cluster.is_old();
        }
    }

    /// Where the one server is that has all keys, while it is connected.
    pub(crate) fn address(&self) -> Option<Address> {
        if let Self::One(node) = self { node.address() } else { None }
    }

    /// How many servers are connected, and whether these are all.
    pub(crate) fn connected(&self) -> (usize, bool) {
        match self {
            Self::One(node) => (usize::from(node.is_up()), node.is_up()),
            Self::Cluster(cluster) => cluster.connected(),
        }
    }
}
