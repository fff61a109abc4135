//! The hosted page as HTML: a form that works without script, in the shopper's language.

use super::{
    cards::{CARDS, CardField},
    ledger::Session,
    words::{Words, amount},
};
use axum::http::{HeaderName, header};
use std::fmt::Write as _;

/// What may be sent back to the person who typed it.
#[derive(Default)]
pub struct Typed {
    pub expiry: String,
    pub name: String,
}

pub const CSS: &str = include_str!("page.css");
pub const FONT: &[u8] = include_bytes!("../../../../public/font/familjen.woff2");

/// No script, no frames, nothing kept. `form-action` is absent: the answer to a form leads back to the merchant.
pub fn headers() -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}

/// The card form, with what is wrong beside each field.
pub fn card_form(session: &Session, typed: &Typed, wrong: &[CardField]) -> String {
    let words = Words::of(&session.locale);
    let mut form = String::new();
    if !wrong.is_empty() {
        let _ = write!(form, r#"<p class="alert" role="alert">{}</p>"#, words.summary);
    }
    let fields = [
        (CardField::Number, "cardnumber", words.number, "cc-number", "numeric", "", words.wrong_number, "", 23),
        (CardField::Expiry, "exp-date", words.expiry, "cc-exp", "numeric", "half", words.wrong_expiry, typed.expiry.as_str(), 9),
        (CardField::Code, "cvc", words.code, "cc-csc", "numeric", "half", words.wrong_code, "", 4),
        (CardField::Name, "ccname", words.name, "cc-name", "text", "", words.wrong_name, typed.name.as_str(), 100),
    ];
    let mut focused = false;
    for (field, name, label, token, mode, width, sentence, value, length) in fields {
        let is_wrong = wrong.contains(&field);
        let state = if is_wrong { format!(r#" aria-invalid="true" aria-describedby="{name}-error""#) } else { String::new() };
        let focus = if is_wrong && !std::mem::replace(&mut focused, true) { " autofocus" } else { "" };
        let error = if is_wrong { format!(r#"<p class="error" id="{name}-error">{sentence}</p>"#) } else { String::new() };
        let _ = write!(
            form,
            r#"<div class="field {width}"><label for="{name}">{label}</label><input id="{name}" name="{name}" value="{}" autocomplete="{token}" inputmode="{mode}" maxlength="{length}" required{state}{focus}>{error}</div>"#,
            escape(value)
        );
    }
    let mut cards = String::new();
    for (title, group) in words.groups.iter().zip(CARDS) {
        let _ = write!(cards, "<h3>{title}</h3><dl>");
        for (number, behaviour) in group {
            let _ = write!(cards, "<dt>{number}</dt><dd>{}</dd>", words.does(*behaviour));
        }
        cards.push_str("</dl>");
    }
    let action = format!("/pay/{}", session.secret);
    document(
        session,
        words.title,
        &format!(
            r#"<h1>{title}</h1><form method="post" action="{action}" novalidate><h2>{card}</h2><div class="row">{form}</div><button class="button">{pay}</button></form><form method="post" action="{action}/cancel"><button class="button quiet">{cancel}</button></form><details class="cards" open><summary>{test_title}</summary><p>{test_text}</p>{cards}</details>"#,
            title = words.title,
            card = words.card,
            pay = words.pay,
            cancel = words.cancel,
            test_title = words.test_title,
            test_text = words.test_text,
        ),
    )
}

/// The 3-D Secure step.
pub fn challenge(session: &Session) -> String {
    let words = Words::of(&session.locale);
    let action = format!("/pay/{}/authenticate", session.secret);
    document(
        session,
        words.challenge_title,
        &format!(
            r#"<h1>{title}</h1><p class="lead">{text}</p><form method="post" action="{action}"><button class="button" name="outcome" value="confirm">{confirm}</button><button class="button quiet" name="outcome" value="refuse">{refuse}</button></form>"#,
            title = words.challenge_title,
            text = words.challenge_text,
            confirm = words.confirm,
            refuse = words.refuse,
        ),
    )
}

/// Nobody's page.
pub fn unknown() -> String {
    format!(
        "{}<main><div><h1>There is nothing to pay here</h1><p class=\"lead\">This address is not complete, or the payment is over. Go back to the shop.</p></div></main>",
        head("en", "Nothing to pay")
    )
}

fn document(session: &Session, title: &str, main: &str) -> String {
    let words = Words::of(&session.locale);
    let mut lines = String::new();
    for line in &session.lines {
        let pieces = if line.quantity > 1 { format!(" × {}", line.quantity) } else { String::new() };
        let _ = write!(lines, "<dt>{}{pieces}</dt><dd>{}</dd>", escape(&line.title), escape(&amount(line.amount, &session.locale)));
    }
    format!(
        r#"{head}<main><div>{main}</div><aside><dl class="sums"><dt>{order}</dt><dd>{number}</dd>{lines}<dt class="total">{amount_word}</dt><dd class="total">{total}</dd></dl></aside></main>"#,
        head = head(words.tag, title),
        order = words.order,
        number = escape(&session.number),
        amount_word = words.amount,
        total = escape(&amount(session.amount, &session.locale)),
    )
}

fn head(language: &str, title: &str) -> String {
    format!(
        r#"<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>{title} · Test Pay</title><link rel="stylesheet" href="/page.css"></head><body><header><span class="wordmark">Test Pay</span></header>"#
    )
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
