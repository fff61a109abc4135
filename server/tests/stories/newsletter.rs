//! The newsletter: signing up, confirming by mail, leaving, and what stays of an address.

use crate::{
    support::{self, Answer, TestShop, Visitor, mails::Mail},
    till::house::words,
};
use anyhow::{Context as _, ensure};
use app::{i18n::newsletter, routes::Action};
use domain::{account::Email, event::Event, locale::Locale};
use reqwest::header;
use server::{
    newsletter::command::{NewsletterTask, run},
    params,
    sql::Row,
};
use std::time::Duration;

const FORM: &str = "/en-gb/newsletter";
const ADA: &str = "Ada@example.com";

async fn signs_up(visitor: &Visitor, path: &str, email: &str) -> anyhow::Result<Answer> {
    visitor.post(path, &[("email", email), ("consent", "home-1"), ("source", "/en-gb/pages/launch?utm_source=x")]).await
}

/// The path of the mail's link with that step in it.
fn link(mail: &Mail, step: &str) -> anyhow::Result<String> {
    let url = mail.text.lines().find(|line| line.starts_with("http") && line.contains(&format!("/newsletter/{step}/")));
    Ok(url::Url::parse(url.with_context(|| format!("a link: {}", mail.text))?)?.path().to_owned())
}

/// Waits for so many mails; and a moment, so that one too many would be there.
async fn mailed(shop: &TestShop, count: usize) -> anyhow::Result<Vec<Mail>> {
    for _ in 0..200 {
        if shop.mails()?.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mails = shop.mails()?;
    ensure!(mails.len() == count, "{count} mails, but {:?}", mails.iter().map(Mail::subject).collect::<Vec<_>>());
    Ok(mails)
}

/// Signs up and confirms: the path of the link that confirmed. `before`: mails that were there.
async fn subscribes(shop: &TestShop, email: &str, before: usize) -> anyhow::Result<String> {
    let visitor = shop.visitor();
    ensure!(signs_up(&visitor, FORM, email).await?.status == 303);
    let mails = mailed(shop, before + 1).await?;
    let path = link(mails.last().context("a mail")?, "confirm")?;
    let answer = visitor.post(&path, &[]).await?;
    ensure!(answer.location().as_ref() == Some(&path), "{}: {}", answer.status, answer.body);
    Ok(path)
}

/// The list as it is handed over: address and the path that leads out of it.
async fn exported(shop: &TestShop) -> anyhow::Result<Vec<(String, String)>> {
    let csv = run(&shop.shop.newsletter, NewsletterTask::Export).await?;
    let mut lines = csv.lines();
    ensure!(lines.next() == Some("email,locale,confirmed_at,unsubscribe_url"), "{csv}");
    lines
        .map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            let [email, locale, at, url] = cells.as_slice() else { anyhow::bail!("four columns: {line}") };
            ensure!(*locale == "en-gb" && at.starts_with("2026-11-") && at.ends_with('Z'), "{line}");
            Ok(((*email).to_owned(), url::Url::parse(url)?.path().to_owned()))
        })
        .collect()
}

async fn rows(shop: &TestShop, sql: &'static str) -> anyhow::Result<Vec<String>> {
    Ok(shop.shop.db.all(sql, params![]).await?.iter().map(Row::debug_text).collect())
}

async fn proofs(shop: &TestShop) -> anyhow::Result<Vec<String>> {
    let found = shop.shop.db.all("SELECT what FROM newsletter_proofs ORDER BY id", params![]).await?;
    found.iter().map(|row| row.text("what")).collect()
}

