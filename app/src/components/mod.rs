//! Inert pieces of pages: HTML from data, which never ships to the browser as code.

pub mod buy;
pub mod card;
pub mod choice;
pub mod crumbs;
pub mod filters;
pub mod footer;
pub mod gallery;
pub mod masthead;
pub mod picture;
pub mod turning;

/// A document's JSON for machines, safe inside a script element: no `<` is left that could end it.
pub fn json_ld(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c")
}
