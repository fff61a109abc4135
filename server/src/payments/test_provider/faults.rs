//! Faults that tests turn on over loopback: the things that real providers do on bad days.

use serde::Deserialize;

/// What goes wrong. A request to `/_faults` replaces all of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The API answers 503 to everything.
    pub down: bool,
    /// So many of the next API calls that change something get lost before anything is done.
    pub lose_requests: u32,
    /// So many of the next API calls that change something do it, and then lose their answer.
    pub lose_replies: u32,
    /// So many of the next API calls are answered 429, with `retry-after: 0`.
    pub too_many: u32,
    /// Each webhook is sent twice.
    pub duplicate_webhooks: bool,
    /// Webhooks wait so long before the first try.
    pub delay_webhooks_ms: u64,
    /// Webhooks wait until this is false again.
    pub hold_webhooks: bool,
    /// Webhooks wait for the next one and are sent after it; the last one when this is false again.
    pub reorder_webhooks: bool,
    /// So many of the next webhooks never arrive.
    pub drop_webhooks: u32,
    /// With every page that opens and every webhook come forged ones that say that all is paid.
    pub forge_webhooks: bool,
    /// Answers to API calls come so late, so that webhooks overtake them.
    pub delay_replies_ms: u64,
    /// Refunds are refused.
    pub refuse_refunds: bool,
}
