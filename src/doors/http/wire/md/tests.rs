//! What `@rocket.chat/message-parser` 0.31 gives for these texts, and where linnet's tree is another on purpose.

use super::drawn;
use crate::base::limits::MENTIONS_MAX;
use serde_json::value::RawValue;

fn md(text: &str) -> Option<Box<RawValue>> {
    drawn(text).tree
}

#[track_caller]
fn check(text: &str, tree: &str) {
    let got = md(text).map_or(String::new(), |tree| tree.get().to_owned());
    // Short words for what stands everywhere keep the rows readable.
    let short =
        got.replace("\"type\":", "").replace("\"value\":", "").replace("PLAIN_TEXT\",", "").replace('"', "");
    assert_eq!(short, tree, "{text:?}");
}

#[test]
fn lines_become_blocks() {
    check("", "");
    check("hi", "[{PARAGRAPH,[{hi}]}]");
    check("a\r\nb\n", "[{PARAGRAPH,[{a}]},{PARAGRAPH,[{b}]}]");
    check("a\n\nb", "[{PARAGRAPH,[{a}]},{LINE_BREAK},{PARAGRAPH,[{b}]}]");
    check("## T *b*", "[{HEADING,[{T *b*}],level:2}]");
    check("# a\nb", "[{HEADING,[{a}],level:1},{LINE_BREAK},{PARAGRAPH,[{b}]}]");
    check("##### x", "[{PARAGRAPH,[{##### x}]}]");
    check(
        "> q\n>\n> *r*\ns",
        concat!(
            "[{QUOTE,[{PARAGRAPH,[{q}]},{PARAGRAPH,[{}]},{PARAGRAPH,[{BOLD,[{r}]}]}]},",
            "{PARAGRAPH,[{s}]}]"
        ),
    );
    check(">", "[{PARAGRAPH,[{>}]}]");
    check(
        "```js\na *b*\n\nc\n```",
        "[{CODE,[{CODE_LINE,{a *b*}},{CODE_LINE,{}},{CODE_LINE,{c}}],language:js}]",
    );
    check("```\nx", "[{PARAGRAPH,[{```}]},{PARAGRAPH,[{x}]}]");
    check("- a\n- b", "[{UNORDERED_LIST,[{LIST_ITEM,[{a}]},{LIST_ITEM,[{b}]}]}]");
    check("* a *b*", "[{UNORDERED_LIST,[{LIST_ITEM,[{a },{BOLD,[{b}]}]}]}]");
    check("* a* b", "[{PARAGRAPH,[{BOLD,[{ a}]},{ b}]}]");
    check("9. a\n10. b", "[{ORDERED_LIST,[{LIST_ITEM,[{a}],number:9},{LIST_ITEM,[{b}],number:10}]}]");
    check("- [ ] a\n- [x] b", "[{TASKS,[{TASK,[{a}],status:false},{TASK,[{b}],status:true}]}]");
    check("-a\n1.a", "[{PARAGRAPH,[{-a}]},{PARAGRAPH,[{1.a}]}]");
}

#[test]
fn marks_become_spans() {
    check(
        "**a** *b* _c_ ~d~",
        "[{PARAGRAPH,[{BOLD,[{a}]},{ },{BOLD,[{b}]},{ },{ITALIC,[{c}]},{ },{STRIKE,[{d}]}]}]",
    );
    check("*a _b ~c~_*", "[{PARAGRAPH,[{BOLD,[{a },{ITALIC,[{b },{STRIKE,[{c}]}]}]}]}]");
    check("***x***", "[{PARAGRAPH,[{*},{BOLD,[{x}]},{*}]}]");
    check("snake_case_name _a_b", "[{PARAGRAPH,[{snake_case_name _a_b}]}]");
    check("*a\nb*", "[{PARAGRAPH,[{*a}]},{PARAGRAPH,[{b*}]}]");
    check("*  *", "[{PARAGRAPH,[{*  *}]}]");
    check("\\*a\\* \\a", "[{PARAGRAPH,[{*a* \\\\a}]}]");
    check("`a *b*` ``c``", "[{PARAGRAPH,[{INLINE_CODE,{a *b*}},{ `},{INLINE_CODE,{c}},{`}]}]");
    check("a||b||c", "[{PARAGRAPH,[{a},{SPOILER,[{b}]},{c}]}]");
}

