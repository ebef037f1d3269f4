//! What patterns are read as, and what is no pattern.

use super::super::error::Problem;
use super::super::{MAX_PARAMETERS, MAX_SEGMENTS, MAX_UNITS, Options, Router};
use super::units;

/// The variants of a pattern, with the names of their parameters.
fn variants(options: Options, pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    let outcome = Router::new(options).declare(&units(pattern), |variant| {
        let names: Vec<String> = variant.names.iter().map(|name| String::from_utf16_lossy(name)).collect();
        found.push(format!("{} [{}]", String::from_utf16_lossy(variant.pattern), names.join(" ")));
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    found
}

fn plain(pattern: &str) -> String {
    variants(Options::default(), pattern).join(", ")
}

#[test]
fn slashes_matter_as_the_options_say() {
    for pattern in ["", "/", "//", "///"] {
        assert_eq!(plain(pattern), "/ []");
    }
    for pattern in ["a/b", "/a/b", "/a/b/", "//a//b//"] {
        assert_eq!(plain(pattern), "/a/b []");
    }
    let trailing = Options { keep_trailing_slash: true, ..Options::default() };
    assert_eq!(variants(trailing, "//a//b//"), ["/a/b/ []"]);
    assert_eq!(variants(trailing, "//"), ["/ []"]);
    assert_eq!(variants(trailing, "/:a?/"), ["/:a/ [a]", "/ []"]);
    assert_eq!(variants(trailing, "/f/*/"), ["/f/*/ []"], "the star is in the middle");
    let duplicate = Options { keep_duplicate_slashes: true, ..Options::default() };
    assert_eq!(variants(duplicate, "//a//b//"), ["//a//b []"]);
    assert_eq!(variants(duplicate, "/a//:b?"), ["/a//:b [b]", "/a []"]);
    let both = Options { keep_trailing_slash: true, ..duplicate };
    assert_eq!(variants(both, "//a//b//"), ["//a//b// []"]);
    assert_eq!(variants(both, "//"), ["// []"]);
    assert_eq!(plain("/:a([^/]+)/b"), "/:a([^/]+)/b [a]", "those of a regex are its own");
}

#[test]
fn names_end_where_the_next_parameter_begins() {
    assert_eq!(plain("/:user-id"), "/:user-id [user-id]");
    assert_eq!(plain("/:id.json"), "/:id.json [id.json]");
    assert_eq!(plain("/:a-:b"), "/:a-:b [a b]");
    assert_eq!(plain("/:user-id-:b"), "/:user-id-:b [user-id b]");
    assert_eq!(plain("/:é.:日本-:$_1"), "/:é.:日本-:$_1 [é 日本 $_1]");
    assert_eq!(plain("/:a😀.:b"), "/:a😀.:b [a b]", "a name ends in a letter there");
}

#[test]
fn two_colons_are_text() {
    assert_eq!(plain("/::a"), "/::a []");
    assert_eq!(plain("/a::b"), "/a::b []");
    assert_eq!(plain("/:name::cancel"), "/:name::cancel [name]");
    assert_eq!(plain("/:a:::b"), "/:a:::b [a b]");
    assert_eq!(plain("/:::a"), "/:::a [a]");
}

#[test]
fn regexes_end_with_their_parenthesis() {
    assert_eq!(plain(r"/:id(\d+)"), r"/:id(\d+) [id]");
    assert_eq!(plain(r"/:a([)]):b".trim_end_matches(":b")), r"/:a([)]) [a]");
    assert_eq!(plain(r"/:a(\)).:b((x)(y))z"), r"/:a(\)).:b((x)(y))z [a b]");
    assert_eq!(plain("/wiki/Foo_(bar)"), "/wiki/Foo_(bar) []", "elsewhere parentheses are text");
}

#[test]
fn optional_parameters_make_variants() {
    assert_eq!(plain("/a/:b?"), "/a/:b [b], /a []");
    assert_eq!(plain(r"/:a(\d+)?/c"), r"/:a(\d+)/c [a], /c []");
    assert_eq!(plain("/x/:a?/y/:b?"), "/x/:a/y/:b [a b], /x/:a/y [a], /x/y/:b [b], /x/y []");
    assert_eq!(plain("/:a?/:b?"), "/:a/:b [a b], /:a [a], / []", "what is one shape is there once");
    assert_eq!(plain("/f/*/:a?"), "/f/*/:a [a], /f/* []");
    assert_eq!(variants(Options::default(), "/:a?/:b?/:c?/:d?/:e?").len(), 6);
}

#[test]
fn shapes_are_counted() {
    let mut router = Router::default();
    let declare = |router: &mut Router, pattern: &str| {
        let mut shape = 0;
        router.declare(&units(pattern), |variant| shape = variant.shape).expect("it is a pattern");
        shape
    };
    let first = declare(&mut router, r"/:a(\d+)/x-:b");
    assert_eq!(declare(&mut router, r"/:c(\d+)/x-:d/"), first, "names do not matter");
    let other = declare(&mut router, r"/:a(\d*)/x-:b");
    assert_ne!(other, first, "regexes do");
    assert!(router.release(first) && router.release(first));
    assert!(!router.release(first), "it is forgotten");
    assert_eq!(declare(&mut router, "/other"), first, "its number is free");
    let rest = declare(&mut router, "/f/*");
    assert_ne!(declare(&mut router, "/f/*name"), rest);
    assert_eq!(router.len(), 4);
    let mut lower = Router::new(Options { case_insensitive: true, ..Options::default() });
    assert_eq!(declare(&mut lower, "/ABC/:d::X:e"), declare(&mut lower, "/abc/:f::x:g"));
    assert_ne!(declare(&mut lower, "/É"), declare(&mut lower, "/é"), "ASCII only");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let wrong = |pattern: &str| {
        let mut router = Router::default();
        let error = router.declare(&units(pattern), |_| ()).expect_err(pattern);
        assert!(router.is_empty(), "nothing has changed");
        assert!(error.to_string().starts_with("The route pattern \""), "{error}");
        (error.position, error.problem)
    };
    assert_eq!(wrong("/:"), (1, Problem::EmptyName));
    assert_eq!(wrong("/:(x)"), (1, Problem::EmptyName));
    assert_eq!(wrong("/:-:b"), (1, Problem::EmptyName));
    assert_eq!(wrong("/a/:?"), (3, Problem::EmptyName));
    assert_eq!(wrong("/:a/:b/:a"), (7, Problem::DuplicateName("a".to_owned())));
    assert_eq!(wrong("/:a/*a"), (4, Problem::DuplicateName("a".to_owned())));
    assert_eq!(wrong("/:a:b"), (3, Problem::AdjacentParameters));
    assert_eq!(wrong("/:a(x):b"), (6, Problem::AdjacentParameters));
    assert_eq!(wrong("/:a)"), (3, Problem::UnopenedParenthesis));
    assert_eq!(wrong("/:a((x)"), (3, Problem::UnclosedParenthesis));
    assert_eq!(wrong("/:a([)])/:b([)"), (11, Problem::UnclosedParenthesis));
    assert_eq!(wrong("/:a()"), (3, Problem::EmptyRegex));
    assert_eq!(wrong("/a?"), (2, Problem::MisplacedQuestionMark));
    assert_eq!(wrong("/:a?b"), (3, Problem::MisplacedQuestionMark));
    assert_eq!(wrong("/:a??"), (3, Problem::MisplacedQuestionMark));
    assert_eq!(wrong("/x:a?"), (4, Problem::MisplacedQuestionMark));
    assert_eq!(wrong("/*?"), (2, Problem::MisplacedQuestionMark));
    assert_eq!(wrong("/a*"), (2, Problem::MisplacedStar));
    assert_eq!(wrong("/**"), (2, Problem::MisplacedStar));
    assert_eq!(wrong("/:a*"), (3, Problem::MisplacedStar));
    assert_eq!(wrong("/*a:b"), (3, Problem::CatchAllName(b':'.into())));
    assert_eq!(wrong("/*a/:b?"), (1, Problem::CatchAllNotLast));
    assert_eq!(wrong("/a\n"), (2, Problem::ControlCharacter(10)));
    assert_eq!(wrong("/:a(\0)"), (4, Problem::ControlCharacter(0)));
    assert_eq!(wrong("/:a?/:b?/:c?/:d?/:e?/:f?"), (21, Problem::TooManyOptionals));
}

#[test]
fn sizes_are_bounded() {
    let problem = |pattern: &str| Router::default().declare(&units(pattern), |_| ()).err().map(|error| error.problem);
    assert_eq!(problem(&"/a".repeat(MAX_SEGMENTS)), None);
    assert_eq!(problem(&"/a".repeat(10_000)), Some(Problem::TooManySegments));
    assert_eq!(problem(&"a".repeat(MAX_UNITS)), None);
    assert_eq!(problem(&"a".repeat(MAX_UNITS + 1)), Some(Problem::TooLong));
    let parameters = |count: usize| (0..count).map(|number| format!("/:p{number}")).collect::<String>();
    assert_eq!(problem(&parameters(MAX_PARAMETERS)), None);
    assert_eq!(problem(&parameters(MAX_PARAMETERS + 1)), Some(Problem::TooManyParameters));
    let long = format!("/{}*", "a".repeat(1_000));
    let message = Router::default().declare(&units(&long), |_| ()).expect_err("a misplaced star").to_string();
    assert!(message.len() < 500, "a message quotes the start of a long pattern");
}
