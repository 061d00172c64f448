"""Short ways to say what a file says: `problems(body)` and `payload(text)` read a file whose header is right."""

from apps.catalog.webvtt import Document, Node, parse

Found = tuple[int, int, str]


def read(body: str) -> Document:
    """The document of a file with this after its header; the body's first line is line 3."""
    return parse(f"WEBVTT\n\n{body}".encode())


def problems(body: str) -> list[Found]:
    """Line, column and code of each problem."""
    return [(problem.line, problem.column, problem.code.value) for problem in read(body).problems]


def payload(text: str) -> tuple[tuple[Node, ...], list[Found]]:
    """The tree of a cue with this text, from second 1 to 9, and its problems; the text begins in line 4."""
    document = read(f"00:01.000 --> 00:09.000\n{text}\n")
    return document.cues[0].payload, [(problem.line, problem.column, problem.code) for problem in document.problems]
