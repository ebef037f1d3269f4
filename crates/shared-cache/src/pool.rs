//! Items by number, with numbers that are used again.

/// The end of a list of numbers; no item has it.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Debug)]
enum Place<T> {
    Used(T),
    /// And the next free one.
    Free(u32),
}

/// Items by number.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    places: Vec<Place<T>>,
    free: u32,
    length: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: NONE, length: 0 }
    }
}

impl<T> Pool<T> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Numbers are below this.
    pub(crate) fn extent(&self) -> usize {
        self.places.len()
    }

    /// The extent once so many items more are in.
    pub(crate) fn extent_with(&self, more: usize) -> usize {
        self.places.len().max(self.length + more)
    }

    /// What a pool of an extent takes in memory.
    pub(crate) fn bytes(extent: usize) -> usize {
        crate::size::vector(extent, size_of::<Place<T>>())
    }

    pub(crate) fn insert(&mut self, item: T) -> u32 {
        self.length += 1;
        let number = self.free;
        if number == NONE {
            self.places.push(Place::Used(item));
            return (self.places.len() - 1) as u32;
        }
        if let Place::Free(next) = std::mem::replace(&mut self.places[number as usize], Place::Used(item)) {
            self.free = next;
        }
        number
    }

    /// Takes out the item at `number`, which must be there.
    pub(crate) fn remove(&mut self, number: u32) -> T {
        match std::mem::replace(&mut self.places[number as usize], Place::Free(self.free)) {
            Place::Used(item) => {
                self.free = number;
                self.length -= 1;
                item
            }
            Place::Free(_) => unreachable!("only what is in the pool is removed"),
        }
    }
}

impl<T> std::ops::Index<u32> for Pool<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        match &self.places[number as usize] {
            Place::Used(item) => item,
            Place::Free(_) => unreachable!("only what is in the pool is looked at"),
        }
    }
}

impl<T> std::ops::IndexMut<u32> for Pool<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        match &mut self.places[number as usize] {
            Place::Used(item) => item,
            Place::Free(_) => unreachable!("only what is in the pool is looked at"),
        }
    }
}
