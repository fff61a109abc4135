//! What can be done about an order: a word in the form's address, who may do it, and how it is told.

use domain::staff::Right;

/// One kind of form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// Packs pieces that lie on a shelf, or packs and sends them at once.
    #[default]
    Pack,
    /// Sends what is packed.
    Send,
    Unpack,
    /// Corrects carriers and numbers.
    Parcels,
    Delivered,
    Cancel,
    Refund,
    /// Asks again for a refund that failed.
    Retry,
    /// A stuck refund was paid back some other way.
    Settle,
    /// Somebody has looked into a payment of another amount.
    Odd,
    /// Announces a return for the shopper.
    Return,
    Receive,
    Refuse,
    /// Ends an announced return that does not come.
    CallOff,
    Address,
    Note,
    /// Sends a mail once more.
    Mail,
}

impl Act {
    pub const ALL: [Self; 17] = [
        Self::Pack,
        Self::Send,
        Self::Unpack,
        Self::Parcels,
        Self::Delivered,
        Self::Cancel,
        Self::Refund,
        Self::Retry,
        Self::Settle,
        Self::Odd,
        Self::Return,
        Self::Receive,
        Self::Refuse,
        Self::CallOff,
        Self::Address,
        Self::Note,
        Self::Mail,
    ];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Send => "send",
            Self::Unpack => "unpack",
            Self::Parcels => "parcels",
            Self::Delivered => "delivered",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
            Self::Retry => "retry",
            Self::Settle => "settle",
            Self::Odd => "odd",
            Self::Return => "return",
            Self::Receive => "receive",
            Self::Refuse => "refuse",
            Self::CallOff => "call-off",
            Self::Address => "address",
            Self::Note => "note",
            Self::Mail => "mail",
        }
    }

    /// Reads the word in addresses.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    /// What somebody must be allowed.
    pub const fn right(self) -> Right {
        match self {
            Self::Pack | Self::Send | Self::Unpack | Self::Parcels | Self::Delivered | Self::Note => Right::Ship,
            Self::Cancel
            | Self::Refund
            | Self::Retry
            | Self::Settle
            | Self::Odd
            | Self::Return
            | Self::Receive
            | Self::Refuse
            | Self::CallOff
            | Self::Address
            | Self::Mail => Right::ServeCustomers,
        }
    }

    /// As the log of changes says it.
    pub const fn logged(self) -> &'static str {
        match self {
            Self::Pack => "order packed",
            Self::Send => "order shipped",
            Self::Unpack => "order unpacked",
            Self::Parcels => "tracking corrected",
            Self::Delivered => "order delivered",
            Self::Cancel => "order cancelled",
            Self::Refund => "order refunded",
            Self::Retry => "refund retried",
            Self::Settle => "refund settled outside",
            Self::Odd => "odd amount settled",
            Self::Return => "return announced",
            Self::Receive => "return received",
            Self::Refuse => "return refused",
            Self::CallOff => "return called off",
            Self::Address => "address corrected",
            Self::Note => "note added",
            Self::Mail => "mail sent again",
        }
    }

    /// What the page says when it is done.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Pack => "Done: the pieces left the shelf.",
            Self::Send => "The shipment has left.",
            Self::Unpack => "The pieces are back on the shelf.",
            Self::Parcels => "The tracking numbers are corrected.",
            Self::Delivered => "The shipment counts as delivered.",
            Self::Cancel => "Cancelled. The pieces are free again. What goes back for them stands under Refunds.",
            Self::Refund => "The refund is asked for.",
            Self::Retry => "The provider is asked again.",
            Self::Odd => "Noted: somebody has looked into the amount.",
            Self::Settle => "Noted: the money went back some other way.",
            Self::Return => "The return is announced.",
            Self::Receive => "The return is received.",
            Self::Refuse => "The return is refused.",
            Self::CallOff => "The return is called off: the pieces stay with the shopper.",
            Self::Address => "The delivery address is corrected.",
            Self::Note => "The note is added.",
            Self::Mail => "The mail goes out again in a moment.",
        }
    }
}
