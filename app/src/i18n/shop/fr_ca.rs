//! Canadian French, where it differs.

use super::{Shop, fr::FR};

pub const FR_CA: Shop = Shop { tax_included: "taxes comprises", tax_excluded: "taxes en sus", ..FR };
