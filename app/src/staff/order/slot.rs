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
    /// Why, in a sentence or more.
    pub why: String,
    /// What is wrong with which fields, by name; without a name where it is about several.
    pub wrong: Vec<(String, String)>,
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

    /// What is wrong with a field.
    fn wrong(&self, name: &str) -> Option<String> {
        self.refused.and_then(|refused| refused.wrong.iter().find(|(field, _)| field == name)).map(|(_, why)| why.clone())
    }

    /// A field with its label, its hint and what is wrong with it. `control` is given what describes it, and whether it is wrong.
    fn around(&self, name: &str, label: &str, hint: &str, control: impl FnOnce(Option<String>, Option<&'static str>) -> AnyView) -> AnyView {
        let id = self.id(name);
        let wrong = self.wrong(name);
        let hint_id = (!hint.is_empty()).then(|| format!("{id}-hint"));
        let wrong_id = wrong.is_some().then(|| format!("{id}-error"));
        let described: Vec<String> = hint_id.iter().chain(&wrong_id).cloned().collect();
        let control = control((!described.is_empty()).then(|| described.join(" ")), wrong.is_some().then_some("true"));
        let class = if wrong.is_some() { "field wrong" } else { "field" };
        let hint = hint_id.map(|id| view! { <p class="hint" id=id>{hint.to_owned()}</p> });
        let wrong = wrong.zip(wrong_id).map(|(why, id)| view! { <p class="error" id=id>{why}</p> });
        view! { <div class=class><label for=id>{label.to_owned()}</label>{control}{hint}{wrong}</div> }.into_any()
    }

    /// A line of text; `kind` is `text` or, with the keys for figures on a phone, `numeric`.
    pub fn line(&self, name: &str, label: &str, proposed: &str, hint: &str, kind: &'static str) -> AnyView {
        let (id, value) = (self.id(name), self.value(name, proposed));
        let mode = (kind != "text").then_some(kind);
        self.around(name, label, hint, |described, invalid| {
            view! {
                <input
                    id=id type="text" inputmode=mode name=name.to_owned() value=value autocomplete="off" maxlength="200"
                    aria-describedby=described aria-invalid=invalid
                />
            }
            .into_any()
        })
    }

    /// Several lines of text.
    pub fn area(&self, name: &str, label: &str, proposed: &str, hint: &str, chars_max: usize) -> AnyView {
        let (id, value) = (self.id(name), self.value(name, proposed));
        self.around(name, label, hint, |described, invalid| {
            let length = chars_max.to_string();
            view! {
                <textarea id=id name=name.to_owned() rows="2" maxlength=length aria-describedby=described aria-invalid=invalid>{value}</textarea>
            }
            .into_any()
        })
    }

    /// One of several: pairs of value and words.
    pub fn choice(&self, name: &str, label: &str, proposed: &str, choices: Vec<(String, String)>) -> AnyView {
        let (id, chosen) = (self.id(name), self.value(name, proposed));
        let options = choices.into_iter().map(|(value, words)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{words}</option> }
        });
        let options = options.collect_view();
        self.around(name, label, "", |described, invalid| {
            view! { <select id=id name=name.to_owned() aria-describedby=described aria-invalid=invalid>{options}</select> }.into_any()
        })
    }

    /// Asks once more, for what cannot be undone.
    pub fn sure(&self, words: &str) -> AnyView {
        let id = self.id("sure");
        let wrong = self.wrong("sure");
        let (invalid, described) = (wrong.is_some().then_some("true"), wrong.is_some().then(|| format!("{id}-error")));
        let wrong = wrong.map(|why| view! { <p class="error" id=format!("{id}-error")>{why}</p> });
        let checked = self.refused.is_some_and(|refused| refused.fields.iter().any(|(name, value)| name == "sure" && value == "yes"));
        view! {
            <div class="check">
                <input
                    id=id.clone() type="checkbox" name="sure" value="yes" required checked=checked aria-describedby=described aria-invalid=invalid
                />
                <label for=id>{words.to_owned()}</label>
            </div>
            {wrong}
        }
        .into_any()
    }

    /// The form itself, folded until it is needed or was refused. Buttons: value of the field `step`, words.
    pub fn show(&self, desk: &Desk, title: &str, fields: AnyView, buttons: &[(&'static str, &'static str)]) -> AnyView {
        let action = Action::Order { number: self.number.to_owned(), act: self.act }.url();
        let open = self.refused.is_some();
        // What is wrong with a field stands by it.
        let why = self.refused.and_then(|refused| if refused.wrong.is_empty() { Some(refused.why.clone()) } else { self.wrong("") });
        let why = why.map(|why| view! { <p class="notice bad">{why}</p> });
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
