//! Unicode's tables, from ICU4X. Names are `idna`'s; masks have a bit for each value of a property.

use icu_normalizer::uts46::Uts46MapperBorrowed;
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed,
    props::{BidiClass as Direction, GeneralCategory, JoiningType as Joining},
};

/// Values of one property.
#[derive(Clone, Copy, Debug)]
pub struct Mask(u32);

pub type JoiningTypeMask = Mask;
pub type BidiClassMask = Mask;

impl Mask {
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A function that joins values of a property.
macro_rules! mask_of {
    ($name:ident, $property:ty) => {
        #[expect(deprecated, reason = "nothing else gives a number in a constant")]
        const fn $name(values: &[$property]) -> Mask {
            let (mut mask, mut at) = (0, 0);
            while at < values.len() {
                mask |= 1 << values[at].to_icu4c_value();
                at += 1;
            }
            Mask(mask)
        }
    };
}
mask_of!(joining, Joining);
mask_of!(directions, Direction);

/// RFC 5892, appendix A.1: what may stand before and after a zero-width non-joiner.
pub const LEFT_OR_DUAL_JOINING_MASK: Mask = joining(&[Joining::LeftJoining, Joining::DualJoining]);
pub const RIGHT_OR_DUAL_JOINING_MASK: Mask = joining(&[Joining::RightJoining, Joining::DualJoining]);

/// RFC 5893, section 1.4: one of these makes a name one that runs both ways.
pub const RTL_MASK: Mask = directions(&[Direction::RightToLeft, Direction::ArabicLetter, Direction::ArabicNumber]);
/// RFC 5893, section 2: rule 1.
pub const FIRST_BC_MASK: Mask = directions(&[Direction::LeftToRight, Direction::RightToLeft, Direction::ArabicLetter]);
/// Rule 6, without marks.
pub const LAST_LTR_MASK: Mask = directions(&[Direction::LeftToRight, Direction::EuropeanNumber]);
/// Rule 3, without marks.
pub const LAST_RTL_MASK: Mask = directions(&[Direction::RightToLeft, Direction::ArabicLetter, Direction::EuropeanNumber, Direction::ArabicNumber]);
/// Rule 5.
pub const MIDDLE_LTR_MASK: Mask = directions(&[
    Direction::LeftToRight,
    Direction::EuropeanNumber,
    Direction::EuropeanSeparator,
    Direction::CommonSeparator,
    Direction::EuropeanTerminator,
    Direction::OtherNeutral,
    Direction::BoundaryNeutral,
    Direction::NonspacingMark,
]);
/// Rule 2.
pub const MIDDLE_RTL_MASK: Mask = directions(&[
    Direction::RightToLeft,
    Direction::ArabicLetter,
    Direction::ArabicNumber,
    Direction::EuropeanNumber,
    Direction::EuropeanSeparator,
    Direction::CommonSeparator,
    Direction::EuropeanTerminator,
    Direction::OtherNeutral,
    Direction::BoundaryNeutral,
    Direction::NonspacingMark,
]);

/// How a letter joins its neighbours.
#[derive(Clone, Copy, Debug)]
pub struct JoiningType(Joining);

impl JoiningType {
    #[inline]
    pub const fn to_mask(self) -> Mask {
        joining(&[self.0])
    }

    #[inline]
    pub fn is_transparent(self) -> bool {
        self.0 == Joining::Transparent
    }
}

/// Which way a letter runs.
#[derive(Clone, Copy, Debug)]
pub struct BidiClass(Direction);

impl BidiClass {
    #[inline]
    pub const fn to_mask(self) -> Mask {
        directions(&[self.0])
    }

    #[inline]
    pub fn is_ltr(self) -> bool {
        self.0 == Direction::LeftToRight
    }

    #[inline]
    pub fn is_nonspacing_mark(self) -> bool {
        self.0 == Direction::NonspacingMark
    }

    #[inline]
    pub fn is_european_number(self) -> bool {
        self.0 == Direction::EuropeanNumber
    }

    #[inline]
    pub fn is_arabic_number(self) -> bool {
        self.0 == Direction::ArabicNumber
    }
}

/// The tables that are compiled in.
#[derive(Debug)]
pub struct Adapter {
    mapper: Uts46MapperBorrowed<'static>,
    categories: CodePointMapDataBorrowed<'static, GeneralCategory>,
    directions: CodePointMapDataBorrowed<'static, Direction>,
    joinings: CodePointMapDataBorrowed<'static, Joining>,
}

#[cfg(feature = "compiled_data")]
impl Default for Adapter {
    fn default() -> Self {
        Self::new()
    }
}

impl Adapter {
    #[cfg(feature = "compiled_data")]
    pub const fn new() -> Self {
        Self {
            mapper: Uts46MapperBorrowed::new(),
            categories: CodePointMapData::<GeneralCategory>::new(),
            directions: CodePointMapData::<Direction>::new(),
            joinings: CodePointMapData::<Joining>::new(),
        }
    }

    #[inline]
    pub fn is_virama(&self, letter: char) -> bool {
        self.mapper.is_virama(letter)
    }

    #[inline]
    pub fn is_mark(&self, letter: char) -> bool {
        matches!(self.categories.get(letter), GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark | GeneralCategory::EnclosingMark)
    }

    #[inline]
    pub fn bidi_class(&self, letter: char) -> BidiClass {
        BidiClass(self.directions.get(letter))
    }

    #[inline]
    pub fn joining_type(&self, letter: char) -> JoiningType {
        JoiningType(self.joinings.get(letter))
    }

    /// Maps and normalises a name as it was typed (UTS 46, section 4); what is not allowed becomes U+FFFD.
    #[inline]
    pub fn map_normalize<'a, I: Iterator<Item = char> + 'a>(&'a self, name: I) -> impl Iterator<Item = char> + 'a {
        self.mapper.map_normalize(name)
    }

    /// The same for what was decoded, which must be mapped already.
    #[inline]
    pub fn normalize_validate<'a, I: Iterator<Item = char> + 'a>(&'a self, name: I) -> impl Iterator<Item = char> + 'a {
        self.mapper.normalize_validate(name)
    }
}
