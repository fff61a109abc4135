//! The document around an operator page: the shop's style and the staff's own, no script, and nothing for search engines.

use super::Sheet;
use crate::{document::Assets, holes::escape};
use leptos::{prelude::*, reactive::owner::Owner};

/// The whole document. Render it as the shop's: with the hydration context of an islands server.
pub fn document(sheet: Sheet, assets: &Assets) -> AnyView {
    if let Some(context) = Owner::current_shared_context() {
        context.set_is_hydrating(false);
    }
    let head = head_html(&sheet.title, assets);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head inner_html=head></head>
            <body>
                <a class="skip" href="#main">"Skip to content"</a>
                {sheet.body}
            </body>
        </html>
    }
    .into_any()
}

fn head_html(title: &str, assets: &Assets) -> String {
    let mut out = String::with_capacity(1024);
    out.push_str("<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    escape(title, &mut out);
    out.push_str(" | NextGen operations</title><meta name=\"robots\" content=\"noindex\"><meta name=\"color-scheme\" content=\"light dark\">");
    if !assets.font.is_empty() {
        out.push_str("<link rel=\"preload\" as=\"font\" type=\"font/woff2\" crossorigin href=\"");
        escape(&assets.font, &mut out);
        out.push_str("\">");
    }
    for sheet in [&assets.css, &assets.staff_css] {
        if !sheet.is_empty() {
            out.push_str("<link rel=\"stylesheet\" href=\"");
            escape(sheet, &mut out);
            out.push_str("\">");
        }
    }
    out.push_str("<link rel=\"icon\" type=\"image/svg+xml\" href=\"/favicon.svg\"><link rel=\"icon\" sizes=\"32x32\" href=\"/favicon.ico\">");
    out
}
