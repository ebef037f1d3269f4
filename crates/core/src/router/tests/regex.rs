//! What becomes of JavaScript's regexes: in a table, and in the native matcher.

use proptest::prelude::*;

use super::super::automaton::{CLASSES, STATES, build};
use super::super::error::Problem;
use super::super::regex::translate;
use super::super::{Options, PatternError, Router};
use super::units;

/// Whole texts that a regex matches and that it does not, as Node.js has it, with the `u` flag where the two
/// readings differ and both exist.
const VECTORS: &[(&str, &[&str], &[&str])] = &[
    (r"\d+", &["1", "42"], &["", "a", "٣", "1a"]),
    (r"\w+", &["a_Z9"], &["é", "a-b"]),
    (r"[\W_]+", &["-_é"], &["a"]),
    (r"\s", &["\u{a0}", "\u{2028}", "\u{feff}", "\t"], &["a", "\u{85}"]),
    (r"\S+", &["ab"], &["a b", "\u{3000}"]),
    (".+", &["ab", "é😀"], &["a\nb", "\u{2028}", "\r"]),
    ("a.c", &["abc", "a/c"], &["ac"]),
    ("[^/]+", &["ab"], &["a/b"]),
    (r"^\d{4}$", &["2024"], &["20245", "202"]),
    ("^a|b$", &["a", "b"], &["ab", "c"]),
    ("(?:a|(b))+c", &["abac", "bc"], &["c"]),
    (r"(?<year>\d\d)", &["12"], &["1"]),
    ("a{2}", &["aa"], &["a", "a{2}"]),
    ("a{2,}", &["aaa"], &["a"]),
    ("a{1,2}?", &["a", "aa"], &["aaa"]),
    ("a{,2}", &["a{,2}"], &["a", "aa"]),
    ("a{b}", &["a{b}"], &["ab"]),
    ("{a}", &["{a}"], &["a"]),
    ("a}", &["a}"], &["a"]),
    ("[a&&b]", &["a", "&", "b"], &[""]),
    ("[a-c&&[b]", &["b", "&", "[", "a"], &["d"]),
    ("[a~~b]", &["~", "a"], &["c"]),
    (r"[\w-z]", &["-", "z", "5"], &["."]),
    ("[a-]+", &["a-"], &["b"]),
    ("[-a]+", &["-a"], &["b"]),
    (r"[a-\d]", &["a", "-", "5"], &["b"]),
    ("[]]", &[], &["]", ""]),
    ("[]", &[], &["a", ""]),
    ("[^]", &["a", "\n", "/"], &[""]),
    (r"[\]]", &["]"], &["["]),
    (r"[^\]a]", &["b"], &["a", "]"]),
    (r"[\b]", &["\u{8}"], &["b"]),
    ("[.*+?^$(){}|]+", &[".*+?^$(){}|"], &["a"]),
    (r"[\^a]", &["^", "a"], &["b"]),
    (r"a\/b", &["a/b"], &["ab"]),
    ("a/b", &["a/b"], &["ab"]),
    (r"\.\-\*\$\^\(\)\[\]\{\}\|\+\?\\", &[".-*$^()[]{}|+?\\"], &["a"]),
    (r"\x41\u0042\cJ\0", &["AB\n\u{0}"], &["AB"]),
    (r"\ud83d\ude00", &["😀"], &["\u{fffd}"]),
    (r"\u{1f600}", &["😀"], &["u"]),
    (r"[\u0041-\u0043]+", &["ABC"], &["D"]),
    (r"[\x00-\x1f]", &["\u{5}"], &["a"]),
    (r"\bfoo\b", &["foo"], &["xfoo"]),
    (r"a\b.b", &["a-b"], &["aéxb", "aab"]),
    (r"a\b.", &["aé", "a-"], &["ab"]),
    (r"\Bx|é\Bé", &["éé"], &["x"]),
    ("a#b c", &["a#b c"], &["a"]),
    ("a ~&-b", &["a ~&-b"], &["a"]),
    ("(a|ab)(c|bcd)", &["abcd", "ac", "abc"], &["abbcd x"]),
    ("a*?b??", &["aab", ""], &["ba"]),
    ("[^a]", &["é", "😀", "b"], &["a"]),
    ("é+|ü", &["éé", "ü"], &["e"]),
    (r"a\$|\^b", &["a$", "^b"], &["a", "b"]),
    (r"x\|^y", &[], &["x|y", "x", "y"]),
    ("a$b", &[], &["ab", "a$b"]),
    ("(^a$)", &["a"], &["b"]),
    ("a||b", &["a", "", "b"], &["|"]),
    ("a]", &["a]"], &["a"]),
    (r"\t\n\v\f\r", &["\t\n\u{b}\u{c}\r"], &["t"]),
    (r"[\t\s\D]", &["a", " "], &["1"]),
    (r"\u00e9\xe9", &["éé"], &["e"]),
];

