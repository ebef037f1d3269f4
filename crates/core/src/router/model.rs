//! The plainest router there is, for tests and fuzzing: a list of shapes, each tried segment by segment, and the
//! precedence of any two told by where they first differ. It makes its patterns itself, so that it shares no
//! parser with what it checks, and it knows a few regexes only, by what they match.

use crate::choices::Choices;

use super::walk::{Found, walk};
use super::{NAMED_REST, Options, REST, Router, STATIC, WILDCARD, validate::validate};

/// A regex with the lengths that it matches at the start of a text, in units, the preferred first.
type Regex = (&'static str, fn(&[char]) -> Vec<usize>);

const REGEXES: [Regex; 5] = [
    (r"\d+", |text| (1..=run(text, char::is_ascii_digit)).rev().collect()),
    (r"[a-c]+?", |text| (1..=run(text, |c| ('a'..='c').contains(c))).collect()),
    (r"^(?:a|(ab)|1)$", |text| {
        ["a", "ab", "1"]
            .iter()
            .filter(|word| text.iter().collect::<String>().starts_with(**word))
            .map(|word| word.len())
            .collect()
    }),
    (r"[^b]{2}", |text| if text.len() > 1 && run(&text[..2], |c| *c != 'b') == 2 { vec![2] } else { vec![] }),
    (r"[\wé😀]+", |text| (1..=run(text, |c| c.is_ascii_alphanumeric() || "_é😀".contains(*c))).rev().collect()),
];

/// How many characters from the start on are as wanted.
fn run(text: &[char], wanted: impl Fn(&char) -> bool) -> usize {
    text.iter().take_while(|c| wanted(c)).count()
}

/// A segment of a pattern.
#[derive(Clone)]
enum Segment {
    /// Text, then parameters, each with its regex and the text after it.
    Pieces(String, Vec<(Option<Regex>, String)>),
    Star,
    CatchAll,
}

/// What a shape consists of, most important first.
#[derive(Clone, PartialEq, Eq)]
enum Token {
    Text(char),
    /// Kind, literal characters, and what else tells it from others.
    Part(u8, usize, String),
}

struct Shape {
    id: u32,
    count: usize,
    segments: Vec<Segment>,
    tokens: Vec<Token>,
}

fn segment(choices: &mut Choices<'_>, is_last: bool) -> Segment {
    let prefix = choices.of(&["", "", "", "a", "ab", "abc", "B", "v1", "é", ":", "a:b", "-"]).to_owned();
    let mut pieces = Vec::new();
    match choices.pick(16) {
        0..5 => {}
        5..10 => pieces.push((None, String::new())),
        10 | 11 => pieces.push((Some(choices.of(&REGEXES)), String::new())),
        12 => return Segment::Star,
        13 if is_last => return if choices.pick(2) == 0 { Segment::CatchAll } else { Segment::Star },
        _ => {
            let count = 1 + choices.pick(3);
            for number in 1..=count {
                let regex = (choices.pick(3) == 0).then(|| choices.of(&REGEXES));
                // After a name, text is what begins with a colon, or what no name can hold before the next one.
                let literal = match (regex.is_some(), number == count) {
                    (true, true) => choices.of(&["", "a", ".B", "-"]),
                    (true, false) => choices.of(&["a", "-", "1", ".", ":"]),
                    (false, true) => choices.of(&["", ":", ":b"]),
                    (false, false) => choices.of(&["-", ".", "-.", ":", ":a"]),
                };
                pieces.push((regex, literal.to_owned()));
            }
        }
    }
    Segment::Pieces(prefix, pieces)
}

/// A pattern, and which of its segments are optional.
fn pattern(choices: &mut Choices<'_>) -> Vec<(Segment, bool)> {
    let count = choices.pick(5);
    let mut optionals = 0;
    let make = |number| {
        let segment = segment(choices, number + 1 == count);
        let single = matches!(&segment, Segment::Pieces(prefix, pieces)
            if prefix.is_empty() && pieces.len() == 1 && pieces[0].1.is_empty());
        let optional = single && optionals < 3 && choices.pick(4) == 0;
        optionals += usize::from(optional);
        (segment, optional)
    };
    (0..count).map(make).collect()
}

/// The pattern as a user writes it, with slashes that do not matter.
fn render(pattern: &[(Segment, bool)], options: Options, choices: &mut Choices<'_>) -> String {
    let mut text = String::new();
    for (number, (segment, optional)) in pattern.iter().enumerate() {
        let doubled = !options.keep_duplicate_slashes && choices.pick(8) == 0;
        text.push_str(if doubled { "//" } else { "/" });
        text.push_str(&segment.render(number));
        text.push_str(if *optional { "?" } else { "" });
    }
    if !options.keep_trailing_slash && choices.pick(8) == 0 {
        text.push('/');
    }
    if pattern.is_empty() && choices.pick(2) == 0 { "/".to_owned() } else { text }
}

impl Segment {
    fn render(&self, number: usize) -> String {
        match self {
            Self::Star => "*".to_owned(),
            Self::CatchAll => format!("*n{number}"),
            Self::Pieces(prefix, pieces) => {
                let mut text = prefix.replace(':', "::");
                for (index, (regex, literal)) in pieces.iter().enumerate() {
                    text.push_str(&format!(":n{number}_{index}"));
                    text.push_str(&regex.map_or(String::new(), |(regex, _)| format!("({regex})")));
                    text.push_str(&literal.replace(':', "::"));
                }
                text
            }
        }
    }

    fn parameters(&self) -> usize {
        match self {
            Self::Pieces(_, pieces) => pieces.len(),
            Self::CatchAll => 1,
            Self::Star => 0,
        }
    }

    /// Some text that it may match, or may not.
    fn sample(&self, choices: &mut Choices<'_>) -> String {
        const TEXTS: [&str; 15] =
            ["a", "1", "ab", "b", "22", "é", "😀1", "a-b", "A", "1.b", "ccc", ":", "-", "a/b", ""];
        match self {
            Self::Pieces(prefix, pieces) => {
                let mut text = prefix.clone();
                for (_, literal) in pieces {
                    text.push_str(choices.of(&TEXTS));
                    text.push_str(literal);
                }
                if choices.pick(16) == 0 { text.to_ascii_uppercase() } else { text }
            }
            _ => choices.of(&TEXTS).to_owned(),
        }
    }
}

fn lower(text: &str, options: Options) -> String {
    if options.case_insensitive { text.to_ascii_lowercase() } else { text.to_owned() }
}

fn tokens(segments: &[Segment], options: Options) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        if number > 0 {
            tokens.push(Token::Text('/'));
        }
        let part = |kind| Token::Part(kind, 0, String::new());
        match segment {
            Segment::CatchAll => tokens.push(part(7)),
            Segment::Star if number + 1 == segments.len() => tokens.push(part(6)),
            Segment::Star => tokens.push(part(5)),
            Segment::Pieces(prefix, pieces) => {
                tokens.extend(lower(prefix, options).chars().map(Token::Text));
                let literals: String = pieces.iter().map(|(_, literal)| literal.as_str()).collect();
                let tells = |(regex, literal): &(Option<Regex>, String)| {
                    format!("({}){}", regex.map_or("", |(regex, _)| regex), lower(literal, options))
                };
                let (single, has_regex) =
                    (pieces.len() == 1 && literals.is_empty(), pieces.iter().any(|(regex, _)| regex.is_some()));
                let (kind, units) = match (single, has_regex) {
                    (true, true) => (1, 0),
                    (false, true) => (2, 0),
                    (false, false) => (3, literals.len()),
                    (true, false) => (4, 0),
                };
                if !pieces.is_empty() {
                    tokens.push(Token::Part(kind, units, pieces.iter().map(tells).collect()));
                }
            }
        }
    }
    tokens
}

