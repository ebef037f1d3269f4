//! TLS by rustls: whom to trust, and who we are.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;

use crate::failure::Failure;
use crate::options::Tls;
use crate::tls_verifiers::{Anybody, Named};

/// How to encrypt. What that takes is read once: the system's certificates are some hundred kilobytes of text.
pub(crate) struct Encryption {
    options: Arc<Tls>,
    ready: OnceCell<TlsConnector>,
}

impl Encryption {
    pub(crate) fn new(options: Tls) -> Self {
        Self { options: Arc::new(options), ready: OnceCell::new() }
    }

    /// The name that the certificate of `host` is to be for.
    pub(crate) fn name(&self, host: &str) -> Result<ServerName<'static>, Failure> {
        let name = self.options.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(Failure::connection)
    }

    pub(crate) async fn connector(&self) -> Result<TlsConnector, Failure> {
        let make = async || {
            let options = Arc::clone(&self.options);
            // Reads files and a lot of text, which this thread has no time for.
            let config = spawn_blocking(move || config(&options)).await.map_err(Failure::connection)??;
            Ok(TlsConnector::from(Arc::new(config)))
        };
        self.ready.get_or_try_init(make).await.cloned()
    }
}

fn config(options: &Tls) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let verifier: Arc<dyn ServerCertVerifier> = match &options.ca {
        _ if options.insecure => Arc::new(Anybody(provider)),
        ca => {
            let named = ca.as_deref().map(certificates).transpose()?;
            let roots = Arc::new(roots(named.as_deref())?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            Arc::new(Named { verifier: verifier.map_err(Failure::connection)?, named: named.unwrap_or_default() })
        }
    };
    let builder = builder.map_err(Failure::connection)?.dangerous().with_custom_certificate_verifier(verifier);
    match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(Failure::connection)?;
            builder.with_client_auth_cert(certificates(cert)?, key).map_err(Failure::connection)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

/// Who may vouch for a server: those named, or whom the system trusts.
fn roots(named: Option<&[CertificateDer<'static>]>) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    let Some(named) = named else {
        // A system has odd certificates that cannot be used; what matters is that others can.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(store);
    };
    for certificate in named {
        store.add(certificate.clone()).map_err(Failure::connection)?;
    }
    Ok(store)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(Failure::connection)
}
