//! What needs somebody, first thing in the morning.

use super::{Desk, Route, Section, Sheet, orders::Count};
use crate::private::Notice;
use leptos::prelude::*;

/// Things of one kind that wait for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub count: u64,
    /// The count is the most that is counted: there may be more.
    pub or_more: bool,
    pub title: &'static str,
    /// What to do about it, in a sentence.
    pub help: &'static str,
    pub to: Route,
}

/// The first page. Tasks with nothing to do are left out.
pub fn page(desk: &Desk, tasks: Vec<Task>, notice: Option<Notice>) -> Sheet {
    let tasks: Vec<Task> = tasks.into_iter().filter(|task| task.count > 0).collect();
    let body = if tasks.is_empty() {
        view! { <p class="empty">"Nothing needs you right now."</p> }.into_any()
    } else {
        let rows = tasks.into_iter().map(|task| {
            let count = Count { n: task.count, or_more: task.or_more }.words();
            view! { <li><a href=task.to.url()><b>{count}</b><span>{task.title}<small>{task.help}</small></span></a></li> }
        });
        view! { <ul class="tasks">{rows.collect_view()}</ul> }.into_any()
    };
    Sheet::framed(desk, Section::Home, Section::Home.name(), notice, ().into_any(), body)
}