/// The ways in which pieces match the whole of `text`, the preferred one; as ends of parameters and of literals.
fn split(pieces: &[(Option<Regex>, String)], text: &[char], options: Options) -> Option<Vec<[usize; 2]>> {
    let Some(((regex, literal), rest)) = pieces.split_first() else { return text.is_empty().then(Vec::new) };
    let lengths = match regex {
        Some((_, lengths)) => lengths(text),
        None => (1..=text.len()).collect(),
    };
    lengths.into_iter().find_map(|length| {
        let literal: Vec<char> = lower(literal, options).chars().collect();
        let after: String = text[length..].iter().take(literal.len()).collect();
        if lower(&after, options).chars().ne(literal.iter().copied()) {
            return None;
        }
        let next = length + literal.len();
        let rest = split(rest, &text[next..], options)?;
        let rest = rest.into_iter().map(|span| span.map(|at| at + next));
        Some(std::iter::once([0, length]).chain(rest).collect())
    })
}

/// Whether `segments` match `path`, and then where their parameters and their rest are, in characters.
fn spans(segments: &[Segment], path: &[char], options: Options) -> Option<Vec<[usize; 2]>> {
    let (mut at, mut spans) = (1, Vec::new());
    for (number, segment) in segments.iter().enumerate() {
        // Behind the last segment there is no other, not even an empty one.
        if at > path.len() || path.len() == 1 {
            return None;
        }
        let is_last = number + 1 == segments.len();
        if matches!(segment, Segment::CatchAll) || (is_last && matches!(segment, Segment::Star)) {
            spans.push([at, path.len()]);
            return (at < path.len()).then_some(spans);
        }
        let end = at + run(&path[at..], |c| *c != '/');
        let text = &path[at..end];
        match segment {
            Segment::Pieces(prefix, pieces) => {
                let length = prefix.chars().count();
                let own: String = text.iter().take(length).collect();
                if lower(&own, options) != lower(prefix, options) {
                    return None;
                }
                let found = split(pieces, &text[length..], options)?;
                spans.extend(found.into_iter().map(|span| span.map(|offset| at + length + offset)));
            }
            _ if text.is_empty() => return None,
            _ => {}
        }
        at = end + 1;
    }
    (at > path.len() || (segments.is_empty() && path.len() == 1)).then_some(spans)
}

