//! What mails say: every kind in every language, as text and as HTML.

use super::*;
use crate::{i18n::follow, pages::memory};
use domain::{
    account::PersonName,
    locale::Locale,
    money::Currency,
    pricing::{Entry, Label, Why},
};

const LINK: &str = "https://shop.example/x/orders/AAAAAAAAAAAAAAAAAAAAAA";

fn data(kind: Kind, title: &str) -> MailData {
    let money = |minor| Money::new(minor, Currency::USD);
    let entry = |label, amount, why| Entry { label, amount: money(amount), why, included: false };
    let day = |day| jiff::civil::date(2026, 11, day);
    MailData {
        kind,
        number: "NG-7K2M-Q4XD".into(),
        link: LINK.into(),
        name: "山田 花子".into(),
        lines: vec![MailLine { title: title.into(), options: vec!["Navy".into()], quantity: 2, total: Some(money(9_600)) }],
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
        },
        amount: money(10_100),
        method: "Standard".into(),
        promise: Promise { from: day(24), to: day(26) },
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
        is_part: false,
        replaced: false,
    }
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
                    matches!(kind, Kind::Placed | Kind::Paid | Kind::Refunded),
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
fn a_part_of_an_order_is_not_told_as_the_whole() {
    for locale in locales() {
        for kind in [Kind::Shipped, Kind::Delivered] {
            let whole = data(kind, "Canvas tote");
            let part = MailData { is_part: true, ..whole.clone() };
            let [whole, part] = [whole, part].map(|data| render(&memory::view(locale), &data));
            assert!(whole.subject != part.subject && part.subject.contains("NG-7K2M-Q4XD"), "{locale} {kind}: {}", part.subject);
        }
    }
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
