//! The whole document around a page: head, masthead, footer, and the few lines that wake the islands.

use crate::{
    components::{footer, masthead},
    i18n::shop,
    pages::{Head, Kind},
    ports::View,
    routes::is_pseudo,
};
use domain::live::Hole;
use leptos::{prelude::*, reactive::owner::Owner};
use serde::Deserialize;
use std::fmt::Write as _;

/// Addresses of the built assets, each with a hash in its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Assets {
    pub css: String,
    /// What operator pages need beside it.
    pub staff_css: String,
    /// An ES module that wakes the islands when it is imported; empty where the browser part was not built.
    pub script: String,
    pub wasm: String,
    pub font: String,
}

/// The whole document. Render it with the hydration context of an islands server; its text begins with the doctype.
pub fn document(head: Head, body: impl FnOnce() -> AnyView, view: &View, assets: &Assets) -> AnyView {
    if let Some(context) = Owner::current_shared_context() {
        // Only what stands inside islands is hydrated.
        context.set_is_hydrating(false);
    }
    let language = view.locale.bcp47();
    let direction = if view.locale.language.is_rtl() { "rtl" } else { "ltr" };
    let meta = head_html(&head, view, assets);
    let masthead = masthead::masthead(&head, view);
    let footer = footer::footer(&head, view);
    let body = body();
    view! {
        <!DOCTYPE html>
        <html lang=language dir=direction>
            <head inner_html=meta></head>
            <body>
                <a class="skip" href="#main">{shop(view.locale).skip_to_content}</a>
                {masthead}
                {body}
                {footer}
            </body>
        </html>
    }
    .into_any()
}

/// The head is text, so it is written as text.
fn head_html(head: &Head, view: &View, assets: &Assets) -> String {
    let mut out = String::with_capacity(4096);
    let origin = &*view.origin;
    out.push_str("<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    let title = if head.title.contains(SHOP_NAME) { head.title.clone() } else { format!("{} | {SHOP_NAME}", head.title) };
    let _ = write!(out, "<title>{}</title>", Escaped(&title));
    let mut meta = |attribute: &str, name: &str, content: &str| {
        if !content.is_empty() {
            let _ = write!(out, "<meta {attribute}=\"{name}\" content=\"{}\">", Escaped(content));
        }
    };
    meta("name", "description", &head.description);
    if head.noindex || is_pseudo(view.locale) {
        meta("name", "robots", "noindex");
    }
    meta("name", "color-scheme", "light dark");
    meta("property", "og:site_name", SHOP_NAME);
    meta("property", "og:type", if head.kind == Kind::Product { "product" } else { "website" });
    meta("property", "og:title", &head.title);
    meta("property", "og:description", &head.description);
    meta("property", "og:locale", &view.locale.bcp47().replace('-', "_"));
    let (picture, width, height, alt) = head.picture.clone().unwrap_or_else(|| ("/og.jpg".to_owned(), 1200, 630, String::new()));
    meta("property", "og:image", &absolute(origin, &picture));
    meta("property", "og:image:width", &width.to_string());
    meta("property", "og:image:height", &height.to_string());
    meta("property", "og:image:alt", &alt);
    meta("name", "twitter:card", "summary_large_image");
    if !head.canonical.is_empty() {
        meta("property", "og:url", &absolute(origin, &head.canonical));
    }
    // The tokens' paper, light and dark.
    for (scheme, paper) in [("light", "#fbfaf8"), ("dark", "#141311")] {
        let _ = write!(out, "<meta name=\"theme-color\" content=\"{paper}\" media=\"(prefers-color-scheme:{scheme})\">");
    }
    let mut link = |rel: &str, rest: &str, href: &str| {
        let _ = write!(out, "<link rel=\"{rel}\"{rest} href=\"{}\">", Escaped(href));
    };
    if !assets.font.is_empty() {
        link("preload", " as=\"font\" type=\"font/woff2\" crossorigin", &assets.font);
    }
    if !assets.css.is_empty() {
        link("stylesheet", "", &assets.css);
    }
    link("icon", " type=\"image/svg+xml\"", "/favicon.svg");
    link("icon", " sizes=\"32x32\"", "/favicon.ico");
    link("apple-touch-icon", "", "/apple-touch-icon.png");
    link("manifest", "", "/manifest.webmanifest");
    if !head.canonical.is_empty() {
        link("canonical", "", &absolute(origin, &head.canonical));
    }
    if !head.canonical.is_empty() && !head.noindex && !is_pseudo(view.locale) {
        for (locale, path) in &head.languages {
            link("alternate", &format!(" hreflang=\"{}\"", locale.bcp47()), &absolute(origin, path));
        }
        if let Some((_, path)) = head.languages.iter().find(|(locale, _)| *locale == domain::locale::Locale::DEFAULT) {
            link("alternate", " hreflang=\"x-default\"", &absolute(origin, path));
        }
    }
    if let Some(path) = &head.turn.0 {
        link("prev", "", path);
    }
    if let Some(path) = &head.turn.1 {
        link("next", "", path);
    }
    let nonce = Hole::Nonce.mark();
    let _ = write!(out, "<style nonce=\"{nonce}\">leptos-island,leptos-children{{display:contents}}{}</style>", head.style);
    for json in &head.json_ld {
        let _ = write!(out, "<script type=\"application/ld+json\" nonce=\"{nonce}\">{json}</script>");
    }
    if !assets.script.is_empty() {
        // Nothing is fetched where the visitor saves data: every page works without.
        let _ = write!(
            out,
            "<script type=\"module\" nonce=\"{nonce}\">(navigator.connection&&navigator.connection.saveData)||import(\"{}\")</script>",
            Escaped(&assets.script)
        );
    }
    out
}

/// The shop's name, as titles and machines show it.
pub const SHOP_NAME: &str = "NextGen Commerce";

fn absolute(origin: &str, path: &str) -> String {
    if path.starts_with('/') { format!("{origin}{path}") } else { path.to_owned() }
}

/// A text, escaped for HTML as it is written.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::with_capacity(self.0.len() + 16);
        crate::holes::escape(self.0, &mut out);
        f.write_str(&out)
    }
}
