//! Faults that tests turn on over loopback: the things that real providers do on bad days.

use serde::Deserialize;

/// What goes wrong. A request to `/_faults` replaces all of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The API answers 503 to everything.
    pub down: bool,
    /// So many of the next API calls that change something do it, and then lose their answer.
    pub lose_replies: u32,
    /// Each webhook is sent twice.
    pub duplicate_webhooks: bool,
    /// Webhooks wait so long before the first try.
    pub delay_webhooks_ms: u64,
    /// Webhooks wait until this is false again.
    pub hold_webhooks: bool,
    /// Answers to API calls come so late, so that webhooks overtake them.
    pub delay_replies_ms: u64,
    /// Refunds are refused.
    pub refuse_refunds: bool,
}
