//! What mails say: every kind in every language, as text and as HTML.

use super::*;
use crate::{
    document::SHOP_NAME,
    i18n::{filled, follow, give_back, money, promotion, till},
    pages::memory,
    ports::View,
    private::trace,
};
use domain::{
    PromotionId,
    account::PersonName,
    locale::Locale,
    money::Currency,
    pricing::{Entry, Label, Why},
    promotion::{How, Outcome, Refusal, Traced},
    tax::Rounding,
};
use std::sync::Arc;

const LINK: &str = "https://shop.example/x/orders/AAAAAAAAAAAAAAAAAAAAAA";

fn data(kind: Kind, title: &str) -> MailData {
    let money = |minor| Money::new(minor, Currency::USD);
    let entry = |label, amount, why| Entry { label, amount: money(amount), why, included: false, parcel: None };
    let day = |day| jiff::civil::date(2026, 11, day);
    MailData {
        kind,
        number: "NG-7K2M-Q4XD".into(),
        link: LINK.into(),
        name: "山田 花子".into(),
        lines: vec![MailLine { title: title.into(), options: vec!["Navy".into()], quantity: 2, total: Some(money(9_600)), wish: None }],
        quote: Quote {
            lines: Vec::new(),
            goods: money(9_600),
            discounts: Vec::new(),
            delivery: Some(money(500)),
            taxes: Vec::new(),
            tax_known: true,
            total: money(10_100),
            entries: vec![
                entry(Label::Subtotal, 9_600, Why::Lines { lines: 1, pieces: 2 }),
                entry(Label::Delivery, 500, Why::Charged { free_from: None }),
            ],
            trace: vec![],
        },
        total: money(10_100),
        method: "Standard".into(),
        promise: Some(Promise { from: day(24), to: day(26) }),
        delivery: Address {
            country: "JP".parse().expect("a country"),
            name: PersonName { full: "山田 花子".into(), kana: None },
            company: None,
            line1: "千代田1-1".into(),
            line2: None,
            city: "千代田区".into(),
            region: Some("13".into()),
            postcode: Some("100-0001".into()),
        },
        billing: None,
        parcels: vec![Parcel { carrier: "Post".into(), tracking: "RR123".into() }],
        share: Share::Whole,
        payment: Payment::Awaited,
        is_begun: false,
        money: if kind == Kind::Refunded { MoneyBack::Sent(money(10_100)) } else { MoneyBack::Untold },
        kept_back: None,
        charge: None,
        cause: (kind == Kind::Refunded).then_some(Cause { reason: RefundReason::Goodwill, goodwill: None, too_late: false }),
        cancelled: Cancelled::default(),
        back: Back::default(),
    }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn written(locale: Locale, data: &MailData) -> Rendered {
    let mail = render(&memory::view(locale), data);
    for text in [&mail.subject, &mail.text, &mail.html] {
        assert!(!text.contains('{') && !text.contains('}'), "{locale} has an open placeholder: {text}");
    }
    mail
}

fn locales() -> impl Iterator<Item = Locale> {
    Locale::OFFERED.into_iter().chain([Locale::PSEUDO, Locale::PSEUDO_RTL])
}

#[test]
fn every_kind_in_every_language_says_what_it_is_about() {
    for locale in locales() {
        let mut subjects = Vec::new();
        for kind in Kind::ALL {
            let mail = render(&memory::view(locale), &data(kind, "Canvas tote"));
            assert!(mail.subject.contains("NG-7K2M-Q4XD") && !mail.subject.contains('\n'), "{locale} {kind}: {}", mail.subject);
            for text in [&mail.subject, &mail.text, &mail.html] {
                assert!(!text.contains('{') && !text.contains('}'), "{locale} {kind} has an open placeholder: {text}");
            }
            for text in [&mail.text, &mail.html] {
                assert!(text.contains(LINK) && text.contains("山田 花子"), "{locale} {kind}: {text}");
                assert_eq!(text.contains("Canvas tote"), kind != Kind::Link, "{locale} {kind}: {text}");
                assert_eq!(
                    text.contains("101.00") || text.contains("101,00"),
                    matches!(kind, Kind::Placed | Kind::Paid | Kind::PaymentFailed | Kind::Refunded),
                    "{locale} {kind}: {text}"
                );
                assert_eq!(
                    text.contains("千代田1-1"),
                    matches!(kind, Kind::Placed | Kind::Paid | Kind::Shipped | Kind::Delivered),
                    "{locale} {kind}"
                );
                assert!(text.contains(follow(locale).view_order), "{locale} {kind}");
            }
            subjects.push(mail.subject);
        }
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), Kind::ALL.len(), "{locale}: subjects tell the kinds apart");
    }
}