#[test]
fn names_and_emoji_are_found() {
    check(
        "hi @bob.x! #a-b_c, x@y a#b",
        "[{PARAGRAPH,[{hi },{MENTION_USER,{bob.x}},{! },{MENTION_CHANNEL,{a-b_c}},{, x@y a#b}]}]",
    );
    check(":smile: 😀", "[{BIG_EMOJI,[{EMOJI,{smile},shortCode:smile},{EMOJI,unicode:😀}]}]");
    check("a :+1: b", "[{PARAGRAPH,[{a },{EMOJI,{+1},shortCode:+1},{ b}]}]");
    check(":smile:x a:smile:", "[{PARAGRAPH,[{:smile:x a:smile:}]}]");
    check("ok :) (:)", "[{PARAGRAPH,[{ok },{EMOJI,{:)},shortCode:slight_smile},{ (:)}]}]");
    check("👍🏽👨‍👩‍👧🇩🇪 x", "[{PARAGRAPH,[{EMOJI,unicode:👍🏽},{EMOJI,unicode:👨‍👩‍👧},{EMOJI,unicode:🇩🇪},{ x}]}]");
    check("color:#abc", "[{PARAGRAPH,[{COLOR,{r:170,g:187,b:204,a:255}}]}]");
    check(
        "<t:1630360800:R>",
        "[{PARAGRAPH,[{TIMESTAMP,{timestamp:1630360800,format:R},fallback:{<t:1630360800:R>}}]}]",
    );
}

#[test]
fn addresses_become_links() {
    let link = |src: &str, shown: &str| format!("{{LINK,{{src:{{{src}}},label:[{{{shown}}}]}}}}");
    let line = |part: String| format!("[{{PARAGRAPH,[{part}]}}]");
    let same = |src: &str| line(link(src, src));
    check("https://x.de/a_b_c?q=*d", &same("https://x.de/a_b_c?q=*d"));
    check("x.de, y", &line(format!("{},{{, y}}", link("//x.de", "x.de"))));
    check("bob@x.de", &line(link("mailto:bob@x.de", "bob@x.de")));
    check("+49-12345", &line(link("tel:4912345", "+49-12345")));
    check("[*l*](http://x)", "[{PARAGRAPH,[{LINK,{src:{http://x},label:[{BOLD,[{l}]}]}}]}]");
    check("<http://x.de|l>", &line(link("http://x.de", "l")));
    check("![a](http://x.de/p.png)", "[{PARAGRAPH,[{IMAGE,{src:{http://x.de/p.png},label:{a}}}]}]");
    check("[a](b) 12:30 v1.2.3 +12", "[{PARAGRAPH,[{[a](b) 12:30 v1.2.3 +12}]}]");
    // Otherwise than there.
    check("http://raspberrypi:3000/x", &same("http://raspberrypi:3000/x"));
    check(
        "(https://x.com/(a))",
        &line(format!("{{(}},{},{{)}}", link("https://x.com/(a)", "https://x.com/(a)"))),
    );
    for text in
        ["javascript://x.com/%0aalert(1)", "[a](javascript:alert(1))", "<data:text/html,x|a>", "data://x.com"]
    {
        let tree = md(text).unwrap();
        assert!(!tree.get().contains("LINK"), "{tree}");
    }
}

#[test]
fn pages_that_are_linked_to_are_told_once() {
    let text =
        "see x.de and *[y](https://y.de/a)*\n> https://y.de/a ![p](http://p.de)\n- bob@x.de ftp://f.de";
    assert_eq!(drawn(text).urls, ["http://x.de", "https://y.de/a", "http://p.de"]);
}

#[test]
fn names_are_found_where_people_write_them() {
    let people = |text: &str| drawn(text).people;
    assert_eq!(
        people("# for @dora\n@bob, see @alice.b. and *(@carol)* @bob"),
        ["dora", "bob", "alice.b", "carol"]
    );
    assert!(people("mail bob@example.org @@x `@bob`\n```\n@bob\n```").is_empty());
    assert_eq!(drawn("http://a/#b #garden-2! #garden-2").rooms, ["garden-2"]);
    let many: String = (0..100).map(|number| format!("@u{number} ")).collect();
    assert_eq!(people(&many).len(), MENTIONS_MAX);
}

/// Whatever somebody writes, it is read in steps that grow with its length alone.
#[test]
fn nonsense_is_read_in_bounded_steps() {
    for part in
        ["*a", "_*~a", "[a", "[]([](", "`", "<a|", "<", "||*_~", "> *_~\n", ":a", "```\n", "[*_a", "http://"]
    {
        let text = part.repeat(16_384 / part.len());
        let tree = md(&text).expect("there is something to draw");
        let _: serde_json::Value = serde_json::from_str(tree.get()).expect("it is JSON");
        let mut steps = 1_000;
        super::inline::Line::parse(&text, &mut steps);
        assert_eq!(steps, 0, "{part}: more than that is left to be tried");
    }
}