/// Whether the tokens of `routes[left]` come before those of `routes[right]`. Both match one path, so that where
/// they first differ there is not text in both.
fn precedes(routes: &[&Shape], left: usize, right: usize) -> bool {
    let (left, right) = (&routes[left].tokens, &routes[right].tokens);
    let at = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    match (left.get(at), right.get(at)) {
        (Some(Token::Text(_)), _) => true,
        (_, Some(Token::Text(_))) => false,
        (Some(Token::Part(left_kind, left_units, _)), Some(Token::Part(right_kind, right_units, _))) => {
            let first = |tokens: &[Token]| routes.iter().position(|route| route.tokens.starts_with(&tokens[..=at]));
            let rank = |kind: &u8, units: &usize, tokens: &[Token]| (*kind, usize::MAX - units, first(tokens));
            rank(left_kind, left_units, left) < rank(right_kind, right_units, right)
        }
        _ => panic!("two shapes of which one goes on match the same path"),
    }
}

/// The route that a path leads to by definition; a leaf is the index of its route.
fn lookup(routes: &[&Shape], path: &str, options: Options) -> Option<Found> {
    let chars: Vec<char> = path.chars().collect();
    let fits: Vec<_> =
        (0..routes.len()).filter_map(|index| Some((index, spans(&routes[index].segments, &chars, options)?))).collect();
    let best = fits.into_iter().reduce(|best, other| if precedes(routes, best.0, other.0) { best } else { other });
    let units = |at: usize| chars[..at].iter().map(|c| c.len_utf16()).sum();
    best.map(|(index, spans)| Found {
        leaf: index as i32,
        spans: spans.into_iter().map(|span| span.map(units)).collect(),
    })
}

/// Takes away the slashes that do not matter.
fn normalise(path: &str, options: Options) -> String {
    let mut text = path.to_owned();
    while !options.keep_duplicate_slashes && text.contains("//") {
        text = text.replace("//", "/");
    }
    while !options.keep_trailing_slash && text.len() > 1 && text.ends_with('/') {
        text.pop();
    }
    text
}

/// A router and its model in the same state.
struct Game {
    options: Options,
    router: Router,
    shapes: Vec<Shape>,
}

/// Declares, releases, compiles and looks up, as `choices` has it.
///
/// # Panics
/// If router and model disagree, or a table breaks its contract.
pub fn play(mut choices: Choices<'_>) {
    let options = Options {
        case_insensitive: choices.pick(2) == 1,
        keep_trailing_slash: choices.pick(2) == 1,
        keep_duplicate_slashes: choices.pick(2) == 1,
    };
    let mut game = Game { options, router: Router::new(options), shapes: Vec::new() };
    while !choices.0.is_empty() {
        match choices.pick(8) {
            0..4 => game.declare(&mut choices),
            4 => game.declare_nonsense(&mut choices),
            5 => game.release(&mut choices),
            _ => game.compile(&mut choices),
        }
        assert_eq!(game.router.len(), game.shapes.len(), "shapes are counted");
    }
}

