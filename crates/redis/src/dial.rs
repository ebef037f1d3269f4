//! Which server a node is: one at an address, or the one that Sentinels call the master.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, ServerErrorKind, Value, cmd};

use crate::connect::{Connector, Driver, carried, slow};
use crate::failure::Failure;
use crate::node::{Dial, Dialed};
use crate::options::{Address, Options};

/// The server at an address.
pub(crate) struct Fixed {
    pub(crate) connector: Arc<Connector>,
    pub(crate) address: Address,
}

impl Dial for Fixed {
    async fn dial(&self) -> Result<Dialed, Failure> {
        let (redis, driver) = self.connector.connect(&self.address).await?;
        Ok(Dialed { redis, driver, address: self.address.clone() })
    }

    fn timeout(&self) -> Duration {
        self.connector.timeout()
    }

    fn slow(&self) -> Failure {
        slow(&self.address)
    }
}

/// The master of a name.
pub(crate) struct Master {
    name: String,
    sentinels: Vec<Address>,
    to_sentinels: Connector,
    to_nodes: Connector,
}

impl Master {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            name: options.master.clone(),
            sentinels: options.addresses.clone(),
            to_sentinels: Connector::of_sentinels(options),
            to_nodes: Connector::of_nodes(options),
        }
    }

    /// All Sentinels are asked at once: one that is gone must not cost time.
    pub(crate) async fn address(&self) -> Result<Address, Failure> {
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        first(self.sentinels.iter().map(|sentinel| self.ask(sentinel, &question))).await
    }

    async fn ask(&self, sentinel: &Address, question: &Cmd) -> Result<Address, Failure> {
        let answer = self.to_sentinels.ask(sentinel, question).await?;
        let unknown = || Failure::Server(format!("Sentinels know no master '{}'", self.name).into());
        let (host, port) =
            redis::from_redis_value::<Option<(String, u16)>>(answer).ok().flatten().ok_or_else(unknown)?;
        Ok(Address::Tcp(host, port))
    }
}

impl Dial for Master {
    async fn dial(&self) -> Result<Dialed, Failure> {
        let address = self.address().await?;
        let (redis, driver) = self.to_nodes.connect(&address).await?;
        // What a Sentinel says can be old.
        let driver = check_role(redis.clone(), driver, &address).await?;
        Ok(Dialed { redis, driver, address })
    }

    fn timeout(&self) -> Duration {
        self.to_nodes.timeout()
    }

    fn slow(&self) -> Failure {
        Failure::connection(format_args!("connecting to the master '{}' took too long", self.name))
    }
}

/// Gives the driver back if the server is a master, or does not want to say.
async fn check_role(
    mut connection: MultiplexedConnection,
    driver: Driver,
    address: &Address,
) -> Result<Driver, Failure> {
    let role = cmd("ROLE");
    let (answer, driver) = carried(connection.send_packed_command(&role), driver).await?;
    match answer.and_then(Value::extract_error) {
        Ok(Value::Array(items)) if items.first() == Some(&Value::BulkString(b"master".to_vec())) => Ok(driver),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => Ok(driver),
        Err(error) => Err(Failure::of(&error)),
        Ok(_) => Err(Failure::connection(format_args!("{address}: no longer the master"))),
    }
}

/// What the first of them comes to that comes to something; or the failure that came last.
pub(crate) async fn first<T>(
    attempts: impl Iterator<Item = impl Future<Output = Result<T, Failure>>>,
) -> Result<T, Failure> {
    let mut attempts: FuturesUnordered<_> = attempts.collect();
    let mut outcome = Err(Failure::connection("there is nobody to ask"));
    while let Some(next) = attempts.next().await {
        outcome = next;
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
