//! Documents against a model, and what examples say.

mod model;

use proptest::prelude::*;

use self::model::*;

use super::index::{Offset, Tables};
use super::*;
use crate::json::scan::check;

/// A document whose offsets have 64 bits, as those of 4 GiB and more.
fn wide(text: &[u8]) -> Document {
    let mut document = open(text);
    let tables = Tables::build(text, &Limits::default(), &document.hasher, &|| false);
    let tables = tables.unwrap_or_else(|fault| panic!("{}", fault.message));
    document.index = tables.map(Index::Wide).unwrap_or_else(|| panic!("it was not cancelled"));
    document
}

fn open(text: &[u8]) -> Document {
    Document::new(text.to_vec(), &Limits::default()).unwrap_or_else(|fault| panic!("{}", fault.message))
}

fn find<'a>(document: &'a Document, pointer: &str) -> Option<&'a [u8]> {
    let pointer = Pointer::parse(&units(pointer)).unwrap_or_else(|error| panic!("{error}"));
    document.locate(&pointer).map(|value| &document.text()[value])
}

/// Compares all that can be asked about one value.
fn compare(document: &Document, node: &Node, path: &[Vec<u16>]) {
    let pointer = Pointer::parse(&written(path)).unwrap_or_else(|error| panic!("{error}"));
    let value = document.locate(&pointer);
    assert_eq!(value, Some(node.text.clone()), "at {path:?}");
    let value = value.unwrap_or_default();
    assert_eq!(document.end(value.start), value.end);
    assert_eq!(document.length(&value), node.length(), "at {path:?}");
    let members = document.members(&value).map(|members| {
        let name = |member: &Member| unescape(&document.text()[member.name.clone()]).into_owned();
        members.iter().map(|member| (name(member), document.end(member.value))).collect::<Vec<_>>()
    });
    let model =
        node.members().map(|members| members.iter().map(|it| (name::from_units(it.0), it.1.text.end)).collect());
    assert_eq!(members, model, "at {path:?}");
    for name in ["nowhere", "-", "01", "70", "4294967296", "99999999999999999999"] {
        let pointer = Pointer::parse(&written(&[path, &[units(name)]].concat())).unwrap_or_default();
        assert_eq!(document.locate(&pointer), node.child(&units(name)).map(|child| child.text.clone()));
    }
}

fn compare_all(document: &Document, node: &Node, path: &mut Vec<Vec<u16>>) {
    compare(document, node, path);
    let mut go = |name: Vec<u16>, child: &Node| {
        path.push(name);
        compare_all(document, child, path);
        path.pop();
    };
    match &node.children {
        Children::None => {}
        Children::Array(nodes) => {
            nodes.iter().enumerate().for_each(|(at, node)| go(units(&at.to_string()), node));
        }
        Children::Object(_) => {
            node.members().unwrap_or_default().iter().for_each(|member| go(member.0.to_vec(), member.1));
        }
    }
}

/// All elements of an array, told in portions.
fn elements(document: &Document, node: &Node, limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut next = document.first(&node.text);
    while let Some(first) = next {
        let (text, then) = document.elements(first, limit);
        out.extend_from_slice(&document.text()[text]);
        out.push(b',');
        next = then;
    }
    out
}

