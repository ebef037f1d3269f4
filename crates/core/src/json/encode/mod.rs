//! Encodes groups of values into streams that generated JavaScript decodes.
//!
//! Rows are told one after the other, without names: a row's shape has them, and JavaScript generates a function of
//! each shape that builds rows as literals. [`Group`] holds the streams that these functions read.
//!
//! `ints` is the number of words in `raw`, and then runs until all rows are told: `[id, length, rows...]`. A row is
//! told as its shape's signature says:
//!
//! | signature                  | value                                     | told as                                         |
//! | -------------------------- | ----------------------------------------- | ----------------------------------------------- |
//! | `"n"`                      | null                                      | nothing                                         |
//! | `"i"`                      | integer of 32 bits but for negative zero  | one of `ints`                                   |
//! | `"f"`                      | number                                    | one of `doubles`                                |
//! | `"b"`                      | boolean                                   | 1 or 0 in `ints`                                |
//! | `"s"`                      | string or null                            | as `"a"`                                        |
//! | `"a"`                      | any value                                 | a tag in `ints` and what that says              |
//! | `{"o":[[k,s],...]}`        | object of these members in this order     | its values                                      |
//! | `{"m":[[k,s,0 or 1],...]}` | the same, but those with 1 may be missing | masks in `ints`, then the values that are there |
//! | `{"l":s}`                  | array                                     | how many elements in `ints`, then the elements  |
//! | `{"t":[s,...]}`            | array of so many elements                 | the elements                                    |
//! | `"r"`                      | array                                     | how many elements in `ints`, then runs of these |
//!
//! A mask tells of 30 members whether they are there, the first one by its lowest bit.
//!
//! Tags: 0 to 12 is the length of a string that comes next in `text`; -1 the next value of `raw`; -2 null; -3 true;
//! -4 false; -5 an integer that comes next in `ints`; -6 the next one of `doubles`; -7 an object, told as a shape id
//! in `ints` and a row of that shape; -8 an array as `"r"` tells it; -16 - n the value at n of `raw`, which is a word.
//! Shape 0 is `"a"` in every job.

mod family;
mod key;
mod learn;
mod number;
mod reader;
mod schema;
mod streams;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use streams::Group;

use super::Container;
use learn::learn;
use reader::Reader;
use schema::Schema;
use streams::Streams;
use write::{Run, Stop, Writer};

/// Most `ints` of a group: JavaScript's buffer for them is no larger.
pub const MAX_INTS: usize = 1 << 18;

/// Most `doubles` of a group.
pub const MAX_DOUBLES: usize = 1 << 17;

/// How often a row is learned before it is left as text: kinds that widened may need another look.
const LESSONS: usize = 3;

/// How to encode.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Bytes of rows of one shape that are left as text before code for the shape pays; doubles each time its kinds
    /// change.
    pub warm_up: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { warm_up: 8192 }
    }
}

/// How a group travels.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// As streams.
    Compiled(Group),
    /// As its text: streams would not pay.
    Raw,
}

/// Encodes the groups of one job, and knows the shapes seen so far.
#[derive(Debug)]
pub struct Encoder {
    schema: Schema,
    /// Shapes that `new_shapes` told.
    told: usize,
}

impl Encoder {
    /// An encoder that has seen nothing.
    pub fn new(options: &Options) -> Self {
        Self { schema: Schema::new(options.warm_up), told: 0 }
    }

    /// Encodes `count` children of a container, told as `Sink::group` tells them.
    ///
    /// Of an object, the member names are the first `count` values of `raw`. Text that is not JSON is `Raw`, or
    /// streams of whatever was made of it.
    pub fn encode(&mut self, within: Container, text: &[u8], count: u32) -> Form {
        // A shorter text fits the streams whatever it holds, but for the headers of runs.
        if text.len() > MAX_DOUBLES * 2 {
            return Form::Raw;
        }
        let names = if within == Container::Object { count } else { 0 };
        let mut out = Streams::with_capacity(text.len(), names);
        let pays = self.rows(within, text, count, &mut out).is_ok()
            && out.loose * 2 <= text.len()
            && out.ints.len() <= MAX_INTS
            && out.doubles.len() <= MAX_DOUBLES;
        if pays { Form::Compiled(out.into_group()) } else { Form::Raw }
    }

    /// Ids and signatures of the shapes made since the last call, which groups encoded since may have.
    pub fn new_shapes(&mut self) -> Vec<(u32, String)> {
        let first = std::mem::replace(&mut self.told, self.schema.signatures.len());
        let new = self.schema.signatures.iter().enumerate().skip(first);
        new.map(|(id, signature)| (id as u32, signature.clone())).collect()
    }

    fn rows(&mut self, within: Container, text: &[u8], count: u32, out: &mut Streams) -> Result<(), Stop> {
        let mut reader = Reader::new(text);
        let mut run = Run::default();
        for row in 0..count {
            if row > 0 {
                reader.expect(b',')?;
            }
            if within == Container::Object {
                reader.peek();
                let name = reader.string()?;
                out.names.push(b',');
                out.names.extend_from_slice(name);
                reader.expect(b':')?;
            }
            self.row(&mut reader, &mut run, out)?;
            if out.loose > text.len() / 2 {
                return Err(Stop::Mismatch);
            }
        }
        if reader.peek() == 0 && reader.at == text.len() { Ok(()) } else { Err(Stop::Malformed) }
    }

    /// Writes one row, and learns it where that is needed.
    fn row(&mut self, reader: &mut Reader<'_>, run: &mut Run, out: &mut Streams) -> Result<(), Stop> {
        let (start, mark) = (*reader, out.mark());
        for lesson in 0..=LESSONS {
            let mut writer = Writer { schema: &mut self.schema, reader: start, out: &mut *out };
            let result = writer.row(run, 0);
            reader.at = writer.reader.at;
            if result != Err(Stop::Mismatch) {
                return result;
            }
            out.undo(mark);
            if lesson < LESSONS {
                learn(&mut self.schema, start)?;
            }
        }
        let mut writer = Writer { schema: &mut self.schema, reader: start, out };
        writer.raw_row(run)?;
        reader.at = writer.reader.at;
        Ok(())
    }
}
