//! What Stripe's published API description says of the calls that the shop makes: parameters with their types, limits and choices, and the
//! fields of the answers. Facts only, in words of our own, for the version that the shop pins.
//!
//! Source: Stripe's OpenAPI description, release v2349, API version 2026-07-29.dahlia (github.com/stripe/openapi, as published with
//! stripe-node 22.5.0), and docs.stripe.com: /api/idempotent_requests, /metadata (limits), /currencies (minor units),
//! /api/checkout/sessions/create (`expires_at` is 30 minutes to 24 hours away, at most 100 line items).

/// The version.
pub const VERSION: &str = "2026-07-29.dahlia";

/// A parameter of a form or a query; `[]` stands for any index, `[*]` for any key of metadata.
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether it must be there, or, within brackets, be there where what contains it is.
    pub required: bool,
}

/// What a parameter may be.
#[derive(Clone, Copy)]
pub enum Kind {
    /// At most so many characters.
    Text(usize),
    Url,
    Email,
    /// A whole number, at least this.
    Int(i64),
    /// Seconds since 1970.
    Seconds,
    Flag,
    /// A three-letter code in small letters.
    Currency,
    OneOf(&'static [&'static str]),
}

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: false }
}
const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: true }
}

/// Characters of a text without a limit of its own.
const TEXT: Kind = Kind::Text(5_000);
/// Metadata: at most 50 keys of 40 characters, values of 500.
pub const METADATA_KEYS_MAX: usize = 50;
pub const METADATA_KEY_MAX: usize = 40;
const METADATA_VALUE: Kind = Kind::Text(500);
pub const LINE_ITEMS_MAX: usize = 100;
/// Seconds from a session's creation to its end.
pub const EXPIRES_S: std::ops::RangeInclusive<i64> = 30 * 60..=24 * 3_600;
pub const KEY_MAX: usize = 255;

const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt",
    "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];

/// `POST /v1/checkout/sessions`.
pub const SESSION_CREATE: &[Parameter] = &[
    parameter("adaptive_pricing[enabled]", Kind::Flag),
    parameter("cancel_url", Kind::Url),
    parameter("client_reference_id", Kind::Text(200)),
    parameter("currency", Kind::Currency),
    parameter("customer_email", Kind::Email),
    parameter("expand[]", TEXT),
    parameter("expires_at", Kind::Seconds),
    required("line_items[][quantity]", Kind::Int(1)),
    required("line_items[][price_data][currency]", Kind::Currency),
    required("line_items[][price_data][unit_amount]", Kind::Int(0)),
    required("line_items[][price_data][product_data][name]", TEXT),
    parameter("line_items[][price_data][product_data][description]", Kind::Text(40_000)),
    parameter("locale", Kind::OneOf(LOCALES)),
    parameter("metadata[*]", METADATA_VALUE),
    required("mode", Kind::OneOf(&["payment", "setup", "subscription"])),
    parameter("payment_intent_data[description]", Kind::Text(1_000)),
    parameter("payment_intent_data[metadata][*]", METADATA_VALUE),
    parameter("payment_intent_data[receipt_email]", Kind::Email),
    parameter("payment_intent_data[statement_descriptor]", Kind::Text(22)),
    parameter("submit_type", Kind::OneOf(&["auto", "book", "donate", "pay", "subscribe"])),
    required("success_url", Kind::Url),
    parameter("ui_mode", Kind::OneOf(&["elements", "embedded_page", "form", "hosted_page"])),
];

/// `GET /v1/checkout/sessions/{session}`, `POST …/expire`, `GET /v1/payment_intents/{intent}`.
pub const RETRIEVE: &[Parameter] = &[parameter("expand[]", TEXT)];

