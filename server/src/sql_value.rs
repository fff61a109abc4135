//! Values that are bound to statements: numbers, text, bytes, and ids as text.

/// A value to bind. Every column of the schema is one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    NullInt,
    NullText,
    NullBytes,
}

/// Binds arguments: `params![order.to_string(), 3_i64]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}

macro_rules! from {
    ($($type:ty => |$v:ident| $some:expr, $null:ident);* $(;)?) => {$(
        impl From<$type> for Value { fn from($v: $type) -> Self { $some } }
        impl From<Option<$type>> for Value { fn from(value: Option<$type>) -> Self { value.map_or(Self::$null, Self::from) } }
    )*};
}
from! {
    i64 => |v| Self::Int(v), NullInt;
    i32 => |v| Self::Int(v.into()), NullInt;
    u32 => |v| Self::Int(v.into()), NullInt;
    bool => |v| Self::Int(v.into()), NullInt;
    String => |v| Self::Text(v), NullText;
    &str => |v| Self::Text(v.to_owned()), NullText;
    &String => |v| Self::Text(v.clone()), NullText;
    Vec<u8> => |v| Self::Bytes(v), NullBytes;
}
macro_rules! from_id {
    ($($type:ty),*) => {$(
        impl From<$type> for Value { fn from(v: $type) -> Self { Self::Text(v.to_string()) } }
        impl From<Option<$type>> for Value { fn from(v: Option<$type>) -> Self { v.map_or(Self::NullText, Self::from) } }
    )*};
}
from_id!(
    domain::ProductId,
    domain::VariantId,
    domain::OrderId,
    domain::PaymentId,
    domain::RefundId,
    domain::ReturnId,
    domain::FulfilmentId,
    domain::CancellationId,
    domain::HoldId,
    domain::CartId,
    domain::CouponId,
    domain::PromotionId,
    domain::MutationId,
    domain::EventId,
    domain::StaffId,
    domain::SubscriptionId
);
