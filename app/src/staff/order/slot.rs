//! Fields of an order's forms. A page has many forms with fields of the same names: each form is a slot of its own, and only the one that was
//! refused keeps what was typed and says what is wrong.

use super::{Act, OrderData};
use crate::staff::{Action, Desk};
use leptos::prelude::*;

/// A form that was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    pub act: Act,
    /// What it is about: a shipment, a refund, a return, a location; or nothing.
    pub of: String,
    /// Everything that was typed.
    pub fields: Vec<(String, String)>,
    /// Why, in a sentence.
    pub why: String,
}

/// Where on the page a form stands.
pub fn place(act: Act, of: &str) -> String {
    format!("form-{}-{of}", act.word())
}

/// One form.
pub struct Slot<'a> {
    act: Act,
    of: String,
    number: &'a str,
    refused: Option<&'a Refused>,
}

impl<'a> Slot<'a> {
    pub fn new(act: Act, of: impl Into<String>, data: &'a OrderData) -> Self {
        let of = of.into();
        let refused = data.refused.as_ref().filter(|refused| refused.act == act && refused.of == of);
        Self { act, of, number: &data.number, refused }
    }

    /// What was typed, or what is proposed.
    fn value(&self, name: &str, proposed: &str) -> String {
        let typed = self.refused.and_then(|refused| refused.fields.iter().find(|(key, _)| key == name));
        match (self.refused, typed) {
            (_, Some((_, value))) => value.clone(),
            (_, None) => proposed.to_owned(),
        }
    }

    fn id(&self, name: &str) -> String {
        format!("f-{}-{}-{name}", self.act.word(), self.of)
    }

    /// A line of text; `kind` is `text` or, with the keys for figures on a phone, `numeric`.
    pub fn line(&self, name: &str, label: &str, proposed: &str, hint: &str, kind: &'static str) -> AnyView {
        let (id, value) = (self.id(name), self.value(name, proposed));
        let mode = (kind != "text").then_some(kind);
        let described = (!hint.is_empty()).then(|| format!("{id}-hint"));
        let hint = described.clone().map(|id| view! { <p class="hint" id=id>{hint.to_owned()}</p> });
        view! {
            <div class="field">
                <label for=id.clone()>{label.to_owned()}</label>
                <input id=id type="text" inputmode=mode name=name.to_owned() value=value autocomplete="off" maxlength="200" aria-describedby=described/>
                {hint}
            </div>
        }
        .into_any()
    }

    /// Several lines of text.
    pub fn area(&self, name: &str, label: &str, proposed: &str, hint: &str, chars_max: usize) -> AnyView {
        let (id, value) = (self.id(name), self.value(name, proposed));
        let described = (!hint.is_empty()).then(|| format!("{id}-hint"));
        let hint = described.clone().map(|id| view! { <p class="hint" id=id>{hint.to_owned()}</p> });
        view! {
            <div class="field">
                <label for=id.clone()>{label.to_owned()}</label>
                <textarea id=id name=name.to_owned() rows="2" maxlength=chars_max.to_string() aria-describedby=described>{value}</textarea>
                {hint}
            </div>
        }
        .into_any()
    }

    /// One of several: pairs of value and words.
    pub fn choice(&self, name: &str, label: &str, proposed: &str, choices: Vec<(String, String)>) -> AnyView {
        let (id, chosen) = (self.id(name), self.value(name, proposed));
        let options = choices.into_iter().map(|(value, words)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{words}</option> }
        });
        let options = options.collect_view();
        view! {
            <div class="field"><label for=id.clone()>{label.to_owned()}</label><select id=id name=name.to_owned()>{options}</select></div>
        }
        .into_any()
    }

    /// Asks once more, for what cannot be undone.
    pub fn sure(&self, words: &str) -> AnyView {
        let id = self.id("sure");
        view! {
            <div class="check"><input id=id.clone() type="checkbox" name="sure" value="yes" required/><label for=id>{words.to_owned()}</label></div>
        }
        .into_any()
    }

    /// The form itself, folded until it is needed or was refused. Buttons: value of the field `step`, words.
    pub fn show(&self, desk: &Desk, title: &str, fields: AnyView, buttons: &[(&'static str, &'static str)]) -> AnyView {
        let action = Action::Order { number: self.number.to_owned(), act: self.act }.url();
        let open = self.refused.is_some();
        let why = self.refused.map(|refused| view! { <p class="notice bad">{refused.why.clone()}</p> });
        // A refused form is the same wish: it keeps its key.
        let id = self.value("id", &desk.mutation);
        let buttons = buttons.iter().enumerate().map(|(place, (step, words))| {
            let class = if place == 0 { "button" } else { "button quiet" };
            view! { <button class=class name="step" value=*step>{*words}</button> }
        });
        let buttons = buttons.collect_view();
        view! {
            <details class="act" open=open id=place(self.act, &self.of)>
                <summary>{title.to_owned()}</summary>
                <form method="post" action=action>
                    {why}
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="of" value=self.of.clone()/>
                    {fields}
                    <div class="buttons">{buttons}</div>
                </form>
            </details>
        }
        .into_any()
    }
}
