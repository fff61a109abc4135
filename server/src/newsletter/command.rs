//! `nextgen newsletter`: the list for whoever sends the issues, and forgetting an address. Both are written into the audit log.

use super::Newsletter;
use crate::staff::audit::Actor;
use anyhow::Context as _;
use clap::Subcommand;
use domain::account::Email;

/// The newsletter's list: hand it over, forget an address.
#[derive(Clone, Debug, Subcommand)]
pub enum NewsletterTask {
    /// Write everybody who confirmed as CSV (email, locale, confirmed_at, unsubscribe_url): nextgen newsletter export > subscribers.csv. Do so anew
    /// before each issue: whoever unsubscribed is no longer in it.
    Export,
    /// Destroy everything about an address, the proof of its consent too. Who only wants no more issues unsubscribes.
    Erase { email: String },
}

/// Does it, and says what was done, or what was asked for.
pub async fn run(newsletter: &Newsletter, task: NewsletterTask) -> anyhow::Result<String> {
    match task {
        NewsletterTask::Export => csv(newsletter).await,
        NewsletterTask::Erase { email } => {
            let email = Email::parse(&email).map_err(|error| anyhow::anyhow!("{error}"))?;
            let erased = newsletter.erase(&email, Actor::CommandLine).await?;
            Ok(if erased { "Erased. Nothing is known of this address any more.\n" } else { "Nothing was known of this address.\n" }.to_owned())
        }
    }
}

async fn csv(newsletter: &Newsletter) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["email", "locale", "confirmed_at", "unsubscribe_url"])?;
    for subscriber in newsletter.export(Actor::CommandLine).await? {
        let at = jiff::Timestamp::from_microsecond(subscriber.confirmed_at).context("a confirmation's time")?;
        writer.write_record([subscriber.email.as_str(), &subscriber.locale.to_string(), &format!("{at:.0}"), &subscriber.leave_url])?;
    }
    Ok(String::from_utf8(writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?)?)
}
