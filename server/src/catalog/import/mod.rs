//! Import of product files. It writes SQL and the outbox and nothing else, so that it works beside a running shop; what the file does not
//! say (currency, language, location) are arguments. What cannot be read is reported and changes nothing: a product keeps what it had, and a
//! column that is not there leaves as it is what it would speak of.

mod apply;
pub(crate) mod body;
mod columns;
mod names;
mod offers;
mod options;
mod pictures;
mod report;
mod sheet;
mod variant;

pub use report::{Refusal, Report};

use crate::{
    catalog::{
        demo,
        product::Product,
        shelves::{Category, markets},
    },
    clock::Clock,
    events, params,
    sql::{Db, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::Context as _;
use apply::{Shelves, Terms};
use domain::{locale::TextLanguage, market::Market, money::Currency};
use report::{Became, Outcome};
use serde_json::json;
use sheet::Draft;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// What is imported, and what the file does not say.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A product file as Shopify exports it (CSV).
    pub file: PathBuf,
    /// The currency of the file's prices.
    #[arg(long, default_value = "USD")]
    pub currency: String,
    /// The language of the file's texts: en-us, en-gb, de-de, fr-fr, ja-jp or ko-kr.
    #[arg(long, default_value = "en-us")]
    pub language: String,
    /// The location whose pieces the file counts. Without it the file counts all pieces of the shop, wherever they are, and a difference from
    /// what imports said before is booked at the first location of the first market.
    #[arg(long)]
    pub location: Option<String>,
    /// Markets that get the file's prices, such as US; may be given several times [default: all with the file's currency].
    #[arg(long)]
    pub market: Vec<String>,
}

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Products in one transaction: few enough that nobody waits long (about 0.1 s), many enough that the disk is not asked for each.
const PRODUCTS_A_TRANSACTION: usize = 50;

/// How long a running shop has SQLite's one writer to itself between two transactions of an import. Whoever waits for it asks every 25 ms at
/// first and every 100 ms from then on (`sqliteDefaultBusyCallback`): without a pause of that length a checkout waits for seconds.
const PAUSE: Duration = Duration::from_millis(25);

/// Imports a file. `data` is the shop's data folder, where pictures go. An error means that nothing could be done; refused rows stand in
/// the report.
pub async fn run(db: &Db, clock: &Clock, data: &Path, args: &Args) -> anyhow::Result<Report> {
    demo::first_start(db, clock, false).await?;
    let terms = Arc::new(terms(db, clock, args).await?);
    let size = std::fs::metadata(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?.len();
    anyhow::ensure!(size <= FILE_BYTES_MAX, "{} has {size} bytes; at most {FILE_BYTES_MAX} can be imported at once", args.file.display());
    let bytes = std::fs::read(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?;
    let sheet = sheet::read(&bytes, terms.currency).with_context(|| args.file.display().to_string())?;
    let mut report = Report::new(&args.file, sheet.refusals, sheet.headers);
    sheet.left_out.into_iter().for_each(|product| report.leave_out(product));

    let base = args.file.parent().unwrap_or_else(|| Path::new("."));
    let mut shop = pictures::Folder::new(base, data);
    let mut drafts = Vec::with_capacity(sheet.products.len());
    for mut draft in sheet.products {
        if !draft.images.is_empty() {
            let row = db.first("SELECT * FROM products WHERE handle = $1", params![&draft.handle]).await?;
            let known = row.as_ref().map(Product::read).transpose()?;
            draft.pictures = shop.read(&draft, known.as_ref(), &mut report)?;
        }
        drafts.push(draft);
    }
    for (n, chunk) in drafts.chunks(PRODUCTS_A_TRANSACTION).enumerate() {
        if n > 0 && matches!(db, Db::Sqlite { .. }) {
            tokio::time::sleep(PAUSE).await;
        }
        let shelves = Shelves::new(Category::all(db).await?);
        let outcomes = db
            .transact::<_, anyhow::Error>(|tx| {
                // Cloned for each try: what an earlier one added was rolled back.
                let (chunk, terms, mut shelves, clock) = (Arc::<[Draft]>::from(chunk), terms.clone(), shelves.clone(), clock.clone());
                let file = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Box::pin(async move {
                    let mut outcomes = Vec::with_capacity(chunk.len());
                    for draft in &*chunk {
                        outcomes.push(apply::product(tx, &clock, &terms, draft, &mut shelves).await.with_context(|| draft.handle.clone())?);
                    }
                    log(tx, &clock, file, &chunk, &outcomes).await?;
                    Ok(outcomes)
                })
            })
            .await
            .context("writing products")?;
        for (draft, outcome) in chunk.iter().zip(outcomes) {
            report.add(&draft.handle, &draft.lines, outcome);
        }
        events::ring();
    }
    report.finish();
    Ok(report)
}

/// Writes into the log which products a file made and changed.
async fn log(tx: &mut Tx, clock: &Clock, file: String, chunk: &[Draft], outcomes: &[Outcome]) -> anyhow::Result<()> {
    let handles = |became: &[Became]| -> Vec<&str> {
        let those = chunk.iter().zip(outcomes).filter(|(_, outcome)| became.contains(&outcome.became));
        those.map(|(draft, _)| draft.handle.as_str()).collect()
    };
    let (new, changed) = (handles(&[Became::New, Became::NewHidden]), handles(&[Became::Changed]));
    if new.is_empty() && changed.is_empty() {
        return Ok(());
    }
    let after = Some(json!({ "new": new, "changed": changed }));
    let change = Change { action: "products imported", subject: Subject::File(file), before: None, after };
    Ok(audit::write(tx, clock, Actor::CommandLine, change).await?)
}

async fn terms(db: &Db, clock: &Clock, args: &Args) -> anyhow::Result<Terms> {
    let currency: Currency = args.currency.parse().map_err(|error| anyhow::anyhow!("--currency {}: {error}", args.currency))?;
    let known: Vec<&str> = TextLanguage::ALL.iter().map(|language| language.key()).collect();
    let language: TextLanguage =
        args.language.parse().map_err(|_| anyhow::anyhow!("--language {}: must be one of {}", args.language, known.join(", ")))?;
    let all = markets(db, clock.now()).await?;
    let mut chosen: Vec<Market> = Vec::new();
    for code in &args.market {
        let market = all.iter().find(|market| market.code.code().eq_ignore_ascii_case(code));
        let market = market.with_context(|| format!("--market {code}: must be one of {}", codes(&all)))?;
        anyhow::ensure!(market.currency == currency, "--market {code} sells in {}, the file's prices are in {currency}", market.currency);
        chosen.push(market.clone());
    }
    if args.market.is_empty() {
        chosen = all.iter().filter(|market| market.currency == currency).cloned().collect();
    }
    let first = chosen.first().with_context(|| format!("no market sells in {currency}: say --currency as the file's prices are"))?;
    let is_one_location = args.location.is_some();
    let location = args.location.clone().or_else(|| first.locations.first().cloned()).context("the market has no location")?;
    let locations: Vec<&String> = all.iter().flat_map(|market| &market.locations).collect();
    if !locations.contains(&&location) {
        let known: std::collections::BTreeSet<&str> = locations.iter().map(|known| known.as_str()).collect();
        anyhow::bail!("--location {location}: must be one of {}", known.into_iter().collect::<Vec<_>>().join(", "));
    }
    let mut lists: Vec<String> = chosen.into_iter().map(|market| market.price_list).collect();
    lists.dedup();
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Terms { currency, language, location, is_one_location, lists, cause: format!("import:{name}"), now: clock.now() })
}

fn codes(markets: &[Market]) -> String {
    markets.iter().map(|market| market.code.to_string()).collect::<Vec<_>>().join(", ")
}
