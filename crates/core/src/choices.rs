//! What random games of the models decide by, for tests and fuzzing.

/// Decisions, made by random bytes; when they are used up, each is 0.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    /// A number below `count`, which must not be 0.
    pub(crate) fn pick(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % count
    }

    /// One of the options, of which there must be some.
    pub(crate) fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.pick(options.len())]
    }
}