/// Runs an automaton as lib/router/walk.ts does.
fn accepts(table: &[i32], text: &str) -> bool {
    let at = |offset: usize| table[offset] as usize;
    let next = |state: usize, byte: u8| at(STATES + state + at(CLASSES + usize::from(byte)));
    let state = text.bytes().fold(at(0), next);
    table[STATES + state + at(1) - 1] == 1
}

fn automaton(regex: &str) -> Box<[i32]> {
    let translated = translate(&units(regex)).unwrap_or_else(|wrong| panic!("{regex}: {wrong:?}"));
    build(&translated).unwrap_or_else(|problem| panic!("{regex}: {problem}"))
}

#[test]
fn means_what_it_means_in_javascript() {
    for (regex, yes, no) in VECTORS {
        let table = automaton(regex);
        yes.iter().for_each(|text| assert!(accepts(&table, text), "{regex} matches {text:?}"));
        no.iter().for_each(|text| assert!(!accepts(&table, text), "{regex} does not match {text:?}"));
    }
}

fn problem(pattern: &str) -> (usize, Problem) {
    let PatternError { position, problem, .. } =
        Router::default().declare(&units(pattern), |_| ()).expect_err("the pattern is wrong");
    (position, problem)
}

#[test]
fn tells_what_is_wrong_and_where() {
    assert_eq!(problem(r"/:a(x(?=y))"), (5, Problem::Lookaround));
    assert_eq!(problem(r"/:a(x(?!y))"), (5, Problem::Lookaround));
    assert_eq!(problem(r"/:a((?<=x)y)"), (4, Problem::Lookaround));
    assert_eq!(problem(r"/:a((?<!x)y)"), (4, Problem::Lookaround));
    assert_eq!(problem(r"/:a((x)\1)"), (7, Problem::Backreference));
    assert_eq!(problem(r"/:a((?<n>x)\k<n>)"), (11, Problem::Backreference));
    assert_eq!(problem(r"/:a(\p{L})"), (4, Problem::UnicodeProperty));
    assert_eq!(problem(r"/:a([\P{L}])"), (5, Problem::UnicodeProperty));
    assert_eq!(problem(r"/é:a(é\q)"), (6, Problem::Escape(r"\q".to_owned())));
    assert_eq!(problem(r"/:a(\x4)"), (4, Problem::Escape(r"\x".to_owned())));
    assert_eq!(problem(r"/:a(\u{110000})"), (4, Problem::Escape(r"\u".to_owned())));
    assert_eq!(problem(r"/:a(\ud83d)"), (4, Problem::Escape(r"\u".to_owned())));
    assert_eq!(problem(r"/:a([\B])"), (5, Problem::Escape(r"\B".to_owned())));
    assert_eq!(problem(r"/:a([z-a])"), (5, Problem::Range));
    assert_eq!(problem(r"/:a((?i:x))"), (4, Problem::Group));
    // Preferred empty, it would make the segment fail although another way to part it fits.
    assert_eq!(problem(r"/:a(\d*)1:b(\d+)"), (4, Problem::MayBeEmpty));
    assert_eq!(problem(r"/:a-:b(x?)"), (7, Problem::MayBeEmpty));
    // Only an engine that looks at all states for each unit could run this.
    assert_eq!(problem(r"/:a-:b([\w-]{1,1000}).html"), (7, Problem::RegexTooLarge));
    assert!(matches!(problem(r"/:a(*)"), (4, Problem::Regex(_))));
    assert!(matches!(problem(r"/:a(x{2,1})"), (4, Problem::Regex(_))));
    assert!(matches!(problem(r"/:a(\d)-:b(*)"), (11, Problem::Regex(_))));
    assert!(matches!(problem(&format!("/:a({}x{})", "(".repeat(10_000), ")".repeat(10_000))), (4, Problem::Regex(_))));
    let lone: Vec<u16> = units("/:a(").into_iter().chain([0xd800]).chain(units(")")).collect();
    let error = Router::default().declare(&lone, |_| ()).expect_err("no character");
    assert_eq!((error.position, error.problem), (4, Problem::LoneSurrogate));
}