/// `GET /v1/checkout/sessions`.
pub const SESSION_LIST: &[Parameter] = &[
    parameter("created[gte]", Kind::Seconds),
    parameter("created[lte]", Kind::Seconds),
    parameter("ending_before", TEXT),
    parameter("expand[]", TEXT),
    parameter("limit", Kind::Int(1)),
    parameter("payment_intent", TEXT),
    parameter("starting_after", TEXT),
    parameter("status", Kind::OneOf(&["complete", "expired", "open"])),
];

/// `POST /v1/refunds`.
pub const REFUND_CREATE: &[Parameter] = &[
    parameter("amount", Kind::Int(1)),
    parameter("charge", TEXT),
    parameter("expand[]", TEXT),
    parameter("instructions_email", Kind::Email),
    parameter("metadata[*]", METADATA_VALUE),
    parameter("payment_intent", TEXT),
    parameter("reason", Kind::OneOf(&["duplicate", "fraudulent", "requested_by_customer"])),
];

/// `GET /v1/refunds`.
pub const REFUND_LIST: &[Parameter] = &[
    parameter("charge", TEXT),
    parameter("created[gte]", Kind::Seconds),
    parameter("ending_before", TEXT),
    parameter("expand[]", TEXT),
    parameter("limit", Kind::Int(1)),
    parameter("payment_intent", TEXT),
    parameter("starting_after", TEXT),
];

/// `GET /v1/disputes`.
pub const DISPUTE_LIST: &[Parameter] = &[
    parameter("charge", TEXT),
    parameter("created[gte]", Kind::Seconds),
    parameter("ending_before", TEXT),
    parameter("expand[]", TEXT),
    parameter("limit", Kind::Int(1)),
    parameter("payment_intent", TEXT),
    parameter("starting_after", TEXT),
];

/// Fields that every `checkout.session` has; null where there is nothing.
pub const SESSION: &[&str] = &[
    "id",
    "object",
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "amount_subtotal",
    "amount_total",
    "automatic_tax",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "created",
    "currency",
    "currency_conversion",
    "custom_fields",
    "custom_text",
    "customer",
    "customer_account",
    "customer_creation",
    "customer_details",
    "customer_email",
    "discounts",
    "expires_at",
    "integration_identifier",
    "invoice",
    "invoice_creation",
    "livemode",
    "locale",
    "managed_payments",
    "metadata",
    "mode",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_collection",
    "payment_method_configuration_details",
    "payment_method_options",
    "payment_method_types",
    "payment_status",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "shipping_options",
    "status",
    "submit_type",
    "subscription",
    "success_url",
    "total_details",
    "ui_mode",
    "url",
    "wallet_options",
];

/// Fields that every `payment_intent` has.
pub const INTENT: &[&str] = &[
    "id",
    "object",
    "amount",
    "amount_capturable",
    "amount_received",
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "customer",
    "customer_account",
    "description",
    "excluded_payment_method_types",
    "last_payment_error",
    "latest_charge",
    "livemode",
    "managed_payments",
    "metadata",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "payment_method_options",
    "payment_method_types",
    "processing",
    "receipt_email",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "status",
    "transfer_group",
];

/// Fields that every `refund` has.
pub const REFUND: &[&str] = &[
    "id",
    "object",
    "amount",
    "balance_transaction",
    "charge",
    "created",
    "currency",
    "customer",
    "customer_account",
    "metadata",
    "payment_intent",
    "payment_method",
    "reason",
    "receipt_number",
    "source_transfer_reversal",
    "status",
    "transfer_reversal",
];

/// Fields that every `dispute` has.
pub const DISPUTE: &[&str] = &[
    "id",
    "object",
    "amount",
    "balance_transactions",
    "charge",
    "created",
    "currency",
    "enhanced_eligibility_types",
    "evidence",
    "evidence_details",
    "is_charge_refundable",
    "livemode",
    "metadata",
    "payment_intent",
    "reason",
    "status",
];

/// What a dispute's `status` may be.
pub const DISPUTE_STATUSES: &[&str] =
    &["warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review", "won", "lost", "prevented"];