#[test]
fn a_part_the_rest_and_an_exchange_are_not_told_as_the_whole() {
    for locale in locales() {
        let messages = follow(locale);
        for kind in [Kind::Shipped, Kind::Delivered] {
            let all =
                [Share::Whole, Share::Part, Share::Rest, Share::Exchange].map(|share| written(locale, &MailData { share, ..data(kind, "Tote") }));
            for (at, mail) in all.iter().enumerate() {
                assert!(mail.subject.contains("NG-7K2M-Q4XD"), "{locale} {kind}: {}", mail.subject);
                assert!(all[at + 1..].iter().all(|other| other.subject != mail.subject), "{locale} {kind}: {}", mail.subject);
                let follows = mail.text.contains(messages.shipped_part_next);
                assert_eq!(follows, kind == Kind::Shipped && at == 1, "{locale} {kind}: only of a part more follows: {}", mail.text);
            }
        }
        let untracked = MailData { parcels: vec![Parcel { carrier: "Post".into(), tracking: String::new() }], ..data(Kind::Shipped, "Tote") };
        assert!(!written(locale, &untracked).text.contains(messages.shipped_next), "{locale}: there is no number to follow");
    }
}

#[test]
fn a_payment_is_asked_for_only_while_it_may_come() {
    for locale in locales() {
        let messages = follow(locale);
        for (payment, kept, next) in
            [(Payment::Awaited, true, true), (Payment::UnderWay, true, false), (Payment::Late, false, true), (Payment::Settled, false, false)]
        {
            let mail = written(locale, &MailData { payment, ..data(Kind::Placed, "Tote") });
            let says = |text: &str| mail.text.contains(text);
            assert_eq!((says(messages.placed_kept), says(messages.placed_next)), (kept, next), "{locale} {payment:?}: {}", mail.text);
        }
    }
}

