//! An invoice as a page of its own, to be read or printed: no frame, no script, nothing that is not on the paper but the ways on. Names, addresses
//! and figures stand for themselves (`bdi`), so that they read as they are written on a page from right to left.

use super::{Entry, Paper, Table};
use crate::{
    document::{Assets, Escaped},
    i18n::invoice as words,
};
use std::fmt::Write as _;

/// The whole document. `pdf` and `back` are addresses; they are not printed.
pub fn document(paper: &Paper, assets: &Assets, pdf: &str, back: &str) -> String {
    let messages = words(paper.locale);
    let direction = if paper.locale.language.is_rtl() { "rtl" } else { "ltr" };
    let mut out = String::with_capacity(8_192);
    let heading = format!("{} {}", paper.title, paper.number);
    let _ = write!(
        out,
        "<!DOCTYPE html><html lang=\"{}\" dir=\"{direction}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>{}</title><meta name=\"robots\" content=\"noindex\">\
         <meta name=\"color-scheme\" content=\"light dark\">",
        paper.locale.bcp47(),
        Escaped(&heading)
    );
    if !assets.css.is_empty() {
        let _ = write!(out, "<link rel=\"stylesheet\" href=\"{}\">", Escaped(&assets.css));
    }
    out.push_str("<link rel=\"icon\" type=\"image/svg+xml\" href=\"/favicon.svg\"></head><body><main id=\"main\" class=\"invoice\">");
    let ways = [(back, messages.back), (pdf, messages.pdf)];
    out.push_str("<nav>");
    for (to, text) in ways {
        let _ = write!(out, "<a href=\"{}\">{}</a> ", Escaped(to), Escaped(text));
    }
    let _ = write!(out, "</nav><header><h1>{}</h1>", Escaped(&paper.title));
    party(&mut out, "seller", &paper.seller.0, &paper.seller.1);
    out.push_str("</header><div>");
    if !paper.buyer.1.is_empty() {
        party(&mut out, "buyer", &paper.buyer.0, &paper.buyer.1);
    }
    out.push_str("<dl class=\"facts\">");
    for (name, value) in &paper.facts {
        let _ = write!(out, "<dt>{}</dt><dd><bdi>{}</bdi></dd>", Escaped(name), Escaped(value));
    }
    out.push_str("</dl></div>");
    table(&mut out, None, &paper.goods);
    out.push_str("<dl class=\"sums\">");
    for (at, (name, amount)) in paper.sums.iter().enumerate() {
        let class = if at + 1 == paper.sums.len() { " class=\"total\"" } else { "" };
        let _ = write!(out, "<dt{class}>{}</dt><dd{class}><bdi>{}</bdi></dd>", Escaped(name), Escaped(amount));
    }
    out.push_str("</dl>");
    if !paper.taxes.rows.is_empty() {
        table(&mut out, Some(&paper.tax_title), &paper.taxes);
    }
    for note in &paper.notes {
        let _ = write!(out, "<p class=\"why\"><bdi>{}</bdi></p>", Escaped(note));
    }
    out.push_str("</main></body></html>");
    out
}

fn party(out: &mut String, class: &str, name: &str, lines: &[String]) {
    let _ = write!(out, "<section class=\"{class}\"><h2><bdi>{}</bdi></h2><address>", Escaped(name));
    for (at, line) in lines.iter().enumerate() {
        let _ = write!(out, "{}<bdi>{}</bdi>", if at > 0 { "<br>" } else { "" }, Escaped(line));
    }
    out.push_str("</address></section>");
}

fn table(out: &mut String, caption: Option<&str>, table: &Table) {
    out.push_str("<table>");
    if let Some(caption) = caption {
        let _ = write!(out, "<caption>{}</caption>", Escaped(caption));
    }
    out.push_str("<thead><tr>");
    for head in &table.heads {
        let _ = write!(out, "<th scope=\"col\">{}</th>", Escaped(head));
    }
    out.push_str("</tr></thead><tbody>");
    for Entry { name, more, figures } in &table.rows {
        let _ = write!(out, "<tr><th scope=\"row\">{}", Escaped(name));
        if !more.is_empty() {
            let _ = write!(out, "<small>{}</small>", Escaped(more));
        }
        out.push_str("</th>");
        for (figure, head) in figures.iter().zip(table.heads.iter().skip(1)) {
            let _ = write!(out, "<td data-label=\"{}\">", Escaped(head));
            // An empty cell is not shown on a phone, and so must be empty.
            if !figure.is_empty() {
                let _ = write!(out, "<bdi>{}</bdi>", Escaped(figure));
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}