/// Those in which the bank took the money, if only until it decides; an inquiry (`warning_…`) leaves it where it is.
pub const DISPUTE_CLAIMS: &[&str] = &["needs_response", "under_review", "lost"];

/// Those after which nothing comes: `charge.dispute.closed`.
pub const DISPUTE_ENDS: &[&str] = &["warning_closed", "won", "lost", "prevented"];

/// What a form or query does wrong: the parameter, Stripe's code for it, a sentence.
pub struct Wrong {
    pub param: String,
    pub code: &'static str,
    pub message: String,
}

/// Checks names, types, limits and choices as Stripe does.
pub fn check(known: &[Parameter], given: &[(String, String)]) -> Result<(), Wrong> {
    let shapes: Vec<String> = given.iter().map(|(name, _)| shape(name)).collect();
    for ((name, value), shape) in given.iter().zip(&shapes) {
        let wrong = |code, message: String| Err(Wrong { param: name.clone(), code, message });
        let Some(parameter) = known.iter().find(|parameter| parameter.name == shape) else {
            return wrong("parameter_unknown", format!("Received unknown parameter: {name}"));
        };
        if value.is_empty() {
            return wrong("parameter_invalid_empty", format!("You passed an empty string for '{name}'."));
        }
        if !fits(parameter.kind, value) {
            return wrong("parameter_invalid", format!("Invalid {name}: {value}"));
        }
    }
    for parameter in known.iter().filter(|parameter| parameter.required) {
        let container = parameter.name.split("[]").next().unwrap_or_default();
        let whole = !parameter.name.contains("[]");
        let indices: std::collections::BTreeSet<&str> =
            given.iter().filter_map(|(name, _)| name.strip_prefix(container)?.strip_prefix('[')?.split_once(']').map(|(index, _)| index)).collect();
        let times = shapes.iter().filter(|shape| *shape == parameter.name).count();
        if whole && times != 1 || !whole && (times != indices.len() || times == 0) {
            let message = format!("Missing required param: {}.", parameter.name);
            return Err(Wrong { param: parameter.name.to_owned(), code: "parameter_missing", message });
        }
    }
    for whose in ["metadata", "payment_intent_data[metadata]"] {
        let keys: Vec<&str> = given.iter().filter_map(|(name, _)| name.strip_prefix(whose)?.strip_prefix('[')?.strip_suffix(']')).collect();
        if keys.len() > METADATA_KEYS_MAX || keys.iter().any(|key| key.len() > METADATA_KEY_MAX || key.contains(['[', ']'])) {
            return Err(Wrong { param: whose.to_owned(), code: "parameter_invalid", message: "Too many or too long keys".to_owned() });
        }
    }
    Ok(())
}

/// A name with its indices and keys of metadata left open.
fn shape(name: &str) -> String {
    let mut parts = name.split('[');
    let mut shape = parts.next().unwrap_or_default().to_owned();
    let mut in_metadata = shape == "metadata";
    for part in parts {
        let key = part.trim_end_matches(']');
        let open = if in_metadata {
            "[*]".to_owned()
        } else if key.bytes().all(|byte| byte.is_ascii_digit()) {
            "[]".to_owned()
        } else {
            format!("[{key}]")
        };
        in_metadata = key == "metadata";
        shape.push_str(&open);
    }
    shape
}

fn fits(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Text(most) => value.chars().count() <= most,
        Kind::Url => url::Url::parse(value).is_ok_and(|url| ["http", "https"].contains(&url.scheme())) && value.len() <= 5_000,
        Kind::Email => value.contains('@') && value.is_ascii() && value.len() <= 800,
        Kind::Int(least) => value.parse::<i64>().is_ok_and(|number| number >= least && number <= 99_999_999_999),
        Kind::Seconds => value.parse::<i64>().is_ok_and(|seconds| (0..10_000_000_000).contains(&seconds)),
        Kind::Flag => ["true", "false"].contains(&value),
        Kind::Currency => value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_lowercase()),
        Kind::OneOf(choices) => choices.contains(&value),
    }
}