impl Game {
    fn declare(&mut self, choices: &mut Choices<'_>) {
        let pattern = pattern(choices);
        let text = render(&pattern, self.options, choices);
        let mut declared = Vec::new();
        let units: Vec<u16> = text.encode_utf16().collect();
        let outcome = self.router.declare(&units, |variant| {
            declared.push((variant.shape, variant.flags, variant.names.len(), variant.pattern.to_vec()));
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
        let mut declared = declared.into_iter();
        let mut seen: Vec<Vec<Token>> = Vec::new();
        let optionals = pattern.iter().filter(|(_, optional)| *optional).count();
        for mask in (0_u32..1 << optionals).rev() {
            let segments = self.variant(&pattern, mask, optionals);
            let tokens = tokens(&segments, self.options);
            if seen.contains(&tokens) {
                continue;
            }
            seen.push(tokens.clone());
            let (id, flags, names, normal) = declared.next().expect("each variant is there");
            assert_eq!(flags, expected_flags(&segments), "flags of {text}");
            assert_eq!(names, segments.iter().map(Segment::parameters).sum::<usize>(), "names of {text}");
            // What comes back is a pattern of the same shape.
            let mut again = None;
            self.router.declare(&normal, |variant| again = Some(variant.shape)).expect("it is a pattern");
            assert!(again == Some(id) && self.router.release(id));
            match self.shapes.iter_mut().find(|shape| shape.tokens == tokens) {
                Some(shape) => {
                    assert_eq!(shape.id, id, "one shape has one number");
                    shape.count += 1;
                }
                None => {
                    assert!(self.shapes.iter().all(|shape| shape.id != id), "a number is of one shape");
                    self.shapes.push(Shape { id, count: 1, segments, tokens });
                }
            }
        }
        assert!(declared.next().is_none(), "no other variant is there");
    }

    /// The segments that the parser sees, without those left out by `mask`.
    fn variant(&self, pattern: &[(Segment, bool)], mask: u32, mut optionals: usize) -> Vec<Segment> {
        let mut segments = Vec::new();
        for (segment, optional) in pattern {
            optionals -= usize::from(*optional);
            if !optional || mask >> optionals & 1 == 1 {
                segments.push(segment.clone());
            }
        }
        let is_empty = |segment: &Segment| segment.render(0).is_empty();
        // Empty segments come of slashes, which matter or do not.
        if !self.options.keep_duplicate_slashes {
            let ends_in_slash = pattern.last().is_some_and(|(segment, _)| is_empty(segment));
            segments.retain(|segment| !is_empty(segment));
            if ends_in_slash {
                segments.push(Segment::Pieces(String::new(), Vec::new()));
            }
        }
        while !self.options.keep_trailing_slash && segments.last().is_some_and(is_empty) {
            segments.pop();
        }
        // One slash is the root, whichever way it comes about.
        if segments.len() == 1 && is_empty(&segments[0]) {
            segments.pop();
        }
        segments
    }

    /// A pattern with a mistake, most likely: nothing must come of it but an error.
    fn declare_nonsense(&mut self, choices: &mut Choices<'_>) {
        let mut text: Vec<u16> = render(&pattern(choices), self.options, choices).encode_utf16().collect();
        for _ in 0..=choices.pick(3) {
            let at = choices.pick(text.len() + 1);
            text.insert(at, choices.of(b"*:()?[]{}\\^$|/-\0\nk1=!<\xff").into());
        }
        let mut shapes = Vec::new();
        if self.router.declare(&text, |variant| shapes.push(variant.shape)).is_ok() {
            shapes.iter().for_each(|shape| assert!(self.router.release(*shape)));
        } else {
            assert!(shapes.is_empty(), "an error comes before everything else");
        }
    }

    fn release(&mut self, choices: &mut Choices<'_>) {
        if self.shapes.is_empty() {
            return assert!(!self.router.release(0), "no shape is in use");
        }
        let index = choices.pick(self.shapes.len());
        assert!(self.router.release(self.shapes[index].id));
        self.shapes[index].count -= 1;
        if self.shapes[index].count == 0 {
            self.shapes.remove(index);
        }
    }

    fn compile(&mut self, choices: &mut Choices<'_>) {
        let mut routes: Vec<&Shape> = Vec::new();
        for shape in &self.shapes {
            if choices.pick(4) > 0 {
                routes.insert(choices.pick(routes.len() + 1), shape);
            }
        }
        let pairs: Vec<[i32; 2]> = (0_i32..).zip(&routes).map(|(leaf, shape)| [shape.id as i32, leaf]).collect();
        let table = self.router.compile(&pairs).expect("shapes in use compile");
        validate(&table);
        for _ in 0..choices.pick(16) {
            let mut path = String::new();
            match routes.get(choices.pick(routes.len() + 1)) {
                Some(route) => {
                    for segment in &route.segments {
                        path.push('/');
                        path.push_str(&segment.sample(choices));
                    }
                }
                None => path.push_str(choices.of(&["", "/a", "/a/", "//a", "/1/2", "/:", "/é"])),
            }
            path.push_str(choices.of(&["", "", "", "", "/", "a", "//"]));
            let path = normalise(&format!("/{}", path.strip_prefix('/').unwrap_or_default()), self.options);
            let units: Vec<u16> = path.encode_utf16().collect();
            let found = walk(&mut self.router, &table, &pairs, &units, self.options.case_insensitive);
            assert_eq!(found, lookup(&routes, &path, self.options), "the way to {path:?}");
        }
    }
}

fn expected_flags(segments: &[Segment]) -> u32 {
    let is_wild = segments.iter().any(|segment| matches!(segment, Segment::Star | Segment::CatchAll));
    let flags = if is_wild { WILDCARD } else { 0 };
    match segments.last() {
        Some(Segment::Star) => flags | REST,
        Some(Segment::CatchAll) => flags | NAMED_REST,
        _ if flags == 0 && segments.iter().all(|segment| segment.parameters() == 0) => STATIC,
        _ => flags,
    }
}
