//! A document that stays text, with an index that answers pointers.
