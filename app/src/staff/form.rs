//! Fields of staff's forms: a label above, a hint or what is wrong below, and what was typed kept.

use super::Desk;
use leptos::prelude::*;

/// One field of a form.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub name: &'static str,
    /// Where a page has several fields of one name.
    pub id: Option<&'static str>,
    pub label: &'static str,
    /// What was typed, or is proposed.
    pub value: String,
    pub hint: &'static str,
    /// What is wrong with it, in a sentence.
    pub error: Option<String>,
    pub required: bool,
    /// The `autocomplete` token; empty for `off`.
    pub autocomplete: &'static str,
    /// The longest text that is taken, in characters; 0 for no limit of its own.
    pub chars_max: u32,
}

impl Field {
    pub fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, ..Self::default() }
    }

    /// A line of text.
    pub fn text(self) -> AnyView {
        self.input("text", None)
    }

    /// A whole number, with the keys for it on a phone.
    pub fn number(self) -> AnyView {
        self.input("text", Some("numeric"))
    }

    /// A day.
    pub fn day(self) -> AnyView {
        self.input("date", None)
    }

    pub fn email(self) -> AnyView {
        self.input("email", None)
    }

    /// A password; it is never sent back.
    pub fn password(self) -> AnyView {
        Self { value: String::new(), ..self }.input("password", None)
    }

    fn input(self, kind: &'static str, mode: Option<&'static str>) -> AnyView {
        let (id, autocomplete) = (self.id(), self.autocomplete());
        let described = self.described();
        let invalid = self.error.is_some().then_some("true");
        let length = (self.chars_max > 0).then(|| self.chars_max.to_string());
        let value = (kind != "password").then(|| self.value.clone());
        let input = view! {
            <input
                id=id type=kind inputmode=mode name=self.name value=value autocomplete=autocomplete maxlength=length required=self.required
                aria-describedby=described aria-invalid=invalid
            />
        };
        self.around(input.into_any())
    }

    /// Several lines of text.
    pub fn area(self) -> AnyView {
        let (id, described) = (self.id(), self.described());
        let invalid = self.error.is_some().then_some("true");
        let length = (self.chars_max > 0).then(|| self.chars_max.to_string());
        let area = view! {
            <textarea id=id name=self.name rows="3" maxlength=length required=self.required aria-describedby=described aria-invalid=invalid>
                {self.value.clone()}
            </textarea>
        };
        self.around(area.into_any())
    }

    /// One of several: pairs of value and words.
    pub fn choice(self, choices: Vec<(String, String)>) -> AnyView {
        let (id, described) = (self.id(), self.described());
        let invalid = self.error.is_some().then_some("true");
        let options = choices.into_iter().map(|(value, words)| {
            let selected = value == self.value;
            view! { <option value=value selected=selected>{words}</option> }
        });
        let options = options.collect_view();
        let select = view! { <select id=id name=self.name required=self.required aria-describedby=described aria-invalid=invalid>{options}</select> };
        self.around(select.into_any())
    }

    fn around(self, control: AnyView) -> AnyView {
        let id = self.id();
        let class = if self.error.is_some() { "field wrong" } else { "field" };
        let hint = (!self.hint.is_empty()).then(|| view! { <p class="hint" id=format!("{id}-hint")>{self.hint}</p> });
        let error = self.error.map(|error| view! { <p class="error" id=format!("{id}-error")>{error}</p> });
        view! { <div class=class><label for=id>{self.label}</label>{control}{hint}{error}</div> }.into_any()
    }

    fn id(&self) -> String {
        format!("f-{}", self.id.unwrap_or(self.name))
    }

    fn described(&self) -> Option<String> {
        let id = self.id();
        let hint = (!self.hint.is_empty()).then(|| format!("{id}-hint"));
        let error = self.error.is_some().then(|| format!("{id}-error"));
        let both: Vec<String> = [hint, error].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    fn autocomplete(&self) -> &'static str {
        if self.autocomplete.is_empty() { "off" } else { self.autocomplete }
    }
}

/// What makes a form that is sent twice count once.
pub fn mutation(desk: &Desk) -> AnyView {
    view! { <input type="hidden" name="mutation" value=desk.mutation.clone()/> }.into_any()
}
