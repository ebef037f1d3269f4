//! Where Redis is and who asks, checked by the facade and written down in fields.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A name or an IP address, without brackets, and a port.
    Tcp(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// `host port`, or the path of a Unix socket.
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return Some(Self::Unix(text.into()));
        }
        let (host, port) = text.rsplit_once(' ')?;
        Some(Self::Tcp(host.to_owned(), port.parse().ok()?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(to, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(to, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(to),
        }
    }
}

/// How the servers stand to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topology {
    /// One server, or a proxy that looks like one.
    #[default]
    Single,
    /// The addresses are Sentinels, which know the master's.
    Sentinel,
    /// The addresses are some nodes of a Cluster.
    Cluster,
}

/// A user and a password, as far as there are any.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// Of an ACL user.
    pub username: Option<String>,
    /// Of the user, or of the server.
    pub password: Option<String>,
}

/// How connections are encrypted. Texts are PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whom to trust, instead of whom the system trusts.
    pub ca: Option<String>,
    /// The client's own certificate and those that vouch for it.
    pub cert: Option<String>,
    /// The key of `cert`.
    pub key: Option<String>,
    /// The name that the server's certificate is for, instead of the host's.
    pub server_name: Option<String>,
    /// Any certificate will do.
    pub insecure: bool,
}

/// What a link needs to know. No `Debug`: there are secrets in it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// What the addresses are.
    pub topology: Topology,
    /// At least one; for a single server exactly one.
    pub addresses: Vec<Address>,
    /// For Redis.
    pub login: Login,
    /// For Sentinels.
    pub sentinel_login: Login,
    /// The number of the database; 0 on a Cluster.
    pub db: i64,
    /// The name under which Sentinels know the master.
    pub master: String,
    /// For Redis; none is plain TCP.
    pub tls: Option<Tls>,
    /// Whether Sentinels are also talked to by TLS.
    pub sentinel_tls: bool,
    /// For one attempt to connect, greetings included.
    pub connect_timeout: Duration,
}

/// Options that the facade should never let through, by the name of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOptions(pub String);

impl fmt::Display for BadOptions {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "bad options of a Redis link: {}", self.0)
    }
}

impl std::error::Error for BadOptions {}

impl Options {
    /// From pairs of a name and a value, all of them separated by NUL. `address` may come several times.
    ///
    /// # Errors
    /// A name or a value is unknown, or there is no address.
    pub fn parse(text: &str) -> Result<Self, BadOptions> {
        let mut options = Self { connect_timeout: Duration::from_secs(5), ..Self::default() };
        let mut fields = text.split('\0');
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            options.set(name, value).ok_or_else(|| BadOptions(name.to_owned()))?;
        }
        if options.addresses.is_empty() {
            return Err(BadOptions("address".to_owned()));
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let text = || Some(value.to_owned());
        match name {
            "topology" => self.topology = topology(value)?,
            "address" => self.addresses.push(Address::parse(value)?),
            "username" => self.login.username = text(),
            "password" => self.login.password = text(),
            "sentinelUsername" => self.sentinel_login.username = text(),
            "sentinelPassword" => self.sentinel_login.password = text(),
            "db" => self.db = value.parse().ok()?,
            "master" => self.master = value.to_owned(),
            "sentinelTls" => self.sentinel_tls = true,
            "connectTimeout" => self.connect_timeout = Duration::from_millis(value.parse().ok()?),
            _ => self.tls.get_or_insert_default().set(name, value)?,
        }
        Some(())
    }
}

impl Tls {
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "tls" => {}
            "ca" => self.ca = Some(value.to_owned()),
            "cert" => self.cert = Some(value.to_owned()),
            "key" => self.key = Some(value.to_owned()),
            "serverName" => self.server_name = Some(value.to_owned()),
            "insecure" => self.insecure = true,
            _ => return None,
        }
        Some(())
    }
}

fn topology(name: &str) -> Option<Topology> {
    Some(match name {
        "single" => Topology::Single,
        "sentinel" => Topology::Sentinel,
        "cluster" => Topology::Cluster,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(fields: &[&str]) -> Result<Options, BadOptions> {
        Options::parse(&fields.join("\0"))
    }

    #[test]
    fn fields_become_options() {
        let fields = ["address", "::1 6380", "username", "me", "password", "a b", "db", "3", "connectTimeout", "250"];
        let options = parse(&fields).expect("they are good");
        assert_eq!(options.addresses, [Address::Tcp("::1".to_owned(), 6380)]);
        assert_eq!(options.addresses[0].to_string(), "[::1]:6380");
        assert_eq!(options.login.username.as_deref(), Some("me"));
        assert_eq!(options.login.password.as_deref(), Some("a b"));
        assert_eq!((options.db, options.connect_timeout), (3, Duration::from_millis(250)));
        assert_eq!(options.topology, Topology::Single);
        assert!(options.tls.is_none());
    }

    #[test]
    fn several_addresses_and_a_socket() {
        let options = parse(&["topology", "cluster", "address", "a 1", "address", "b 2"]).expect("they are good");
        assert_eq!((options.addresses.len(), options.topology), (2, Topology::Cluster));
        let socket = parse(&["address", "/run/redis.sock"]).expect("it is good");
        assert_eq!(socket.addresses, [Address::Unix("/run/redis.sock".into())]);
    }

    #[test]
    fn any_field_of_tls_turns_it_on() {
        let options = parse(&["address", "a 1", "tls", ""]).expect("they are good");
        assert!(options.tls.is_some_and(|tls| tls == Tls::default()));
        let options = parse(&["address", "a 1", "insecure", "", "ca", "PEM"]).expect("they are good");
        assert!(options.tls.is_some_and(|tls| tls.insecure && tls.ca.as_deref() == Some("PEM")));
    }

    #[test]
    fn bad_fields_are_named() {
        let name = |fields: &[&str]| parse(fields).err().map(|BadOptions(name)| name);
        assert_eq!(name(&["address", "a 1", "colour", "red"]).as_deref(), Some("colour"));
        assert_eq!(name(&["address", "a"]).as_deref(), Some("address"));
        assert_eq!(name(&["address", "a 70000"]).as_deref(), Some("address"));
        assert_eq!(name(&["topology", "ring"]).as_deref(), Some("topology"));
        assert_eq!(name(&["db", "x"]).as_deref(), Some("db"));
        assert_eq!(name(&[]).as_deref(), Some("address"));
        assert_eq!(name(&["db", "1"]).as_deref(), Some("address"));
    }
}