fn column(document: &Document, pattern: &[Option<Vec<u16>>], limit: usize) -> (u32, Vec<u8>) {
    let path: Vec<_> = pattern.iter().map(|part| part.clone().unwrap_or_else(|| units("*"))).collect();
    let mut column = Column::parse(&written(&path)).unwrap_or_else(|error| panic!("{error}"));
    let (mut all, mut total) = (Vec::new(), 0);
    loop {
        let mut out = Vec::new();
        let count = column.next(document, limit, &mut out);
        if count == 0 {
            return (total, all);
        }
        total += count;
        all.extend(out);
        all.push(b',');
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_tree_that_was_written(tree in tree(), spaces: u64, is_wide: bool) {
        let (text, root) = write(&tree, spaces);
        let document = if is_wide { wide(&text) } else { open(&text) };
        compare_all(&document, &root, &mut Vec::new());
    }

    #[test]
    fn portions_make_the_whole(tree in prop::collection::vec(tree(), 0..5), spaces: u64, limit in 1_usize..3_000) {
        let (text, root) = write(&Tree::Array(tree), spaces);
        let document = open(&text);
        let squeeze = |text: &[u8]| text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
        let got = squeeze(&elements(&document, &root, limit));
        let Children::Array(nodes) = &root.children else { unreachable!() };
        let due: Vec<_> = nodes.iter().flat_map(|node| [&text[node.text.clone()], b","]).flatten().copied().collect();
        prop_assert_eq!(got, squeeze(&due));
    }

    #[test]
    fn columns_are_what_the_pattern_finds(tree in tree(), spaces: u64, pattern in pattern(), limit in 1_usize..3_000) {
        let (text, root) = write(&tree, spaces);
        let document = open(&text);
        let mut model = Vec::new();
        root.column(&pattern, &mut model);
        let due: Vec<_> = model
            .iter()
            .flat_map(|node| [node.map_or(&b"null"[..], |node| &text[node.text.clone()]), b","])
            .flatten()
            .copied()
            .collect();
        prop_assert_eq!(column(&document, &pattern, limit), (model.len() as u32, due));
    }
}

#[test]
fn pointers_are_those_of_the_rfc() {
    let text = br#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
    let document = open(text);
    let cases = [
        ("", Some(std::str::from_utf8(text).unwrap_or_default())),
        ("/foo", Some(r#"["bar","baz"]"#)),
        ("/foo/0", Some(r#""bar""#)),
        ("/foo/2", None),
        ("/foo/-", None),
        ("/foo/00", None),
        ("/foo/0/0", None),
        ("/", Some("0")),
        ("//", None),
        ("/a~1b", Some("1")),
        ("/c%d", Some("2")),
        ("/e^f", Some("3")),
        ("/g|h", Some("4")),
        ("/i\\j", Some("5")),
        ("/k\"l", Some("6")),
        ("/ ", Some("7")),
        ("/m~0n", Some("8")),
        ("/m~01n", None),
    ];
    for (pointer, value) in cases {
        assert_eq!(find(&document, pointer), value.map(str::as_bytes), "{pointer}");
    }
    assert_eq!(Pointer::parse(&units("foo")), Err(PointerError::NoSlash));
    for pointer in ["/~", "/~2", "/a~/b", "/ok/~~0"] {
        assert_eq!(Pointer::parse(&units(pointer)), Err(PointerError::BadEscape), "{pointer}");
        assert_eq!(Pattern::parse(&units(pointer)), Err(PointerError::BadEscape), "{pointer}");
    }
    assert_eq!(Pattern::parse(&units("*")), Err(PointerError::NoSlash));
}

/// A quote or a backslash in the wanted name once could have met the text around a token.
#[test]
fn names_do_not_match_across_tokens() {
    let document = open(br#"{"a":"b","c\\":1,"d\"":2}"#);
    for pointer in ["/a\":\"b", "/c\\\\", "/d\\\"", "/c\\\":1,\"d\\"] {
        assert_eq!(find(&document, pointer), None, "{pointer}");
    }
    assert_eq!(find(&document, "/c\\"), Some(&b"1"[..]));
    assert_eq!(find(&document, "/d\""), Some(&b"2"[..]));
}

#[test]
fn surrogates_pair_up_however_they_are_written() {
    let cases: [(&[u8], &[u8]); 7] = [
        (br#""\ud83d\ude00""#, "😀".as_bytes()),
        (b"\"\xed\xa0\xbd\\ude00\"", "😀".as_bytes()),
        (b"\"\\ud83d\xed\xb8\x80\"", "😀".as_bytes()),
        (br#""\ud83d\ud83d\ude00""#, b"\xed\xa0\xbd\xf0\x9f\x98\x80"),
        (br#""\ude00\ud83d""#, b"\xed\xb8\x80\xed\xa0\xbd"),
        (br#""\ud83d\u0041""#, b"\xed\xa0\xbdA"),
        (br#""\"\\\/\b\f\n\r\t\u00e9\u20AC""#, "\"\\/\u{8}\u{c}\n\r\té€".as_bytes()),
    ];
    for (token, value) in cases {
        assert_eq!(*unescape(token), *value);
    }
}

/// Steps over what is indexed keep the cost of a look-up flat, whatever the shape.
#[test]
fn the_index_is_a_fraction_of_the_text() {
    let records = r#"{"id":1,"name":"a name","tags":["a","b"]},"#.repeat(20_000) + "0";
    let numbers = "1,".repeat(200_000) + "0";
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let keys: Vec<_> = (0..50_000).map(|number| format!("\"key{number}\":{number}")).collect();
    let texts = [format!("[{records}]"), format!("[{numbers}]"), nested, format!("{{{}}}", keys.join(","))];
    for (text, share) in texts.iter().zip([0.1, 0.1, 0.3, 0.8]) {
        let document = open(text.as_bytes());
        let bytes = document.index.bytes() as f64;
        assert!(bytes < share * text.len() as f64, "{bytes} bytes of index for {} of text", text.len());
    }
}

#[test]
fn the_deepest_and_the_farthest_are_found() {
    let depth = 300_000;
    let document = open(format!("{}7{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
    assert_eq!(find(&document, &"/0".repeat(depth)), Some(&b"7"[..]));
    assert_eq!(document.length(&(0..document.text().len())), Some(1));

    let items: Vec<_> = (0..100_000).map(|number| format!("{{\"id\":{number}}}")).collect();
    let document = open(format!("{{\"items\":[{}],\"last\":true}}", items.join(",")).as_bytes());
    assert_eq!(find(&document, "/items/99999/id"), Some(&b"99999"[..]));
    assert_eq!(find(&document, "/items/100000/id"), None);
    assert_eq!(find(&document, "/last"), Some(&b"true"[..]));
}

/// Few members with long values are not read over for each look-up.
#[test]
fn long_members_are_stepped_over() {
    let long = "x".repeat(1 << 24);
    let one = format!("{{\"a\":\"{long}\"}}");
    let document = open(one.as_bytes());
    assert_eq!(find(&document, "/a").map(<[u8]>::len), Some(long.len() + 2));
    assert_eq!(find(&document, "/b"), None);
    let text = format!("{{\"a\":1,\"long\":\"{long}\",\"b\":2,\"\\u0061\":3}}");
    let document = open(text.as_bytes());
    let started = std::time::Instant::now();
    for _ in 0..2_000 {
        assert_eq!(find(&document, "/b"), Some(&b"2"[..]));
        assert_eq!(find(&document, "/a"), Some(&b"3"[..]));
        assert_eq!(find(&document, "/c"), None);
        assert_eq!(document.length(&(0..text.len())), Some(3));
    }
    // To read it all would take some milliseconds each time, minutes without optimisation.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    let empty = format!("{{{}}}", " ".repeat(1 << 14));
    assert_eq!(find(&open(empty.as_bytes()), "/a"), None);
}

#[test]
fn offsets_keep_their_value() {
    assert_eq!(<u32 as Offset>::new(usize::try_from(u32::MAX).unwrap_or_default()).get(), 0xffff_ffff);
    assert_eq!(<u64 as Offset>::new(1 << 40).get(), 1 << 40);
}

/// The index is built while the text is validated, and hence of texts that turn out to be none.
#[test]
fn a_text_that_is_refused_is_refused_as_by_the_check() {
    let text = br#" {"a": [1, "b", {"c": null}], "d": {}, "e": [[], [2]] } "#;
    for (end, byte) in
        (0..text.len()).flat_map(|end| [None, Some(b','), Some(b']'), Some(b'x')].map(|byte| (end, byte)))
    {
        let broken: Vec<_> = text[..end].iter().copied().chain(byte).collect();
        let due = check(&broken, &Limits::default());
        assert_eq!(Document::new(broken, &Limits::default()).map(drop), due);
    }
    let limits = Limits { max_bytes: Some(20), ..Limits::default() };
    assert_eq!(Document::new(text.to_vec(), &limits).map(drop), check(text, &limits));
}
