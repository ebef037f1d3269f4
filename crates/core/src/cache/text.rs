//! The text of a key, as compact as it comes.

/// Units of text that fit into a node without an allocation of their own.
const INLINE: usize = 22;

/// UTF-16 text, lone surrogates included, stored as Latin-1 where every unit allows it.
#[derive(Clone, Debug)]
pub enum Text {
    /// Latin-1, short enough to live in the node.
    Inline {
        /// Units in use.
        length: u8,
        /// The units, zero-padded.
        units: [u8; INLINE],
    },
    /// Latin-1, longer.
    Latin(Box<[u8]>),
    /// At least one unit above U+00FF.
    Wide(Box<[u16]>),
    /// The key is not text: whoever owns the cache knows it by its slot.
    Foreign,
}

impl Text {
    /// Stores `units`.
    #[must_use]
    pub fn new(units: &[u16]) -> Self {
        // One pass without a branch per unit, which the compiler vectorizes.
        if units.iter().fold(0, |seen, unit| seen | unit) > 0xff {
            return Self::Wide(units.into());
        }
        if units.len() > INLINE {
            return Self::Latin(units.iter().map(|unit| *unit as u8).collect());
        }
        let mut inline = [0; INLINE];
        for (to, from) in inline.iter_mut().zip(units) {
            *to = *from as u8;
        }
        Self::Inline { length: units.len() as u8, units: inline }
    }

    /// Whether this is exactly the text `units`.
    #[must_use]
    pub fn equals(&self, units: &[u16]) -> bool {
        match self {
            Self::Inline { length, units: own } => latin_equals(&own[..usize::from(*length)], units),
            Self::Latin(own) => latin_equals(own, units),
            Self::Wide(own) => **own == *units,
            Self::Foreign => false,
        }
    }

    /// The text as it is stored.
    #[must_use]
    pub fn units(&self) -> Units<'_> {
        match self {
            Self::Inline { length, units } => Units::Latin(&units[..usize::from(*length)]),
            Self::Latin(own) => Units::Latin(own),
            Self::Wide(own) => Units::Wide(own),
            Self::Foreign => Units::None,
        }
    }

    /// The text as UTF-16, and `None` where the key is not text.
    #[must_use]
    pub fn to_units(&self) -> Option<Vec<u16>> {
        match self.units() {
            Units::Latin(own) => Some(own.iter().map(|unit| u16::from(*unit)).collect()),
            Units::Wide(own) => Some(own.to_vec()),
            Units::None => None,
        }
    }
}

/// The units of a key's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units<'a> {
    /// Latin-1.
    Latin(&'a [u8]),
    /// UTF-16.
    Wide(&'a [u16]),
    /// The key is not text.
    None,
}

fn latin_equals(own: &[u8], units: &[u16]) -> bool {
    own.len() == units.len() && own.iter().zip(units).fold(0, |diff, (a, b)| diff | (u16::from(*a) ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_three_words() {
        assert_eq!(size_of::<Text>(), 24);
    }

    #[test]
    fn a_lone_surrogate_survives() {
        let units = [0xd800, 0x61];
        assert_eq!(Text::new(&units).to_units().as_deref(), Some(&units[..]));
    }

    proptest! {
        #[test]
        fn round_trips(units in prop_oneof![
            proptest::collection::vec(0_u16..=0xff, 0..60),
            proptest::collection::vec(any::<u16>(), 0..60),
        ]) {
            let text = Text::new(&units);
            prop_assert!(text.equals(&units));
            prop_assert_eq!(text.to_units(), Some(units));
        }

        #[test]
        fn equals_only_itself(a in proptest::collection::vec(0x61_u16..0x64, 0..30), b in proptest::collection::vec(0x61_u16..0x164, 0..30)) {
            prop_assert_eq!(Text::new(&a).equals(&b), a == b);
        }
    }
}
