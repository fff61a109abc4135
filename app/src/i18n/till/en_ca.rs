//! Canadian English, where it differs.

use super::{Till, en_us::EN_US};

pub const EN_CA: Till =
    Till { line2: "Apartment, suite or unit", city: "City or town", why_estimated: "This is the general rate of the place. An estimate.", ..EN_US };
