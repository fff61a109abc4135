//! Who works in the shop: roles, and what each of them may do. Who somebody is, and whether a session is theirs, is the server's business.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// What somebody works as. One person may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, changes nothing.
    Viewer,
    /// Serves customers: cancels, refunds, takes returns, mends addresses.
    Support,
    /// Moves pieces: counts, receives, packs, ships.
    Warehouse,
    /// Says what is taken off and what is taxed: promotions, coupons, tax rates.
    Merchant,
    /// Everything, and reads who did what.
    Admin,
}

/// Something that not everybody on the staff may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// See orders and stock.
    Look,
    /// Change what becomes of an order and its money.
    ServeCustomers,
    /// Ship orders.
    Ship,
    /// Book receipts, counts and damage.
    MoveStock,
    /// Change promotions, coupons and tax rates.
    SetTerms,
    /// Read who changed what.
    ReadAudit,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Support, Self::Warehouse, Self::Merchant, Self::Admin];

    /// The word on the command line and in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Warehouse => "warehouse",
            Self::Merchant => "merchant",
            Self::Admin => "admin",
        }
    }

    /// Whether this role alone suffices.
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Look => true,
            Right::ServeCustomers => matches!(self, Self::Support | Self::Admin),
            // Support ships what a warehouse forgot; a warehouse never touches money.
            Right::Ship => matches!(self, Self::Support | Self::Warehouse | Self::Admin),
            Right::MoveStock => matches!(self, Self::Warehouse | Self::Admin),
            Right::SetTerms => matches!(self, Self::Merchant | Self::Admin),
            Right::ReadAudit => matches!(self, Self::Admin),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Not one of the roles there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer, support, warehouse, merchant or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or(UnknownRole)
    }
}

/// A person's roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether one of them suffices.
    pub fn may(&self, right: Right) -> bool {
        self.0.iter().any(|role| role.may(right))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the table's list. Words of a later release are left out: they allow nothing here.
    pub fn from_words(words: &str) -> Self {
        words.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

/// As the table has it: words separated by spaces.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|role| role.word()).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_its_work_needs() {
        for (role, rights) in [
            ("viewer", &[Right::Look][..]),
            ("support", &[Right::Look, Right::ServeCustomers, Right::Ship]),
            ("warehouse", &[Right::Look, Right::Ship, Right::MoveStock]),
            ("merchant", &[Right::Look, Right::SetTerms]),
            ("admin", &[Right::Look, Right::ServeCustomers, Right::Ship, Right::MoveStock, Right::SetTerms, Right::ReadAudit]),
            ("", &[]),
        ] {
            let roles = Roles::from_words(role);
            for right in [Right::Look, Right::ServeCustomers, Right::Ship, Right::MoveStock, Right::SetTerms, Right::ReadAudit] {
                assert_eq!(roles.may(right), rights.contains(&right), "{role} {right:?}");
            }
        }
    }

    #[test]
    fn roles_read_back_and_later_ones_allow_nothing() {
        let both: Roles = [Role::Warehouse, Role::Support].into_iter().collect();
        assert_eq!(both.to_string(), "support warehouse");
        assert_eq!(Roles::from_words("warehouse  support support"), both);
        assert!(Roles::from_words("publisher").is_empty());
        assert_eq!("root".parse::<Role>(), Err(UnknownRole));
    }
}
