//! What a fault says, and where it says it is.

use super::{check, scan};
use crate::json::Limits;

/// Texts with the words that V8 has for them and the position in UTF-16 units.
const WORDS: &[(&str, &str, u64)] = &[
    ("", "Unexpected end of JSON input at", 0),
    ("{", "Expected property name or '}' in JSON", 1),
    ("[", "Unexpected end of JSON input at", 1),
    ("[1,", "Unexpected end of JSON input at", 3),
    ("[1", "Expected ',' or ']' after array element in JSON", 2),
    ("{\"a\":1", "Expected ',' or '}' after property value in JSON", 6),
    ("{\"a\"", "Expected ':' after property name in JSON", 4),
    ("{\"a\":", "Unexpected end of JSON input at", 5),
    ("\"abc", "Unterminated string in JSON", 4),
    ("\"a\\", "Unexpected end of JSON input at", 3),
    ("\"a\\x\"", "Bad escaped character in JSON", 3),
    ("\"\\u12", "Bad Unicode escape in JSON", 5),
    ("\"\\u12G4\"", "Bad Unicode escape in JSON", 5),
    ("\"\\u", "Bad Unicode escape in JSON", 3),
    ("-", "No number after minus sign in JSON", 1),
    ("-a", "No number after minus sign in JSON", 1),
    ("1.", "Unterminated fractional number in JSON", 2),
    ("1.a", "Unterminated fractional number in JSON", 2),
    ("1e", "Exponent part is missing a number in JSON", 2),
    ("1e+", "Exponent part is missing a number in JSON", 3),
    ("1ex", "Exponent part is missing a number in JSON", 2),
    ("01", "Unexpected number in JSON", 1),
    ("-01", "Unexpected number in JSON", 2),
    ("tru", "Unexpected end of JSON input at", 3),
    ("trux", "Unexpected token 'x' in JSON", 3),
    ("tr\"", "Unexpected string in JSON", 2),
    ("[1 2]", "Expected ',' or ']' after array element in JSON", 3),
    ("{\"a\" 1}", "Expected ':' after property name in JSON", 5),
    ("{a:1}", "Expected property name or '}' in JSON", 1),
    ("{\"a\":1,}", "Expected double-quoted property name in JSON", 7),
    ("[1,]", "Unexpected token ']' in JSON", 3),
    ("1 2", "Unexpected non-whitespace character after JSON", 2),
    ("\"a\nb\"", "Bad control character in string literal in JSON", 2),
    ("}", "Unexpected token '}' in JSON", 0),
    ("\u{feff}1", "Unexpected token '\\ufeff' in JSON", 0),
    ("[\"\u{1f600}\u{e9}\" \u{1f600}]", "Expected ',' or ']' after array element in JSON", 7),
    ("[\u{1f600}]", "Unexpected token '\u{1f600}' in JSON", 1),
];

#[test]
fn the_words_are_those_of_v8_with_the_place() {
    for &(text, words, position) in WORDS {
        let fault = check(text.as_bytes(), &Limits::default()).expect_err(text);
        assert!(fault.message.starts_with(words), "{text}: {}", fault.message);
        let place = format!("position {position} (line {} column {})", fault.line, fault.column);
        assert!(fault.message.ends_with(&place), "{text}: {}", fault.message);
        assert_eq!(fault.position, position, "{text}");
        let scanned = scan(text.as_bytes(), &[text.len().max(1)], 1, &Limits::default()).err();
        assert_eq!(scanned, Some(fault));
    }
}

#[test]
fn lines_and_columns_count_from_one_in_units() {
    let text = "[\n  \"\u{1f600}\",\r\n  \"\u{e9}\", !\n]";
    let fault = check(text.as_bytes(), &Limits::default()).expect_err("is not JSON");
    assert_eq!((fault.position, fault.line, fault.column), (18, 3, 8));
    assert_eq!(fault.excerpt, "[\\n  \"\u{1f600}\",\\r\\n  \"\u{e9}\", !\\n]");
}

