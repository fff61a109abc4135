//! Mails about orders: in the shopper's language, once each, again on request, through a mail server that fails.

use crate::{
    support::{TestShop, mails::Mail},
    till::house::{self, House, PAYS, add, paid, type_card, words},
};
use anyhow::{Context as _, ensure};
use app::{
    i18n::{follow, till},
    mail::Kind,
};
use domain::{OrderId, PaymentId, event::Event, locale::Locale};
use server::{config::Config, events, mail, params};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A text with its placeholders, as what stands before the first and after the last.
fn is_filled(template: &str, text: &str) -> bool {
    let (first, last) = (template.split('{').next().unwrap_or(""), template.rsplit('}').next().unwrap_or(""));
    text.contains("NG-") && text.starts_with(first) && text.ends_with(last)
}

/// Buys a thing: the order's path and id.
async fn buys(house: &House, locale: Locale) -> anyhow::Result<(String, OrderId)> {
    let things = house.things().await?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let payment = house::place(&visitor, locale).await?;
    let order = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &order, till(locale).status_paid).await?;
    let row = house.shop.shop.db.first("SELECT id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1", params![]).await?;
    Ok((order, row.context("an order")?.parse("id")?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shopper_is_written_to_in_their_language() -> anyhow::Result<()> {
    let house = house::open().await?;
    for locale in Locale::OFFERED {
        let (order, _) = buys(&house, locale).await.with_context(|| locale.to_string())?;
        let messages = follow(locale);
        let of = |template: &'static str, order: String| {
            move |mail: &Mail| is_filled(template, mail.subject()) && mail.order().is_ok_and(|path| path == order)
        };
        let placed = house.shop.mail(of(messages.placed_subject, order.clone())).await.with_context(|| locale.to_string())?;
        let paid = house.shop.mail(of(messages.paid_subject, order.clone())).await.with_context(|| locale.to_string())?;
        for mail in [&placed, &paid] {
            assert_eq!(mail.to(), "ada@example.com");
            assert_eq!((mail.headers["auto-submitted"].as_str(), mail.headers["content-language"].as_str()), ("auto-generated", &*locale.bcp47()));
            assert!(mail.headers["message-id"].starts_with('<') && mail.headers["message-id"].ends_with("@localhost>"), "{:?}", mail.headers);
            assert!(mail.headers["date"].starts_with("Mon, 23 Nov 2026 12:"), "the shop's clock: {}", mail.headers["date"]);
            let address = house::address(locale);
            let line1 = address.iter().find(|(key, _)| *key == "line1").context("a street")?.1;
            assert!(mail.text.contains(line1) && words(&mail.html).contains(&line1.replace('\'', "&#39;")), "{locale}: {}", mail.text);
            assert!(mail.text.contains(&house.shop.url), "links are absolute");
        }
        if locale.country.code() == "JP" {
            assert!(paid.text.starts_with("山田 花子 様"), "the family name comes first: {}", paid.text);
        }
    }
    assert_eq!(house.shop.mails()?.len(), 16, "two for each of eight orders");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_sent_once_and_again_when_asked_for() -> anyhow::Result<()> {
    let house = house::open().await?;
    let locale: Locale = "en-gb".parse()?;
    let (_, order) = buys(&house, locale).await?;
    let shop = &house.shop.shop;
    let payment: PaymentId = shop.db.first("SELECT id FROM payments", params![]).await?.context("a payment")?.parse("id")?;
    house.shop.mail(|mail| mail.subject().starts_with("Payment received")).await?;
    for _ in 0..3 {
        shop.db
            .transact::<_, anyhow::Error>(|tx| {
                let clock = shop.clock.clone();
                Box::pin(async move {
                    events::emit(tx, &clock, &Event::PaymentCaptured { order, payment }).await?;
                    events::emit(tx, &clock, &Event::OrderPlaced { order }).await?;
                    Ok(())
                })
            })
            .await?;
    }
    until(async || Ok(shop.db.all("SELECT id FROM outbox WHERE delivered_at IS NULL", params![]).await?.is_empty())).await?;
    assert_eq!(shop.orders.mails(order).await?.len(), 2, "events that come again send nothing again");

    // Who looks after orders may send a mail again, a few times an hour, and only what has happened.
    shop.orders.resend(order, Kind::Paid).await?;
    until(async || Ok(house.shop.mails()?.len() == 3)).await?;
    let mails = house.shop.mails()?;
    assert_eq!(mails.iter().filter(|mail| mail.subject().starts_with("Payment received")).count(), 2);
    let ids: std::collections::BTreeSet<_> = mails.iter().map(|mail| mail.headers["message-id"].clone()).collect();
    assert_eq!(ids.len(), 3, "each mail has an id of its own");
    for kind in [Kind::Shipped, Kind::Refunded, Kind::Cancelled] {
        assert!(matches!(shop.orders.resend(order, kind).await, Err(mail::CannotResend::NothingToTell)), "{kind}");
    }
    assert!(matches!(shop.orders.resend(OrderId(shop.clock.id()), Kind::Paid).await, Err(mail::CannotResend::NotFound)));
    let mut sent = 1;
    while shop.orders.resend(order, Kind::Paid).await.is_ok() {
        sent += 1;
        ensure!(sent < 20, "there is a limit");
    }
    assert!(matches!(shop.orders.resend(order, Kind::Paid).await, Err(mail::CannotResend::TooMany)));
    house.shop.clock.advance(Duration::from_hours(1));
    shop.orders.resend(order, Kind::Paid).await?;

    // What is stored knows nobody.
    for row in shop.db.all("SELECT * FROM mails", params![]).await? {
        let text = row.debug_text();
        assert!(!text.contains("ada@") && !text.contains("example.com") && !text.contains("Lovelace"), "{text}");
    }

    // After an erasure nobody can be written to, and that is visible.
    erase(&house.shop).await?;
    shop.orders.resend(order, Kind::Link).await?;
    until(async || Ok(shop.orders.mails(order).await?[0].state == "given_up")).await?;
    assert_eq!(shop.orders.mails(order).await?[0].last_error.as_deref(), Some("the customer was erased"));
    house.close().await
}

async fn erase(shop: &TestShop) -> anyhow::Result<()> {
    let erased = shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE customer_keys SET wrapped_key = NULL", params![]))).await?;
    ensure!(erased > 0, "there was a customer");
    Ok(())
}

async fn until(holds: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    for _ in 0..200 {
        if holds().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("not in ten seconds")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_fails_is_asked_again_and_one_that_refuses_is_not() -> anyhow::Result<()> {
    // The first recipient is put off twice, the second refused for good.
    let sink = Sink::open(&["451 4.7.1 ada@example.com: greylisted", "421 busy", "250 ok", "550 5.1.1 <ada@example.com> unknown", "250 ok"]).await?;
    let place = mail::Place::parse(&format!("smtp://shop:p%40ss@{}", sink.address))?;
    let from_a_shop = |config: &mut Config| {
        config.mail = place;
        config.mail_from = "Shop <orders@shop.example>".into();
    };
    let house = Box::pin(house::open_with(from_a_shop)).await?;
    let locale: Locale = "fr-fr".parse()?;
    let things = house.things().await?;
    let visitor = house.shop.visitor();
    add(&visitor, locale, &things[0]).await?;
    let payment = house::place(&visitor, locale).await?;
    let shop = &house.shop.shop;
    let order: OrderId = shop.db.first("SELECT id FROM orders", params![]).await?.context("an order")?.parse("id")?;
    for (attempt, code) in [(1, "451"), (2, "421")] {
        let failed = async || Ok(shop.orders.mails(order).await?.first().is_some_and(|mail| mail.last_error.as_deref().unwrap_or("").contains(code)));
        until(failed).await?;
        let told = &shop.orders.mails(order).await?[0];
        assert_eq!((told.state.as_str(), told.attempts), ("waiting", attempt));
        assert!(!told.last_error.as_deref().unwrap_or("").contains("ada"), "{told:?}");
        house.shop.clock.advance(Duration::from_mins(3));
    }
    until(async || Ok(shop.orders.mails(order).await?[0].state == "sent")).await?;
    let received = sink.received();
    let mail = Mail::read(&received[0])?;
    assert_eq!((received.len(), mail.to(), mail.headers["from"].as_str()), (1, "ada@example.com", "Shop <orders@shop.example>"));
    assert!(is_filled(follow(locale).placed_subject, mail.subject()), "{}", mail.subject());
    let said = sink.said();
    assert!(said.contains(&"MAIL FROM:<orders@shop.example>".to_owned()) && said.contains(&"RCPT TO:<ada@example.com>".to_owned()), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("AUTH PLAIN ")), "{said:?}");

    let path = type_card(&visitor, &payment, PAYS).await?;
    paid(&visitor, &path, "Payée").await?;
    until(async || Ok(shop.orders.mails(order).await?[0].state == "given_up")).await?;
    let told = &shop.orders.mails(order).await?[0];
    assert_eq!((told.kind, told.attempts, told.last_error.as_deref()), (Kind::Paid, 1, Some("the mail server refused with 550")));
    assert_eq!(sink.received().len(), 1);
    house.close().await
}

/// A mail server on the loopback that answers recipients as it was told to, in that order; afterwards it takes everything.
struct Sink {
    address: std::net::SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    async fn open(answers: &'static [&'static str]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { address: listener.local_addr()?, received: Arc::default(), said: Arc::default() };
        let (received, said, turn) = (sink.received.clone(), sink.said.clone(), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (received, said, turn) = (received.clone(), said.clone(), turn.clone());
                tokio::spawn(async move { drop(serve(stream, answers, &received, &said, &turn).await) });
            }
        });
        Ok(sink)
    }

    fn received(&self) -> Vec<Vec<u8>> {
        self.received.lock().expect("nobody panics").clone()
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().expect("nobody panics").clone()
    }
}

async fn serve(
    stream: TcpStream,
    answers: &[&str],
    received: &Mutex<Vec<Vec<u8>>>,
    said: &Mutex<Vec<String>>,
    turn: &AtomicUsize,
) -> anyhow::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        said.lock().expect("nobody panics").push(command.to_owned());
        let answer = match command.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-sink\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "RCPT" => answers.get(turn.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or("250 ok"),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut message = Vec::new();
                while !message.ends_with(b"\r\n.\r\n") {
                    if stream.read_until(b'\n', &mut message).await? == 0 {
                        return Ok(());
                    }
                }
                message.truncate(message.len() - 3);
                received.lock().expect("nobody panics").push(message);
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
