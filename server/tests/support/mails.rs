//! Mails as a mailbox reads them: headers and both alternatives, decoded.

use super::TestShop;
use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{collections::BTreeMap, time::Duration};

/// A mail, taken apart.
#[derive(Clone, Debug)]
pub struct Mail {
    /// By their lower-case names; encoded words are decoded.
    pub headers: BTreeMap<String, String>,
    pub text: String,
    pub html: String,
}

impl Mail {
    /// Reads a message of RFC 5322 with two alternatives.
    pub fn read(raw: &[u8]) -> anyhow::Result<Self> {
        let raw = std::str::from_utf8(raw).context("a mail is ASCII")?;
        ensure!(raw.is_ascii(), "a mail is ASCII");
        ensure!(raw.lines().all(|line| line.len() <= 998), "RFC 5322, 2.1.1");
        ensure!(!raw.replace("\r\n", "").contains(['\r', '\n']), "lines end in CRLF");
        let (headers, body) = parse(raw)?;
        let boundary = headers["content-type"].split_once("boundary=\"").and_then(|(_, rest)| rest.split_once('"')).context("a boundary")?.0;
        ensure!(headers["content-type"].starts_with("multipart/alternative"), "{}", headers["content-type"]);
        let boundary = format!("--{boundary}");
        let mut parts = body.split(&boundary).skip(1).filter(|part| !part.starts_with("--"));
        let mut part = |kind: &str| -> anyhow::Result<String> {
            let (headers, body) = parse(parts.next().context("a part")?.trim_start_matches("\r\n"))?;
            ensure!(headers["content-type"].starts_with(kind), "{}", headers["content-type"]);
            let bytes = match headers["content-transfer-encoding"].as_str() {
                "quoted-printable" => quoted_printable::decode(body, quoted_printable::ParseMode::Strict)?,
                "base64" => STANDARD.decode(body.replace("\r\n", ""))?,
                _ => body.as_bytes().to_vec(),
            };
            Ok(String::from_utf8(bytes)?.replace("\r\n", "\n"))
        };
        Ok(Self { text: part("text/plain")?, html: part("text/html")?, headers })
    }

    pub fn subject(&self) -> &str {
        &self.headers["subject"]
    }

    pub fn to(&self) -> &str {
        &self.headers["to"]
    }

    /// The path of the order's page that it links to.
    pub fn order(&self) -> anyhow::Result<String> {
        let at = self.text.find("/orders/").context("a link")?;
        let url = self.text[..at].rfind("http").map(|start| &self.text[start..]).context("a link")?;
        let url = url.split_whitespace().next().context("a link")?;
        Ok(url::Url::parse(url)?.path().to_owned())
    }
}

fn parse(text: &str) -> anyhow::Result<(BTreeMap<String, String>, &str)> {
    let (head, body) = text.split_once("\r\n\r\n").context("headers and a body")?;
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = unfolded.split("\r\n").map(|line| {
        let (name, value) = line.split_once(':').with_context(|| format!("a header: {line}"))?;
        Ok((name.to_ascii_lowercase(), decoded(value.trim())?))
    });
    Ok((headers.collect::<anyhow::Result<_>>()?, body))
}

/// Decodes encoded words (RFC 2047, 2); white space between two of them is no part of the text.
fn decoded(value: &str) -> anyhow::Result<String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, tail)) = rest.split_once("=?utf-8?b?") {
        let (word, after) = tail.split_once("?=").context("an encoded word")?;
        if !(out.ends_with('\u{0}') && before.trim().is_empty()) {
            out.push_str(before);
        }
        out = out.replace('\u{0}', "");
        out.push_str(&String::from_utf8(STANDARD.decode(word)?)?);
        out.push('\u{0}');
        rest = after;
    }
    out.push_str(rest);
    Ok(out.replace('\u{0}', ""))
}

impl TestShop {
    /// The mails in the folder, the oldest first.
    pub fn mails(&self) -> anyhow::Result<Vec<Mail>> {
        let Ok(folder) = std::fs::read_dir(self.data().join("mail")) else { return Ok(Vec::new()) };
        let mut files: Vec<_> = folder.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort_unstable();
        files.iter().map(|path| Mail::read(&std::fs::read(path)?).with_context(|| path.display().to_string())).collect()
    }

    /// The first mail that `fits`, once it is there.
    pub async fn mail(&self, fits: impl Fn(&Mail) -> bool) -> anyhow::Result<Mail> {
        for _ in 0..200 {
            if let Some(mail) = self.mails()?.into_iter().find(&fits) {
                return Ok(mail);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let subjects: Vec<_> = self.mails()?.iter().map(|mail| mail.subject().to_owned()).collect();
        anyhow::bail!("no such mail in ten seconds, but {subjects:?}")
    }
}