/// Regexes on which backtracking engines take exponential time, or determinisation exponential room: what a walk
/// does is one step a byte in any case, so that only the room wants a bound, which declaring observes.
#[test]
fn no_regex_takes_more_than_its_share() {
    const FINE: [&str; 10] = [
        "(a+)+",
        "(a*)*b",
        "(a|aa)+b",
        "(a|a?)+b",
        "([a-z]+)*[0-9]",
        r"(\w+\s?)*!",
        "(x+x+)+y",
        r"([\w.-]+)+@([\w-]+\.)+[a-z]{2,63}",
        "a{1000}",
        r"[^/]{1,255}",
    ];
    for regex in FINE {
        let table = automaton(regex);
        assert_eq!(table.len(), STATES + (table[1] * table[2]) as usize);
        assert!(table[2] < 2_100, "{regex} has {} states", table[2]);
    }
    for regex in ["(a|b)*a(a|b){20}", "(a{1000}){1000}", ".*x.{500}"] {
        let translated = translate(&units(regex)).expect("it is a regex");
        assert_eq!(build(&translated).err(), Some(Problem::RegexTooLarge), "{regex}");
        assert_eq!(problem(&format!("/:a({regex})")), (4, Problem::RegexTooLarge));
    }
    assert_eq!(problem("/:a((a{1000}){1000})-:b"), (4, Problem::RegexTooLarge));
}

/// Parts of regexes in the syntax that JavaScript and the `regex` crate share.
fn regex() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a",
        "b",
        "ab",
        "é",
        "😀",
        "[ab]",
        "[^a]",
        "[a-cé-ü]",
        r"\x2f",
        r"\.",
        r"[\x00-\x7f]",
        "",
        r"\n",
    ]);
    atom.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "{1,3}", "*?", "{2,}"]))
                .prop_map(|(part, quantifier)| format!("({part}){quantifier}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_automaton_does_what_the_regex_crate_does(
        regex in regex(),
        texts in prop::collection::vec("[abcdé/ü😀.\n]{0,6}", 1..40),
    ) {
        let table = automaton(&regex);
        let reference = regex::Regex::new(&format!(r"\A(?:{regex})\z")).expect("it is a regex");
        for text in texts {
            prop_assert_eq!(accepts(&table, &text), reference.is_match(&text), "{} on {:?}", regex, text);
        }
    }

    #[test]
    fn any_text_is_a_regex_or_an_error(regex in r"[ab^$\\|()\[\]{}?*+.,0-9:<>=!kxupdDwWsSbB-]{0,24}") {
        if let Ok(translated) = translate(&units(&regex)) {
            build(&translated).ok();
        }
    }
}

fn mixed(options: Options, pattern: &str, text: &str) -> Option<Vec<String>> {
    let mut router = Router::new(options);
    let (mut parameters, text) = (0, units(text));
    router.declare(&units(pattern), |variant| parameters = variant.names.len()).expect("it is a pattern");
    let mut spans = vec![0; 2 * parameters];
    router.match_mixed(0, &text, &mut spans).expect("the first program is number 0").then(|| {
        spans.chunks(2).map(|span| String::from_utf16_lossy(&text[span[0] as usize..span[1] as usize])).collect()
    })
}

#[test]
fn mixed_segments_match_as_a_whole() {
    let plain = |pattern, text| mixed(Options::default(), pattern, text).map(|parts| parts.join(" "));
    assert_eq!(plain(r"/:a(\d+)-:b(\d+)", "12-345").as_deref(), Some("12 345"));
    assert_eq!(plain(r"/:a(\d+)-:b(\d+)", "12-345x"), None);
    assert_eq!(plain(r"/:a-:b(\d+)", "1-2-3").as_deref(), Some("1-2 3"), "the rest must match");
    assert_eq!(plain(r"/:a(.+)-:b", "1-2-3").as_deref(), Some("1-2 3"), "a regex is as greedy as it says");
    assert_eq!(plain(r"/:a(x|(y))-:b((?<n>z)+)", "y-zz").as_deref(), Some("y zz"), "other groups do not count");
    assert_eq!(plain(r"/:a(^\d+$).json", "12.json").as_deref(), Some("12"));
    assert_eq!(plain(r"/:a(é+).:b", "éé.😀z").as_deref(), Some("éé 😀z"), "units, not bytes");
    assert_eq!(plain(r"/:a([a-z]+)Z", "abZ").as_deref(), Some("ab"));
    assert_eq!(plain(r"/:a([a-z]+)Z", "abz"), None);
    let insensitive = Options { case_insensitive: true, ..Options::default() };
    assert_eq!(mixed(insensitive, r"/:a([a-z]+)Z", "abz"), Some(vec!["ab".to_owned()]));
    assert_eq!(mixed(insensitive, r"/:a([a-z]+)Z", "aBz"), None, "a regex stays as written");
}

#[test]
fn a_matcher_wants_room_and_a_program() {
    let mut router = Router::default();
    router.declare(&units(r"/:a(\d)-:b"), |_| ()).expect("it is a pattern");
    assert_eq!(router.match_mixed(0, &units("1-2"), &mut [0; 3]), None);
    assert_eq!(router.match_mixed(1, &units("1-2"), &mut [0; 4]), None);
    assert!(router.release(0));
    assert_eq!(router.match_mixed(0, &units("1-2"), &mut [0; 4]), None);
}
