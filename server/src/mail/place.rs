//! Where mails go, as the configuration names it.

use anyhow::bail;
use percent_encoding::percent_decode_str;
use std::{fmt, sync::Arc};
use url::{Host, Url};

/// What `NEXTGEN_MAIL` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Files in the data folder, for looking at.
    Folder,
    /// A mail server that takes them on.
    Smtp(Server),
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Name and password.
    pub login: Option<(String, String)>,
}

/// How a connection is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (RFC 8314, 3.3).
    Wrapped,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// Not at all: on this machine only.
    None,
}

impl Place {
    /// Reads `folder`, `smtp://name:password@host:587` (with STARTTLS; in clear to this machine only) or `smtps://…:465`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        const SHAPE: &str = "folder, smtp://name:password@host:587 or smtps://name:password@host:465";
        if text == "folder" {
            return Ok(Self::Folder);
        }
        // The value may hold a password: it is never repeated.
        let Ok(url) = Url::parse(text) else { bail!("NEXTGEN_MAIL cannot be read: set it to {SHAPE}") };
        let Some(host) = url.host() else { bail!("NEXTGEN_MAIL names no host: set it to {SHAPE}") };
        let is_here = match &host {
            // Only web addresses have their numbers recognised.
            Host::Domain(name) => *name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapped, 465),
            "smtp" if is_here => (Tls::None, 587),
            "smtp" => (Tls::Required, 587),
            _ => bail!("NEXTGEN_MAIL begins with another word than folder, smtp:// or smtps://: set it to {SHAPE}"),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            bail!("NEXTGEN_MAIL has something after host and port: set it to {SHAPE}");
        }
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let login = (!url.username().is_empty()).then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())));
        let host = match host {
            Host::Ipv6(address) => address.to_string(),
            other => other.to_string(),
        };
        Ok(Self::Smtp(Server { host, port: url.port().unwrap_or(port), tls, login }))
    }
}

/// Whom mails come from: what `NEXTGEN_MAIL_FROM` says, or `orders@` the public origin's name.
pub fn sender(text: Option<String>, origin: &str) -> anyhow::Result<Arc<str>> {
    let text = text.unwrap_or_else(|| {
        let name = Url::parse(origin).ok().and_then(|url| url.domain().map(str::to_owned)).filter(|name| name.contains('.'));
        format!("orders@{}", name.unwrap_or_else(|| "localhost".to_owned()))
    });
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(text.into()),
        Err(_) => bail!("NEXTGEN_MAIL_FROM is {text:?}: set it to an address such as orders@shop.example or Shop <orders@shop.example>"),
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_server() -> anyhow::Result<()> {
        assert_eq!(Place::parse("folder")?, Place::Folder);
        let server = |host: &str, port, tls, login: Option<(&str, &str)>| {
            Place::Smtp(Server { host: host.to_owned(), port, tls, login: login.map(|(name, word)| (name.to_owned(), word.to_owned())) })
        };
        for (text, place) in [
            ("smtp://mail.example", server("mail.example", 587, Tls::Required, None)),
            ("smtp://mail.example:25", server("mail.example", 25, Tls::Required, None)),
            ("smtp://a%40b.example:p%2Fw@mail.example:587", server("mail.example", 587, Tls::Required, Some(("a@b.example", "p/w")))),
            ("smtps://a:b@mail.example", server("mail.example", 465, Tls::Wrapped, Some(("a", "b")))),
            ("smtp://127.0.0.1:2525", server("127.0.0.1", 2525, Tls::None, None)),
            ("smtp://localhost:2525/", server("localhost", 2525, Tls::None, None)),
        ] {
            assert_eq!(Place::parse(text)?, place, "{text}");
        }
        Ok(())
    }

    #[test]
    fn a_bad_place_is_refused_without_its_password() {
        for text in ["", "files", "http://mail.example", "smtp://", "smtp://a:hunter2@mail.example/inbox", "smtp://a:hunter2@mail.example?x=1"] {
            let sentence = Place::parse(text).map_or_else(|error| error.to_string(), |place| format!("{place:?}"));
            assert!(sentence.starts_with("NEXTGEN_MAIL ") && sentence.contains("set it to") && !sentence.contains("hunter2"), "{text}: {sentence}");
        }
        let shown = format!("{:?}", Place::parse("smtp://a:hunter2@mail.example"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_sender_follows_the_public_origin() -> anyhow::Result<()> {
        assert_eq!(&*sender(None, "https://shop.example")?, "orders@shop.example");
        assert_eq!(&*sender(None, "http://127.0.0.1:3000")?, "orders@localhost");
        assert_eq!(&*sender(Some("Shop <a@b.example>".to_owned()), "https://shop.example")?, "Shop <a@b.example>");
        assert!(sender(Some("nobody".to_owned()), "https://shop.example").is_err_and(|error| error.to_string().contains("NEXTGEN_MAIL_FROM")));
        Ok(())
    }
}
