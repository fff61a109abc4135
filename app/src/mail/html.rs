//! A letter as HTML that mail programs keep: one table in another, styles on the elements, nothing to be loaded, no script. Mail programs
//! know neither the shop's stylesheet nor its tokens, so colours and sizes stand here.

use super::letter::{Fact, Item, Letter};
use crate::document::{Escaped, SHOP_NAME};
use domain::locale::Locale;
use std::fmt::Write as _;

/// The tokens of `style/tokens.css` on paper.
const PAPER: &str = "#fbfaf8";
const FIELD: &str = "#f1eee8";
const INK: &str = "#1a1815";
const SOFT: &str = "#67625a";
const LINE: &str = "#dcd8d1";
const FONT: &str = "font-family:Helvetica,Arial,'Noto Sans','Hiragino Sans','Apple SD Gothic Neo','Malgun Gothic',sans-serif";

pub fn html(letter: &Letter, locale: Locale) -> String {
    let is_rtl = locale.language.is_rtl();
    let (direction, start, end) = if is_rtl { ("rtl", "right", "left") } else { ("ltr", "left", "right") };
    let side = Side { start, end };
    let mut out = String::with_capacity(8 * 1024);
    let _ = writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{}\" dir=\"{direction}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light\">\n\
         <meta name=\"format-detection\" content=\"telephone=no,date=no,address=no\">\n<title>{}</title>\n</head>\n\
         <body style=\"margin:0;padding:0;background:{FIELD}\">\n\
         <table role=\"presentation\" dir=\"{direction}\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"background:{FIELD}\">\n\
         <tr><td align=\"center\" style=\"padding:24px 8px\">\n\
         <table role=\"presentation\" dir=\"{direction}\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" \
         style=\"width:100%;max-width:600px;background:{PAPER};color:{INK};{FONT};font-size:16px;line-height:24px;text-align:{start}\">",
        locale.bcp47(),
        Escaped(&letter.subject),
    );
    let _ = writeln!(out, "<tr><td style=\"padding:32px 24px 0;font-size:18px;font-weight:bold\">{}</td></tr>", Escaped(SHOP_NAME));
    let _ = writeln!(
        out,
        "<tr><td style=\"padding:24px 24px 0\"><h1 style=\"margin:0;font-size:24px;line-height:30px\">{}</h1></td></tr>",
        Escaped(&letter.subject)
    );
    let _ = writeln!(out, "<tr><td style=\"padding:16px 24px 0\">{}</td></tr>", Escaped(&letter.greeting));
    for paragraph in &letter.paragraphs {
        let _ = writeln!(out, "<tr><td style=\"padding:12px 24px 0\">{}</td></tr>", Escaped(paragraph));
    }
    button(&letter.button, side, &mut out);
    for items in &letter.items {
        heading(&items.title, &mut out);
        let rows = items.lines.iter().map(|item| item_row(item, side)).collect::<String>();
        table(&rows, &mut out);
    }
    if !letter.sums.is_empty() {
        sums(&letter.sums, side, &mut out);
    }
    for fact in &letter.facts {
        facts(fact, &mut out);
    }
    let _ = write!(out, "<tr><td style=\"padding:32px 24px;font-size:13px;line-height:20px;color:{SOFT}\">");
    let _ = write!(out, "{}", Escaped(&letter.small));
    if let Some(entity) = &letter.entity {
        let _ = write!(out, "<br>{}", Escaped(entity));
    }
    out.push_str("</td></tr>\n</table>\n</td></tr>\n</table>\n</body>\n</html>");
    out
}

/// Where a line begins and ends: mail programs know no logical properties.
#[derive(Clone, Copy)]
struct Side {
    start: &'static str,
    end: &'static str,
}

/// A link that looks like a button, as a table cell: that is what every mail program draws. The address stands below it for those that
/// show no links.
fn button((words, address): &(String, String), side: Side, out: &mut String) {
    let _ = writeln!(
        out,
        "<tr><td style=\"padding:24px 24px 0\"><table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>\
         <td style=\"background:{INK}\"><a href=\"{0}\" style=\"display:inline-block;padding:12px 24px;color:{PAPER};text-decoration:none;font-weight:bold\">{1}</a></td>\
         </tr></table></td></tr>\n<tr><td align=\"{2}\" style=\"padding:8px 24px 0;font-size:13px;line-height:20px;word-break:break-all\">\
         <a href=\"{0}\" dir=\"ltr\" style=\"color:{SOFT}\">{0}</a></td></tr>",
        Escaped(address),
        Escaped(words),
        side.start,
    );
}

fn heading(title: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "<tr><td style=\"padding:32px 24px 8px\"><h2 style=\"margin:0;font-size:18px;line-height:24px\">{}</h2></td></tr>",
        Escaped(title)
    );
}

fn table(rows: &str, out: &mut String) {
    let _ = writeln!(
        out,
        "<tr><td style=\"padding:0 24px\"><table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" \
         style=\"border-top:1px solid {LINE}\">\n{rows}</table></td></tr>"
    );
}

fn item_row(item: &Item, Side { start, end }: Side) -> String {
    let amount = item.amount.as_deref().unwrap_or_default();
    format!(
        "<tr><td align=\"{start}\" valign=\"top\" style=\"padding:12px 0;border-bottom:1px solid {LINE}\"><bdi>{}</bdi><br>\
         <span style=\"font-size:14px;color:{SOFT}\"><bdi>{}</bdi></span></td>\
         <td align=\"{end}\" valign=\"top\" style=\"padding:12px 0;border-bottom:1px solid {LINE};white-space:nowrap\"><bdi>{}</bdi></td></tr>\n",
        Escaped(&item.title),
        Escaped(&item.details),
        Escaped(amount),
    )
}

fn sums(sums: &[(String, String)], Side { start, end }: Side, out: &mut String) {
    let mut rows = String::new();
    for (at, (label, amount)) in sums.iter().enumerate() {
        let style = if at + 1 == sums.len() { "padding:12px 0;font-weight:bold" } else { "padding:6px 0" };
        let _ = writeln!(
            rows,
            "<tr><td align=\"{start}\" style=\"{style}\">{}</td><td align=\"{end}\" style=\"{style};white-space:nowrap\"><bdi>{}</bdi></td></tr>",
            Escaped(label),
            Escaped(amount),
        );
    }
    let _ = writeln!(
        out,
        "<tr><td style=\"padding:12px 24px 0\"><table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n{rows}</table></td></tr>"
    );
}

fn facts(fact: &Fact, out: &mut String) {
    let _ = write!(out, "<tr><td style=\"padding:16px 24px 0\"><span style=\"font-size:14px;color:{SOFT}\">{}</span>", Escaped(&fact.label));
    for line in &fact.lines {
        let _ = write!(out, "<br><bdi>{}</bdi>", Escaped(line));
    }
    out.push_str("</td></tr>\n");
}