#[test]
fn places_count_text_that_has_been_dropped() {
    let record = "{\"name\":\"\u{1f600}\u{e9}\"},\n";
    let text = format!("[\n{}x]", record.repeat(20_000));
    let whole = check(text.as_bytes(), &Limits::default()).expect_err("is not JSON");
    assert_eq!((whole.line, whole.column), (20_002, 1));
    assert_eq!(whole.position, 2 + 20_000 * record.encode_utf16().count() as u64);
    for (piece, group) in [(1, 1), (7, 100), (4096, 65_536), (text.len(), 1000)] {
        let scanned = scan(text.as_bytes(), &[piece], group, &Limits::default()).err().expect("is not JSON");
        assert_eq!((scanned.position, scanned.line), (whole.position, whole.line));
        assert_eq!(scanned.column, whole.column);
    }
}

#[test]
fn excerpts_are_short_and_printable() {
    let text = format!("[\"{}\u{1}{}\"]", "\u{e9}".repeat(100), "\u{1f600}".repeat(100));
    let fault = check(text.as_bytes(), &Limits::default()).expect_err("is not JSON");
    let expected = "\u{e9}".repeat(20) + "\\u0001" + &"\u{1f600}".repeat(10);
    assert_eq!(fault.excerpt, expected);
    let fault = check(b"[\"\xed\xa0\x80\"!", &Limits::default()).expect_err("is not JSON");
    assert_eq!(fault.excerpt, "[\"\\ud800\"!");
}

#[test]
fn a_fault_stays() {
    let mut scanner = crate::json::scan::Scanner::new(1, &Limits::default());
    let mut sink = super::Rebuild::default();
    let fault = scanner.feed(b"[}", &mut sink).expect_err("is not JSON");
    assert_eq!(scanner.feed(b"1]", &mut sink), Err(fault.clone()));
    assert_eq!(scanner.finish(&mut sink), Err(fault));
}

#[test]
fn places_count_white_space_that_is_left_out() {
    let white = " \n\t\r \n  ".repeat(5_000);
    let text = format!("[1,{white}2,{white}{{\"\u{e9}\"{white}:{white}[3{white}] {white} x");
    let whole = check(text.as_bytes(), &Limits::default()).expect_err("is not JSON");
    for (piece, group) in [(1, 1), (7, 100_000), (1000, 10), (4096, 65_536), (text.len(), 1000)] {
        assert_eq!(scan(text.as_bytes(), &[piece], group, &Limits::default()).err(), Some(whole.clone()));
    }
    let early = text.replacen('2', "?", 1);
    let whole = check(early.as_bytes(), &Limits::default()).expect_err("is not JSON");
    for piece in [100, 20_000, 70_000] {
        assert_eq!(scan(early.as_bytes(), &[piece], 65_536, &Limits::default()).err(), Some(whole.clone()));
    }
}

#[test]
fn a_token_longer_than_any_string_is_a_fault_as_soon_as_it_is() {
    let escapes = "\\u0041".repeat(20);
    for (text, fits) in [
        (format!("[\"{}\"]", "x".repeat(100)), true),
        (format!("[\"{}\"]", "x".repeat(111)), false),
        (format!("[\"{}\"]", "\u{1f600}".repeat(50)), true),
        (format!("[\"{}\"]", "\u{1f600}".repeat(56)), false),
        (format!("[\"{escapes}\"]"), false),
        (format!("{{\"{}\":1}}", "x".repeat(150)), false),
        (format!("[{}]", "1".repeat(150)), false),
        (format!("[{}1]", "\"1234567890\",1234567890,".repeat(50)), true),
    ] {
        for piece in [1, 3, 10] {
            let mut scanner = crate::json::scan::Scanner::new(20, &Limits::default());
            scanner.max_units = 100;
            let mut sink = super::Rebuild::default();
            let told = text.as_bytes().chunks(piece).try_for_each(|piece| scanner.feed(piece, &mut sink));
            assert_eq!(
                told.clone().map_err(|fault| fault.kind).err(),
                (!fits).then_some(crate::json::FaultKind::TooLong),
                "{text}"
            );
            assert!(told.map_err(|fault| fault.position).err().is_none_or(|at| at < 125));
        }
    }
}
