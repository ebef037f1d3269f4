//! A span of time in slices, of which the oldest is forgotten when a new one begins.

/// A ring of slices, each with a `T` for what happened in it.
///
/// Slice `n` is the time from `n * width` on. The span holds the current slice and the `count - 1` before it, so that it
/// covers between `count - 1` and `count` times the width.
#[derive(Clone, Debug)]
pub(super) struct Slices<T> {
    width: f64,
    ring: Vec<T>,
    /// The number of the current slice, its place in the ring, and when the next one begins: kept, because divisions take
    /// longer than all else that a call costs.
    current: f64,
    place: usize,
    next: f64,
}

impl<T: Default> Slices<T> {
    /// Nothing has happened in any of `count` slices of a span.
    pub(super) fn new(span: f64, count: usize) -> Self {
        let ring = std::iter::repeat_with(T::default).take(count.max(1)).collect();
        let width = span / count.max(1) as f64;
        Self { width, ring, current: 0.0, place: 0, next: width }
    }

    /// Begins the slice of `now`, if it is a later one.
    pub(super) fn advance(&mut self, now: f64) {
        if now < self.next {
            return;
        }
        let number = (now / self.width).floor();
        let begun = number - self.current;
        for step in 0..(begun as usize).min(self.ring.len()) {
            let index = self.index(number - step as f64);
            self.ring[index] = T::default();
        }
        self.current = number;
        self.place = self.index(number);
        self.next = (number + 1.0) * self.width;
    }

    /// The slice of `now`.
    pub(super) fn at(&mut self, now: f64) -> &mut T {
        self.advance(now);
        &mut self.ring[self.place]
    }

    /// All slices of the span, and how long ago each began.
    pub(super) fn iter(&self, now: f64) -> impl Iterator<Item = (f64, &T)> {
        (0..self.ring.len()).map(move |back| {
            let number = self.current - back as f64;
            (now - number * self.width, &self.ring[self.index(number)])
        })
    }

    /// The slice of what was `ago` before `now`, unless it is forgotten.
    pub(super) fn past(&mut self, now: f64, ago: f64) -> Option<&mut T> {
        self.advance(now);
        let number = ((now - ago) / self.width).floor();
        let forgotten = self.current - number >= self.ring.len() as f64;
        (!forgotten && number <= self.current).then(|| {
            let index = self.index(number);
            &mut self.ring[index]
        })
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.ring.fill_with(T::default);
    }

    fn index(&self, number: f64) -> usize {
        // A rest of a division is exact, and below the length.
        number.rem_euclid(self.ring.len() as f64) as usize
    }
}
