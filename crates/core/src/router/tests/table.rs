//! Tables as such: their layout, their limits, and what they refuse.

use super::super::validate::validate;
use super::super::walk::walk;
use super::super::{CompileError, Router};
use super::units;

/// Declares patterns without optional parameters; leaves are their indices.
fn router(patterns: &[&str]) -> (Router, Vec<[i32; 2]>) {
    let (mut router, mut routes) = (Router::default(), Vec::new());
    for (pattern, leaf) in patterns.iter().zip(0..) {
        let outcome = router.declare(&units(pattern), |variant| routes.push([variant.shape as i32, leaf]));
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
    (router, routes)
}

fn lookup(patterns: &[&str], path: &str) -> Option<i32> {
    let (mut router, routes) = router(patterns);
    let table = router.compile(&routes).expect("the routes compile");
    validate(&table);
    walk(&mut router, &table, &routes, &units(path), false).map(|found| found.leaf)
}

#[test]
fn an_empty_table_has_a_root() {
    let table = Router::default().compile(&[]).expect("nothing is wrong");
    assert_eq!(table, [2, 8, 0, -1, 0, 0, 0, 0, 0]);
    assert_eq!(lookup(&[], "/"), None);
    assert_eq!(lookup(&[], "/a"), None);
}

#[test]
fn the_layout_is_as_written() {
    let (router, routes) = router(&["/a", "/ab/:x", "/é"]);
    let table = router.compile(&routes).expect("the routes compile");
    let [a, e] = [b'a'.into(), 'é' as i32];
    let root = [0, -1, 0, 0, a, -2, a, 12, e, 32];
    let first = [0, 0, 0, 0, b'b'.into(), 1, 19];
    let second = [1, b'/'.into(), -1, 26, 0, 0, 0];
    assert_eq!(table[..2], [2, 38]);
    assert_eq!(table[2..12], root);
    assert_eq!(table[12..19], first);
    assert_eq!(table[19..26], second);
    assert_eq!(table[26..38], [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    // Both static paths have two units, and differ in the second.
    assert_eq!(table[38..], [3, 0, 0, 42, 1, a, -2, a, !0, e, !2]);
}

#[test]
fn alternatives_come_in_order_of_precedence() {
    let patterns = ["/*all", "/*", "/:a", "/:a-:b", "/:a--:b", r"/:a(\d)-:b", r"/:a(.*9)", r"/:a(\d+)", "/1-1"];
    let order = [8, 6, 7, 5, 4, 3, 2, 1, 0];
    // Each path fits a pattern and those behind it, so that what is left out gives way to the next.
    let mut left: Vec<usize> = (0..patterns.len()).collect();
    let paths = ["/1-1", "/19", "/17", "/1-1", "/x--x", "/x-x", "/x", "/x/y", "/x/y"];
    for (winner, path) in order.into_iter().zip(paths) {
        let chosen: Vec<&str> = left.iter().map(|index| patterns[*index]).collect();
        assert_eq!(lookup(&chosen, path).map(|leaf| left[leaf as usize]), Some(winner), "{path}");
        left.retain(|index| *index != winner);
    }
}

#[test]
fn what_fails_later_is_tried_otherwise() {
    let patterns = ["/a/b/c", "/a/:x/d", "/:y/b/e", "/a/*", r"/:z(\w+)/b/f", "/*/b/g"];
    for (path, leaf) in [
        ("/a/b/c", Some(0)),
        ("/a/b/d", Some(1)),
        ("/a/b/e", Some(3)),
        ("/x/b/e", Some(2)),
        ("/x/b/f", Some(4)),
        ("/x/b/g", Some(5)),
        ("/x/b/h", None),
        ("/a", None),
    ] {
        assert_eq!(lookup(&patterns, path), leaf, "{path}");
    }
}

#[test]
fn wide_choices_become_sorted_pairs() {
    let patterns: Vec<String> =
        (0..40).map(|number| format!("/{}x", char::from_u32(0x100 + 50 * number).expect("a letter"))).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    for (pattern, leaf) in patterns.iter().zip(0..) {
        assert_eq!(lookup(&patterns, pattern), Some(leaf));
    }
    assert_eq!(lookup(&patterns, "/\u{101}x"), None);
}

#[test]
fn a_request_for_nonsense_is_refused() {
    let (mut router, _) = router(&["/a", "/b"]);
    assert_eq!(router.compile(&[[2, 0]]), Err(CompileError::UnknownShape(2)));
    assert_eq!(router.compile(&[[-1, 0]]), Err(CompileError::UnknownShape(-1)));
    assert_eq!(router.compile(&[[0, 0], [1, 1], [0, 2]]), Err(CompileError::RepeatedShape(0)));
    assert_eq!(router.compile(&[[0, -1]]), Err(CompileError::NegativeLeaf(-1)));
    assert!(router.release(0));
    assert_eq!(router.compile(&[[0, 0]]), Err(CompileError::UnknownShape(0)));
    assert!(!router.release(7));
}

/// Nothing in here may recurse over what a pattern holds: a thread of little stack would notice.
#[test]
fn depth_takes_no_stack() {
    let check = || {
        let deep: String = "/:a(x)".to_owned() + &"/*/b".repeat(499);
        let mut patterns: Vec<String> = (1..3_000).map(|length| format!("/{}", "a".repeat(length))).collect();
        patterns.push(deep);
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        assert_eq!(lookup(&patterns, patterns[2_500]), Some(2_500));
        assert_eq!(lookup(&patterns, &("/x".to_owned() + &"/y/b".repeat(499))), Some(2_999));
    };
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(check).expect("a thread");
    thread.join().expect("the check holds");
}

/// One regex is in a table once, however many routes have it, and compiles the same again.
#[test]
fn automata_are_shared() {
    let size = |patterns: &[&str]| {
        let (router, routes) = router(patterns);
        let table = router.compile(&routes).expect("the routes compile");
        assert_eq!(router.compile(&routes).as_ref(), Ok(&table));
        table.len()
    };
    let one = size(&[r"/a/:x(\d+)"]);
    assert!(size(&[r"/a/:x(\d+)", r"/b/:y(\d+)", r"/c/:z(\d+)/d"]) < one + 100);
    assert!(size(&[r"/a/:x(\d+)", r"/b/:y(\d*)"]) > one + 256);
}
