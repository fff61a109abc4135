//! A mail server, spoken to by SMTP (RFC 5321), one connection a mail.

use super::{
    place::{Server, Tls},
    send::Outcome,
};
use anyhow::Context as _;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    transport::smtp::{
        authentication::Credentials,
        client::{Tls as ClientTls, TlsParameters},
        extension::ClientId,
    },
};
use std::time::Duration;

/// How long one step of the conversation may take (RFC 5321, 4.5.3.2 allows minutes; a shop has other mails to send).
const STEP: Duration = Duration::from_secs(20);
/// How long the whole conversation may take.
const DEADLINE: Duration = Duration::from_mins(1);
/// Answers that will not change: the mailbox, the message or the policy refuse (RFC 5321, 4.2.3). Others, wrong passwords among them, may.
const FINAL: [u16; 5] = [550, 551, 552, 553, 554];

/// A connection's recipe.
pub struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    /// `name`: what this host calls itself. Nothing is asked yet.
    pub fn new(server: &Server, name: &str) -> anyhow::Result<Self> {
        let parameters = || TlsParameters::new(server.host.clone()).context("reading the certificates that this machine trusts, for NEXTGEN_MAIL");
        let tls = match server.tls {
            Tls::Wrapped => ClientTls::Wrapper(parameters()?),
            Tls::Required => ClientTls::Required(parameters()?),
            Tls::None => ClientTls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.as_str())
            .port(server.port)
            .tls(tls)
            .timeout(Some(STEP))
            .hello_name(ClientId::Domain(name.to_owned()));
        if let Some((name, password)) = &server.login {
            builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(Self(builder.build()))
    }

    /// Hands a mail over. A server's words may repeat the address: only its number is kept.
    pub async fn send(&self, message: Message) -> Outcome {
        match tokio::time::timeout(DEADLINE, self.0.send(message)).await {
            Err(_) => Outcome::Later("the mail server did not answer in time".to_owned()),
            Ok(Ok(_)) => Outcome::Sent,
            Ok(Err(error)) => match error.status().map(u16::from) {
                Some(code) if FINAL.contains(&code) => Outcome::Never(format!("the mail server refused with {code}")),
                Some(code) => Outcome::Later(format!("the mail server answered {code}")),
                None if error.is_timeout() => Outcome::Later("the mail server did not answer in time".to_owned()),
                None if error.is_tls() => Outcome::Later("no private connection to the mail server".to_owned()),
                None => Outcome::Later("the mail server cannot be reached".to_owned()),
            },
        }
    }
}
