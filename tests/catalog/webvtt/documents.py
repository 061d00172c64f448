"""Sound documents of every kind, and files that were sound before something happened to them."""

from collections.abc import Sequence

from hypothesis import strategies as st

from apps.catalog.webvtt import Cue, Document, Node, Region, Settings, Span, Text, Timestamp, write

# Everything that a decoded file may hold, with what has a meaning in WebVTT made likely.
letters = st.one_of(
    st.sampled_from("<>&-;.:#/ \tax平衡\u00a0\u200e\ufeff\x0b\x0c\x1b\x85\u2028"),
    st.characters(exclude_characters="\n\r\0", codec="utf-8"),
)
line = st.text(letters, min_size=1, max_size=12)
lines = st.lists(line, min_size=1, max_size=3).map("\n".join)
percent = st.integers(0, 100).map("{}%".format) | st.sampled_from(["0.5%", "099.25%", "100.0%"])
identifier = line.filter(lambda text: "-->" not in text and not text.startswith(("NOTE", "STYLE", "REGION")))
class_name = st.text("ab平-_", min_size=1, max_size=4).filter(lambda name: not name.endswith("--"))
voice = line.map(lambda text: " ".join(text.replace("\t", " ").replace("\x0c", " ").split(" ")).strip(" "))
word = st.text("abc123.:-", min_size=1, max_size=5).filter(lambda text: "-->" not in text)
times = st.integers(0, 4 * 3_600_000)


def spans(children: st.SearchStrategy[list[Node]]) -> st.SearchStrategy[Span]:
    classes = st.lists(class_name, max_size=2).map(tuple)
    annotation = st.one_of(
        st.tuples(st.sampled_from(["c", "i", "b", "u", "ruby"]), st.just("")),
        st.tuples(st.just("v"), voice.map(lambda text: " ".join(part for part in text.split(" ") if part) or "Mary")),
        st.tuples(st.just("lang"), st.sampled_from(["en", "zh-Hant", "x-a"])),
    )
    return st.builds(
        lambda named, classes, inside: Span(named[0], classes, named[1], merged(inside)), annotation, classes, children
    )


def merged(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Neighbouring texts as one, as they are read."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Text) and result and isinstance(last := result[-1], Text):
            result[-1] = Text(last.value + node.value)
        else:
            result.append(node)
    return tuple(result)


nodes = st.recursive(
    st.lists(st.builds(Text, lines), max_size=2),
    lambda children: st.lists(st.builds(Text, lines) | spans(children), max_size=3),
    max_leaves=6,
)
settings = st.builds(
    Settings,
    region=st.none() | st.sampled_from(["fred", "bill"]),
    vertical=st.none() | st.sampled_from(["rl", "lr"]),
    line=st.none() | percent | st.sampled_from(["-1", "0", "5,center", "10%,end"]),
    position=st.none() | percent | st.sampled_from(["10%,line-left", "50%,center"]),
    size=st.none() | percent,
    align=st.none() | st.sampled_from(["start", "center", "end", "left", "right"]),
)
regions = st.tuples(
    st.builds(
        Region,
        id=st.just("fred"),
        width=st.none() | percent,
        lines=st.none() | st.just("3"),
        regionanchor=st.none() | st.tuples(percent, percent).map(",".join),
        viewportanchor=st.none() | st.tuples(percent, percent).map(",".join),
        scroll=st.none() | st.just("up"),
    ),
    st.builds(Region, id=st.just("bill")),
)


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    start = draw(times)
    end = start + draw(st.integers(1, 60_000))
    payload = draw(nodes)
    if draw(st.booleans()) and end - start > 2:
        payload = [*payload, Timestamp(draw(st.integers(start + 1, end - 1))), Text("then")]
    return Cue(start, end, merged(payload), settings=draw(settings))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    identifiers = draw(st.lists(identifier, unique=True, max_size=5))
    found = sorted(draw(st.lists(cues(), max_size=5)), key=lambda cue: cue.start_ms)
    named = [
        Cue(cue.start_ms, cue.end_ms, cue.payload, name, cue.settings)
        for cue, name in zip(found, [*identifiers, *[""] * len(found)], strict=False)
    ]
    styles = draw(st.lists(st.sampled_from(["::cue { color: red }", "::cue(b) {\n  color: lime\n}"]), max_size=2))
    return Document(tuple(named), draw(regions), tuple(styles))


MISHAPS = (
    *("-->", "--> ", "\n", "\n\n", "\r", "\r\n", " ", "<", "</", ">", "&", "<b>", "</i>", "<v>", "<ruby><rt>"),
    *("NOTE\n", "STYLE\n", "REGION\n", "\0", "\ufeff", ":", ".", "00:", "99:99.999", "平", "WEBVTT\n", "region:x "),
    *("00:01.000 --> 00:02.000\n", "line:1 line:2"),
)
mishap = st.sampled_from(MISHAPS)


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A sound file with some lines lost, doubled, exchanged or broken, the header left alone."""
    parts = write(draw(documents())).decode().split("\n")[1:]
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(parts) - 1))
        other = draw(st.integers(0, len(parts) - 1))
        match draw(st.sampled_from(["lose", "double", "exchange", "break", "cut", "move"])):
            case "lose" if len(parts) > 1:
                del parts[at]
            case "double":
                parts.insert(other, parts[at])
            case "exchange":
                parts[at], parts[other] = parts[other], parts[at]
            case "move":
                parts.insert(other, parts.pop(at))
            case "break":
                column = draw(st.integers(0, len(parts[at])))
                parts[at] = parts[at][:column] + draw(mishap) + parts[at][column:]
            case _:
                column = draw(st.integers(0, len(parts[at])))
                parts[at] = parts[at][:column] + parts[at][column + draw(st.integers(1, 4)) :]
    return "\n".join(["WEBVTT", *draw(st.sampled_from([[""], []])), *parts]).encode()
