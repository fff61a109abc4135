//! A product's body: HTML from outside made harmless, and its closing list of facts taken as details.

use ammonia::Builder;
use std::collections::HashSet;

/// Paragraphs and lists only, without attributes; what a shop's editor adds around them goes.
const TAGS: [&str; 8] = ["p", "ul", "ol", "li", "br", "strong", "em", "h3"];

/// A body as the shop keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub html: String,
    /// Lines of the list at its end, as plain text.
    pub details: Vec<String>,
}

/// Cleans a body.
pub(super) fn read(html: &str) -> Body {
    let clean = Builder::new()
        .tags(HashSet::from(TAGS))
        .tag_attributes(std::collections::HashMap::new())
        .generic_attributes(HashSet::new())
        .link_rel(None)
        .clean(html)
        .to_string();
    let clean = clean.trim();
    let (text, details) = split_list(clean).unwrap_or((clean, vec![]));
    let text = text.trim();
    let html = if text.is_empty() || text.starts_with('<') {
        text.to_owned()
    } else {
        text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).flat_map(|part| ["<p>", part, "</p>"]).collect()
    };
    Body { html, details }
}

/// Takes a plain list off the end.
fn split_list(html: &str) -> Option<(&str, Vec<String>)> {
    let without = html.strip_suffix("</ul>")?;
    let at = without.rfind("<ul>")?;
    let (before, list) = (&without[..at], &without[at + 4..]);
    if before.matches("<ul>").count() != before.matches("</ul>").count() || list.contains("<ol>") {
        return None;
    }
    let lines: Vec<String> =
        list.split("<li>").skip(1).map(|line| plain(line.split("</li>").next().unwrap_or_default())).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then_some((before, lines))
}

/// Clean HTML as plain text.
pub(crate) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, tail)| tail);
    }
    text.push_str(rest);
    let text = text.replace("&nbsp;", "\u{a0}").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The beginning of a body as a summary: its first sentences, at most 200 characters.
pub(super) fn summary(html: &str) -> String {
    let text = plain(html.split("</p>").next().unwrap_or_default());
    if text.chars().count() <= SUMMARY_CHARS_MAX {
        return text;
    }
    let cut: String = text.chars().take(SUMMARY_CHARS_MAX).collect();
    let sentences = cut.rfind(SENTENCE_ENDS).map_or("", |at| &cut[..cut.ceil_char_boundary(at + 1)]);
    if sentences.chars().count() > SUMMARY_CHARS_MAX / 4 {
        return sentences.to_owned();
    }
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words))
}

const SENTENCE_ENDS: [char; 6] = ['.', '!', '?', '。', '！', '？'];

const SUMMARY_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_harm_is_gone_and_the_closing_list_becomes_details() {
        let body = read(
            "<p onclick=\"x()\">Good <a href=\"javascript:alert(1)\">canvas</a></p><script>alert(1)</script><img src=x onerror=y><ul><li>Size: 2 &amp; 3</li><li>Care: <b>dry</b></li></ul>",
        );
        assert_eq!(body.html, "<p>Good canvas</p>");
        assert_eq!(body.details, ["Size: 2 & 3", "Care: dry"]);
    }

    #[test]
    fn plain_text_becomes_paragraphs() {
        assert_eq!(read("One\n\nTwo").html, "<p>One</p><p>Two</p>");
        assert_eq!(read("").html, "");
        assert_eq!(read("<ul><li>a</li></ul><p>b</p>").html, "<ul><li>a</li></ul><p>b</p>");
    }

    #[test]
    fn a_summary_is_short() {
        assert_eq!(summary("<p>One sentence.</p><p>Two.</p>"), "One sentence.");
        assert!(summary(&format!("<p>{}</p>", "word ".repeat(100))).ends_with('…'));
        assert!(summary(&format!("<p>{}</p>", "長い文です。".repeat(60))).ends_with('。'));
    }
}