/// A message with the amount of 12.50 dollars.
fn with_amount(template: &str, locale: Locale) -> String {
    let amount = money(usd(1_250), locale);
    let amount = if locale.language.is_rtl() { format!("\u{2068}{amount}\u{2069}") } else { amount };
    let text = filled(template, &[("amount", &amount)]);
    // A paragraph of its own begins large.
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[test]
fn what_promotions_did_is_explained_where_the_total_is() {
    for locale in locales() {
        let mut told = data(Kind::Paid, "Tote");
        let (applied, left) = (PromotionId(uuid::Uuid::from_u128(1)), PromotionId(uuid::Uuid::from_u128(2)));
        let how = How::Percent { millionths: 100_000, base: usd(9_600) };
        let traced = |promotion, title: &str, outcome| Traced { promotion, code: String::new(), title: title.to_owned(), hidden: false, outcome };
        told.quote.trace = vec![
            traced(applied, "Ten off", Outcome::Applied { amount: usd(960), how, lines: vec![] }),
            traced(left, "Five off", Outcome::Left(Refusal::Beaten { by: "Ten off".into() })),
        ];
        let label = Label::Discount { code: String::new(), title: "Ten off".into(), promotion: Some(applied) };
        told.quote.entries.push(Entry { label, amount: usd(-960), why: Why::AmountOff { amount: usd(960) }, included: false, parcel: None });
        let view = memory::view(locale);
        let said = [trace::how(&how, &view), trace::reason(&Refusal::Beaten { by: "Ten off".into() }, &view)];
        for (kind, is_said) in [(Kind::Placed, true), (Kind::Paid, true), (Kind::Shipped, false)] {
            let mail = written(locale, &MailData { kind, ..told.clone() });
            for sentence in &said {
                assert_eq!(mail.text.contains(sentence.as_str()), is_said, "{locale} {kind}: {sentence}: {}", mail.text);
            }
        }
        let plain = written(locale, &data(Kind::Paid, "Tote")).text;
        assert!(!plain.contains(promotion(locale).not_applied), "{locale}: there was none: {plain}");
        let mut told = data(Kind::Paid, "Tote");
        let label = Label::Tax { name: "sales tax".into(), region: String::new(), millionths: 40_000 };
        let why = Why::TaxOnTop { base: usd(6_300), rounding: Rounding::HalfUp, estimated: true };
        told.quote.entries.push(Entry { label, amount: usd(252), why, included: false, parcel: None });
        let estimated = written(locale, &told).text;
        for words in [till(locale).estimated, till(locale).why_estimated] {
            assert!(estimated.contains(words), "{locale}: {words}: {estimated}");
        }
    }
}

#[test]
fn what_becomes_of_the_money_is_said_and_nothing_is_left_open() {
    for locale in locales() {
        let messages = follow(locale);
        for kind in [Kind::Cancelled, Kind::PartCancelled, Kind::Returned] {
            for (back, words) in [
                (MoneyBack::NeverCharged, messages.never_charged),
                (MoneyBack::Going(usd(1_250)), messages.refund_follows),
                (MoneyBack::Sent(usd(1_250)), messages.refunded_text),
                (MoneyBack::SentOtherwise(usd(1_250)), messages.refunded_otherwise),
                (MoneyBack::TakenByBank, messages.refund_by_bank),
                (MoneyBack::Nothing, messages.refund_none),
            ] {
                let mail = written(locale, &MailData { money: back, ..data(kind, "Tote") });
                let said = with_amount(words, locale);
                assert!(mail.text.contains(&said), "{locale} {kind} {back:?}: {said}: {}", mail.text);
                let is_listed = mail.text.contains(&format!("{}: {}", messages.refund, money(usd(1_250), locale)));
                assert_eq!(is_listed, matches!(back, MoneyBack::Going(_) | MoneyBack::Sent(_) | MoneyBack::SentOtherwise(_)), "{locale} {kind}");
            }
            let untold = written(locale, &data(kind, "Tote"));
            assert!(!untold.text.contains(messages.never_charged) && !untold.text.contains(messages.refund_none), "{locale}: {}", untold.text);
        }
    }
}

#[test]
fn a_refund_says_why() {
    for locale in locales() {
        let plain = RefundReason::ALL.map(|reason| Cause { reason, goodwill: None, too_late: false });
        let late = Cause { reason: RefundReason::Cancelled, goodwill: None, too_late: true };
        let goodwill = GoodwillReason::ALL.map(|why| Cause { reason: RefundReason::Goodwill, goodwill: Some(why), too_late: false });
        let mut said = std::collections::BTreeSet::new();
        for cause in plain.into_iter().chain([late]).chain(goodwill) {
            let mail = written(locale, &MailData { cause: Some(cause), money: MoneyBack::Sent(usd(1_250)), ..data(Kind::Refunded, "Tote") });
            assert!(mail.text.contains(&money(usd(1_250), locale)), "{locale}: {}", mail.text);
            said.insert(mail.text);
        }
        // Goodwill whose why nobody kept is told as another one.
        assert_eq!(said.len(), RefundReason::ALL.len() + 1 + GoodwillReason::ALL.len() - 1, "{locale}: each has words of its own");
    }
}

#[test]
fn a_return_that_came_tells_exchange_and_money_apart() {
    let piece = |title: &str| MailLine { title: title.into(), options: vec!["Sand".into()], quantity: 1, total: None, wish: None };
    for locale in locales() {
        let messages = follow(locale);
        let exchanged = Back { exchange: vec![piece("New hat")], exchange_follows: true, ..Back::default() };
        let only = written(locale, &MailData { back: exchanged.clone(), ..data(Kind::Returned, "Tote") });
        assert!(
            only.text.contains(messages.exchange_items) && only.text.contains("New hat") && only.text.contains(messages.exchange_next),
            "{}",
            only.text
        );
        assert!(!only.text.contains(&format!("{}:", messages.refund)) && !only.text.contains(messages.not_exchanged), "{locale}: {}", only.text);

        let mixed = MailData {
            money: MoneyBack::Going(usd(1_250)),
            kept_back: Some(usd(300)),
            charge: Some(usd(495)),
            back: Back { not_exchanged: true, missing: vec![piece("Lost scarf")], ..exchanged.clone() },
            ..data(Kind::Returned, "Tote")
        };
        let mail = written(locale, &mixed);
        for words in [messages.returned_items, messages.exchange_items, messages.missing_items, "Lost scarf", messages.not_exchanged] {
            assert!(mail.text.contains(words) && mail.html.contains(&crate::document::Escaped(words).to_string()), "{locale} {words}: {}", mail.text);
        }
        for (label, minor) in [(messages.kept_back, 300), (messages.charge_back, 495), (messages.refund, 1_250)] {
            assert!(mail.text.contains(&format!("{label}: {}", money(usd(minor), locale))), "{locale} {label}: {}", mail.text);
        }
        assert!(mail.text.contains(&with_amount(messages.refund_follows, locale)), "{locale}: {}", mail.text);
    }
}

#[test]
fn an_announced_return_says_what_is_wanted_and_how_to_send_it() {
    for locale in locales() {
        let (messages, returns) = (follow(locale), give_back(locale));
        let mut told = data(Kind::ReturnAnnounced, "Tote");
        told.lines[0].wish = Some(Wish { reason: ReturnReason::TooSmall, exchange: Some("Sand".into()) });
        told.back.awaited = Some(Awaited { amount: Some(usd(1_250)), all_exchanged: false, label: usd(300) });
        let mail = written(locale, &told);
        let exchange = filled(returns.wish_exchange, &[("variant", "Sand")]);
        for words in [returns.said_announced, returns.reason_too_small, &exchange, returns.how, &money(usd(1_250), locale), &money(usd(300), locale)]
        {
            assert!(mail.text.contains(words), "{locale} {words}: {}", mail.text);
        }
        assert_eq!(mail.text.matches("NG-7K2M-Q4XD").count(), 2, "{locale}: on the note in the parcel, and why this mail came: {}", mail.text);

        // It was called off meanwhile: nothing is to be sent.
        told.back.awaited = None;
        let over = written(locale, &told);
        assert!(!over.text.contains(returns.said_announced) && !over.text.contains(returns.how), "{locale}: {}", over.text);

        let refused = MailData { back: Back { why: "Worn <b>\nand washed".into(), ..Back::default() }, ..data(Kind::ReturnRefused, "Tote") };
        let mail = written(locale, &refused);
        assert!(mail.text.contains("Worn <b>\nand washed") && mail.html.contains("<bdi>Worn &lt;b&gt;</bdi><br><bdi>and washed"), "{}", mail.html);
        assert!(mail.text.contains(messages.return_refused_text), "{locale}: {}", mail.text);
    }
}

#[test]
fn the_shop_is_named_once_below_a_mail() {
    let view = memory::view("en-us".parse().expect("a locale"));
    let of = |entity: &str| {
        let market = domain::market::Market { legal_entity: entity.to_owned(), ..(*view.market).clone() };
        render(&View { market: Arc::new(market), ..view.clone() }, &data(Kind::Paid, "Tote"))
    };
    let same = of(SHOP_NAME);
    assert_eq!(same.text.matches(SHOP_NAME).count(), 1, "{}", same.text);
    assert_eq!(same.html.matches(SHOP_NAME).count(), 1, "the letterhead: {}", same.html);
    let other = of("Shop Holding Inc.");
    assert!(other.text.contains(&format!("{SHOP_NAME}\nShop Holding Inc.\n")) && other.html.contains("<br>Shop Holding Inc."), "{}", other.text);
}

#[test]
fn a_mail_loads_nothing_and_hides_nothing() {
    for kind in Kind::ALL {
        let html = render(&memory::view("en-us".parse().expect("a locale")), &data(kind, "Canvas tote")).html;
        for forbidden in ["<img", "src=", "url(", "<link", "<script", "<style", "@import", "background=", "http-equiv", "display:none"] {
            assert!(!html.contains(forbidden), "{kind}: {forbidden}");
        }
        for href in html.split("href=\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(href, _)| href)) {
            assert!(href == LINK, "{kind}: {href}");
        }
        assert_eq!(html.matches("<table").count(), html.matches("</table>").count(), "{kind}");
        assert_eq!(html.matches("<td").count(), html.matches("</td>").count(), "{kind}");
        assert_eq!(html.matches("<tr>").count(), html.matches("</tr>").count(), "{kind}");
    }
}

#[test]
fn markup_in_names_is_only_text() {
    let mut evil = data(Kind::Paid, "<script>alert(1)</script> & \"co\"");
    evil.name = "<b>{number}</b>".into();
    let mail = render(&memory::view("en-us".parse().expect("a locale")), &evil);
    assert!(mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;") && !mail.html.contains("<script"), "{}", mail.html);
    assert!(mail.html.contains("&lt;b&gt;{number}&lt;/b&gt;") && mail.text.contains("Hello <b>{number}</b>,"), "{}", mail.text);
}

#[test]
fn letters_from_right_to_left_begin_on_the_right() {
    let mail = render(&memory::view(Locale::PSEUDO_RTL), &data(Kind::Paid, "Canvas tote"));
    assert!(mail.html.contains("<html lang=\"ar-XB\" dir=\"rtl\">") && mail.html.contains("text-align:right"), "{}", mail.html);
    let title = mail.html.split("<bdi>Canvas tote").next().and_then(|before| before.rsplit_once("<td align=\"")).map(|(_, cell)| &cell[..5]);
    assert_eq!(title, Some("right"));
    assert!(mail.subject.contains("\u{2068}NG-7K2M-Q4XD\u{2069}"), "{}", mail.subject);
}

#[test]
fn people_are_greeted_as_their_language_does() {
    for (locale, greeting) in [
        ("en-gb", "Hello 山田 花子,"),
        ("de-de", "Guten Tag 山田 花子,"),
        ("fr-fr", "Bonjour 山田 花子,"),
        ("ja-jp", "山田 花子 様"),
        ("ko-kr", "山田 花子 님, 안녕하세요."),
    ] {
        let mail = render(&memory::view(locale.parse().expect("a locale")), &data(Kind::Shipped, "Canvas tote"));
        assert!(mail.text.starts_with(greeting), "{}", mail.text);
    }
}
