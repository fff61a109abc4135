//! ASCII alone. Everything else maps to U+FFFD, which UTS 46 refuses.

/// One property is all that characters here can have: none.
#[derive(Clone, Copy, Debug)]
pub struct Mask(bool);

impl Mask {
    pub const fn intersects(self, other: Self) -> bool {
        self.0 && other.0
    }
}

pub type JoiningTypeMask = Mask;
pub type BidiClassMask = Mask;

pub const LEFT_OR_DUAL_JOINING_MASK: Mask = Mask(false);
pub const RIGHT_OR_DUAL_JOINING_MASK: Mask = Mask(false);
pub const RTL_MASK: Mask = Mask(false);
pub const FIRST_BC_MASK: Mask = Mask(true);
pub const LAST_LTR_MASK: Mask = Mask(true);
pub const LAST_RTL_MASK: Mask = Mask(false);
pub const MIDDLE_LTR_MASK: Mask = Mask(true);
pub const MIDDLE_RTL_MASK: Mask = Mask(false);

/// How ASCII joins its neighbours: not at all.
#[derive(Clone, Copy, Debug)]
pub struct JoiningType;

impl JoiningType {
    pub const fn to_mask(self) -> Mask {
        Mask(false)
    }

    pub const fn is_transparent(self) -> bool {
        false
    }
}

/// Which way ASCII runs: from left to right.
#[derive(Clone, Copy, Debug)]
pub struct BidiClass;

impl BidiClass {
    pub const fn to_mask(self) -> Mask {
        Mask(true)
    }

    pub const fn is_ltr(self) -> bool {
        true
    }

    pub const fn is_nonspacing_mark(self) -> bool {
        false
    }

    pub const fn is_european_number(self) -> bool {
        false
    }

    pub const fn is_arabic_number(self) -> bool {
        false
    }
}

/// Answers for ASCII.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adapter;

impl Adapter {
    pub const fn new() -> Self {
        Self
    }

    pub const fn is_virama(&self, _: char) -> bool {
        false
    }

    pub const fn is_mark(&self, _: char) -> bool {
        false
    }

    pub const fn bidi_class(&self, _: char) -> BidiClass {
        BidiClass
    }

    pub const fn joining_type(&self, _: char) -> JoiningType {
        JoiningType
    }

    pub fn map_normalize<'a, I: Iterator<Item = char> + 'a>(&'a self, name: I) -> impl Iterator<Item = char> + 'a {
        name.map(|letter| if letter.is_ascii() { letter.to_ascii_lowercase() } else { char::REPLACEMENT_CHARACTER })
    }

    pub fn normalize_validate<'a, I: Iterator<Item = char> + 'a>(&'a self, name: I) -> impl Iterator<Item = char> + 'a {
        name.map(|letter| if letter.is_ascii() { letter } else { char::REPLACEMENT_CHARACTER })
    }
}