/// Changes of consent that were told.
async fn told(shop: &TestShop) -> anyhow::Result<usize> {
    let found = shop.shop.db.all("SELECT payload FROM outbox WHERE aggregate LIKE 'newsletter:%'", params![]).await?;
    for row in &found {
        ensure!(matches!(serde_json::from_str(&row.text("payload")?)?, Event::ConsentChanged { .. }));
    }
    Ok(found.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_signs_up_confirms_and_leaves() -> anyhow::Result<()> {
    let shop = support::start().await?;
    let visitor = shop.visitor();
    let answer = signs_up(&visitor, FORM, ADA).await?;
    assert_eq!((answer.status, answer.location()), (303, Some(format!("{FORM}?said=sent"))));
    let sent = visitor.get(&format!("{FORM}?said=sent")).await?;
    assert!(sent.status == 200 && words(&sent.body).contains("Check your mail") && sent.header("cache-control") == "no-store", "{}", sent.body);
    let mails = mailed(&shop, 1).await?;
    assert_eq!((mails[0].to(), mails[0].subject()), (ADA, "Please confirm your newsletter subscription"));
    assert!(mails[0].text.contains("If it was not you, do nothing") && !mails[0].headers.contains_key("list-unsubscribe"), "{}", mails[0].text);
    let confirm = link(&mails[0], "confirm")?;

    // Programs that check mails open links, as often as they like.
    for _ in 0..3 {
        let page = shop.visitor().get(&confirm).await?;
        assert!(page.status == 200 && words(&page.body).contains("Yes, subscribe me"), "{}", words(&page.body));
        assert!(page.body.contains("noindex") && page.header("cache-control") == "no-store" && page.headers.get(header::SET_COOKIE).is_none());
    }
    assert_eq!((exported(&shop).await?.len(), told(&shop).await?), (0, 0), "a GET confirms nothing");

    // Twice the same link is once.
    for _ in 0..2 {
        assert_eq!(visitor.post(&confirm, &[]).await?.location(), Some(confirm.clone()));
        assert!(words(&visitor.get(&confirm).await?.body).contains("You are subscribed"));
    }
    assert_eq!((proofs(&shop).await?, told(&shop).await?), (vec!["asked".to_owned(), "confirmed".to_owned()], 1));
    let listed = exported(&shop).await?;
    let [(email, leave)] = listed.as_slice() else { anyhow::bail!("one subscriber: {listed:?}") };
    assert_eq!(email, ADA);

    // Leaving asks first, too.
    let page = visitor.get(leave).await?;
    assert!(page.status == 200 && words(&page.body).contains("Unsubscribe from the newsletter?"), "{}", words(&page.body));
    assert_eq!(exported(&shop).await?.len(), 1);
    for _ in 0..2 {
        assert_eq!(visitor.post(leave, &[]).await?.location().as_ref(), Some(leave));
        assert!(words(&visitor.get(leave).await?.body).contains("You are unsubscribed"));
    }
    assert_eq!((exported(&shop).await?.len(), proofs(&shop).await?.len(), told(&shop).await?), (0, 3, 2));
    assert!(words(&visitor.get(&confirm).await?.body).contains("This link leads nowhere"), "the old link brings nobody back");
    assert!(rows(&shop, "SELECT * FROM newsletter_subscriptions").await?.is_empty(), "the key went with the address");
    assert_eq!(rows(&shop, "SELECT * FROM newsletter_left").await?.len(), 1);
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_learns_who_is_on_the_list() -> anyhow::Result<()> {
    let shop = support::start().await?;
    subscribes(&shop, ADA, 0).await?;
    let visitor = shop.visitor();
    let mut answers = Vec::new();
    // On the list, in another spelling; new; asked a moment ago.
    for email in [ADA, " ada@EXAMPLE.com", "ben@example.com", "ben@example.com"] {
        let started = tokio::time::Instant::now();
        let answer = signs_up(&visitor, FORM, email).await?;
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(3), "{took:?}");
        answers.push((answer.status, answer.location(), answer.body));
    }
    answers.dedup();
    assert_eq!(answers, [(303, Some(format!("{FORM}?said=sent")), String::new())]);
    // To whom is on the list: that there is nothing to do, with the way out; once a day.
    let mails = mailed(&shop, 3).await?;
    let already = mails.iter().find(|mail| mail.subject() == "You are subscribed to our newsletter already").context("that mail")?;
    assert_eq!(already.to(), ADA);
    let leave = link(already, "unsubscribe")?;
    assert_eq!(already.headers["list-unsubscribe"], format!("<{}{leave}>", shop.url));
    assert_eq!(already.headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    assert_eq!(mails.iter().filter(|mail| mail.to() == "ben@example.com").count(), 1, "one mail in ten minutes");
    shop.clock.advance(Duration::from_mins(11));
    for email in [ADA, "ben@example.com"] {
        signs_up(&visitor, FORM, email).await?;
    }
    mailed(&shop, 4).await?;
    // And five in a week.
    for _ in 0..6 {
        shop.clock.advance(Duration::from_mins(11));
        signs_up(&visitor, FORM, "ben@example.com").await?;
    }
    let mails = mailed(&shop, 7).await?;
    assert_eq!(mails.iter().filter(|mail| mail.to() == "ben@example.com").count(), 5);
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_is_said_beside_it_and_nothing_is_lost() -> anyhow::Result<()> {
    let shop = support::start().await?;
    let visitor = shop.visitor();
    for (email, sentence) in [("", "Please fill in: Email"), ("ada@", "An email address looks like"), ("<b>ada", "An email address looks like")] {
        let answer = signs_up(&visitor, FORM, email).await?;
        assert!(answer.status == 422 && words(&answer.body).contains(sentence), "{}: {}", answer.status, words(&answer.body));
        assert!(answer.body.contains("aria-invalid=\"true\"") && !answer.body.contains("<b>ada"));
        assert_eq!((answer.field("consent"), answer.field("source")), (Some("home-1"), Some("/en-gb/pages/launch")));
    }
    assert_eq!(signs_up(&visitor, FORM, "ada@").await?.field("email"), Some("ada@"));
    for locale in Locale::OFFERED {
        let path = Action::Newsletter.url(locale);
        let page = visitor.get(&path).await?;
        let messages = newsletter(locale);
        assert!(page.status == 200 && page.body.contains(messages.title) && page.body.contains(&format!("action=\"{path}\"")), "{locale}");
        assert!(page.field("consent").is_some_and(|name| !name.is_empty()), "{locale}");
        let answer = signs_up(&visitor, &path, "x").await?;
        assert!(answer.status == 422 && answer.body.contains("id=\"email-error\""), "{locale}");
        for (step, token) in [("confirm", "made.up"), ("unsubscribe", "made.up"), ("confirm", "x"), ("unsubscribe", "x")] {
            let path = format!("{path}/{step}/{token}");
            for answer in [visitor.get(&path).await?, visitor.post(&path, &[]).await?] {
                assert!(answer.status == 404 && answer.body.contains(messages.gone_title), "{path}: {}", answer.status);
            }
        }
    }
    // Another site's page cannot sign anybody up.
    let foreign = visitor.client.post(format!("{}{FORM}", shop.url)).header(header::ORIGIN, "https://evil.example").form(&[("email", ADA)]);
    assert_eq!(Answer::read(foreign).await?.status, 403);
    mailed(&shop, 0).await?;
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_from_one_place_are_limited() -> anyhow::Result<()> {
    let shop = support::start_with(|config| config.rate_limits = true).await?;
    let visitor = shop.visitor();
    let mut statuses = Vec::new();
    for number in 0..8 {
        statuses.push(signs_up(&visitor, FORM, &format!("reader{number}@example.com")).await?.status);
    }
    assert_eq!(statuses, [303, 303, 303, 303, 303, 303, 429, 429]);
    let refused = signs_up(&visitor, FORM, ADA).await?;
    assert!(words(&refused.body).contains("Please wait 5 minutes") && refused.field("email") == Some(ADA), "{}", words(&refused.body));
    assert!(refused.header("retry-after").parse::<u64>()? > 100);
    mailed(&shop, 6).await?;
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_ends_after_a_week_and_the_address_is_forgotten() -> anyhow::Result<()> {
    let shop = support::start().await?;
    let visitor = shop.visitor();
    signs_up(&visitor, FORM, ADA).await?;
    let confirm = link(&mailed(&shop, 1).await?[0], "confirm")?;
    shop.clock.advance(Duration::from_hours(7 * 24 - 1));
    assert_eq!(shop.shop.newsletter.sweep().await?.sign_ups, 0);
    assert_eq!(visitor.get(&confirm).await?.status, 200);
    shop.clock.advance(Duration::from_hours(1));
    for answer in [visitor.get(&confirm).await?, visitor.post(&confirm, &[]).await?] {
        assert!(answer.status == 404 && words(&answer.body).contains("This link leads nowhere"), "{}: {}", answer.status, words(&answer.body));
        assert!(answer.body.contains(&format!("href=\"{FORM}\"")), "the way to a new one");
    }
    assert_eq!(shop.shop.newsletter.sweep().await?.sign_ups, 1);
    for sql in ["SELECT * FROM newsletter_subscriptions", "SELECT * FROM newsletter_proofs", "SELECT * FROM mails", "SELECT * FROM newsletter_left"] {
        assert!(rows(&shop, sql).await?.is_empty(), "{sql}");
    }
    // Also where nothing was swept, a new sign-up is a new one.
    signs_up(&visitor, FORM, ADA).await?;
    let old = link(mailed(&shop, 2).await?.last().context("a mail")?, "confirm")?;
    shop.clock.advance(Duration::from_hours(8 * 24));
    signs_up(&visitor, FORM, ADA).await?;
    let new = link(mailed(&shop, 3).await?.last().context("a mail")?, "confirm")?;
    assert_eq!((visitor.get(&old).await?.status, visitor.get(&new).await?.status), (404, 200));
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_program_unsubscribes_with_one_click_and_old_issues_keep_their_way_out() -> anyhow::Result<()> {
    let shop = support::start().await?;
    subscribes(&shop, ADA, 0).await?;
    let (_, leave) = exported(&shop).await?.pop().context("a subscriber")?;
    // No cookie, no Origin, either encoding (RFC 8058, 3.2), and no redirect.
    let program = server::outbound::client(Duration::from_secs(30)).build()?;
    let bodies = [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click".to_owned()),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n".to_owned(),
        ),
    ];
    for (turn, (kind, body)) in bodies.into_iter().enumerate() {
        let answer = Answer::read(program.post(format!("{}{leave}", shop.url)).header(header::CONTENT_TYPE, kind).body(body)).await?;
        assert!(answer.status == 200 && words(&answer.body).contains("You are unsubscribed"), "{kind}: {}", answer.status);
        assert!(exported(&shop).await?.is_empty(), "{kind}");
        // Whoever comes back confirms anew, and the link in old issues leads out again.
        subscribes(&shop, ADA, turn + 1).await?;
        assert_eq!(exported(&shop).await?, [(ADA.to_owned(), leave.clone())]);
        assert!(rows(&shop, "SELECT * FROM newsletter_left").await?.is_empty());
    }
    assert_eq!((proofs(&shop).await?.len(), told(&shop).await?), (8, 5), "proofs are added, never changed");
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_tells_no_address_and_an_erased_one_leaves_nothing() -> anyhow::Result<()> {
    let shop = support::start().await?;
    subscribes(&shop, ADA, 0).await?;
    signs_up(&shop.visitor(), FORM, "ben@example.com").await?;
    mailed(&shop, 2).await?;
    assert_eq!(exported(&shop).await?.len(), 1);
    let all = [
        "SELECT * FROM newsletter_subscriptions",
        "SELECT * FROM newsletter_proofs",
        "SELECT * FROM mails",
        "SELECT * FROM outbox WHERE aggregate LIKE 'newsletter:%'",
        "SELECT * FROM audit_log",
    ];
    for sql in all {
        let text = rows(&shop, sql).await?.join("\n");
        let sealed = shop.shop.db.all("SELECT sealed_email, wrapped_key FROM newsletter_subscriptions", params![]).await?;
        let bytes: Vec<u8> = sealed.iter().filter_map(|row| row.bytes_or_null("sealed_email").ok().flatten()).flatten().collect();
        let text = format!("{text}{}", String::from_utf8_lossy(&bytes)).to_lowercase();
        assert!(!text.is_empty() && ["ada", "ben@", "example.com", "127.0.0.1"].iter().all(|part| !text.contains(part)), "{sql}: {text}");
    }
    let proof = rows(&shop, "SELECT locale, consent, source FROM newsletter_proofs WHERE what = 'confirmed'").await?;
    assert_eq!(proof, ["locale=en-gb consent=home-1 source=/en-gb/pages/launch"]);
    let erase = |email: &str| NewsletterTask::Erase { email: email.to_owned() };
    for email in ["ada@example.com", "ben@example.com"] {
        assert!(run(&shop.shop.newsletter, erase(email)).await?.starts_with("Erased."), "{email}");
        assert!(run(&shop.shop.newsletter, erase(email)).await?.starts_with("Nothing was known"), "{email}");
    }
    assert!(run(&shop.shop.newsletter, erase("ada")).await.is_err_and(|error| error.to_string().contains("not an email address")));
    for sql in &all[..3] {
        assert!(rows(&shop, sql).await?.is_empty(), "{sql}");
    }
    let log = shop.shop.db.all("SELECT action FROM audit_log ORDER BY id", params![]).await?;
    let log = log.iter().map(|row| row.text("action")).collect::<anyhow::Result<Vec<_>>>()?;
    assert_eq!(log, ["newsletter list exported", "newsletter address erased", "newsletter address erased"]);
    // Who left is erased, too; and proofs go by themselves when claims have lapsed.
    subscribes(&shop, ADA, 2).await?;
    let (_, leave) = exported(&shop).await?.pop().context("a subscriber")?;
    shop.visitor().post(&leave, &[]).await?;
    shop.clock.advance(Duration::from_hours(4 * 366 * 24));
    assert_eq!((proofs(&shop).await?.len(), shop.shop.newsletter.sweep().await?.proofs, proofs(&shop).await?.len()), (3, 1, 0));
    assert!(shop.shop.newsletter.erase(&Email::parse(ADA)?, server::staff::Actor::CommandLine).await?);
    assert!(rows(&shop, "SELECT * FROM newsletter_left").await?.is_empty());
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_with_one_address_are_one() -> anyhow::Result<()> {
    let shop = support::start().await?;
    let visitor = shop.visitor();
    let answers = futures::future::try_join_all((0..8).map(|_| signs_up(&visitor, FORM, ADA))).await?;
    assert!(answers.iter().all(|answer| answer.status == 303));
    let confirm = link(&mailed(&shop, 1).await?[0], "confirm")?;
    futures::future::try_join_all((0..8).map(|_| visitor.post(&confirm, &[]))).await?;
    assert_eq!((proofs(&shop).await?.len(), told(&shop).await?, exported(&shop).await?.len()), (2, 1, 1));
    let (_, leave) = exported(&shop).await?.pop().context("a subscriber")?;
    futures::future::try_join_all((0..8).map(|_| visitor.post(&leave, &[]))).await?;
    assert_eq!((proofs(&shop).await?.len(), told(&shop).await?), (3, 2));
    shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_and_promo_pages_have_the_form_in_every_language() -> anyhow::Result<()> {
    let shop = support::start().await?;
    let visitor = shop.visitor();
    for locale in Locale::OFFERED {
        for (path, slug) in [(format!("/{locale}"), "home"), (format!("/{locale}/pages/launch"), "launch")] {
            let page = visitor.get(&path).await?;
            let action = Action::Newsletter.url(locale);
            assert!(page.status == 200 && page.body.contains(&format!("action=\"{action}\"")), "{path}");
            assert_eq!(page.field("source"), Some(path.as_str()));
            let consent = page.field("consent").context("the name of a text")?.to_owned();
            assert!(consent.strip_prefix(slug).is_some_and(|print| print.len() == 9), "{path}: {consent}");
        }
    }
    shop.stop().await
}
