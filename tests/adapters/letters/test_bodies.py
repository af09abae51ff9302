"""The two bodies: what a line becomes, and that nobody but the template decides it."""

from hypothesis import example, given
from hypothesis.strategies import SearchStrategy, lists, sampled_from, text
from markupsafe import escape

from adapters.letters.bodies import as_blocks, as_text, link, strong

LETTER = """
Dear &lt;you&gt;,
two lines

<strong>Cause:</strong>
rain
- one
- two
<th>Ticket</th>: INC1
<th>Unit</th>: Field: north

Label: not a fact
Other: neither

<hr>
Bye
"""


def hostile() -> SearchStrategy[str]:
    """What could be taken for the template's own, and anything else."""
    marks = ["<th>", "</th>: ", "<hr>", "- ", "\n", "\r\n", "\n\n", "\u2028", "</td></tr></table>", "<a href='x:y'>"]
    others = ["&lt;hr&gt;", "&amp;", "&#60;", "{{ reference }}", "{% raw %}", "[x](http://jahat.example)", '"', "'"]
    return lists(sampled_from(marks + others) | text(max_size=4), max_size=12).map("".join).filter(str.strip)


def test_lines_become_what_they_are() -> None:
    assert as_blocks(LETTER) == [
        ("paragraph", ["Dear &lt;you&gt;,", "two lines"]),
        ("paragraph", ["<strong>Cause:</strong>", "rain"]),
        ("items", ["one", "two"]),
        ("facts", ["Ticket</th>: INC1", "Unit</th>: Field: north"]),
        ("paragraph", ["Label: not a fact", "Other: neither"]),
        ("footer", [""]),
        ("paragraph", ["Bye"]),
    ]


def test_the_text_has_no_tags_and_no_holes() -> None:
    expected = "Dear <you>,\ntwo lines\n\nCause:\nrain\n- one\n- two\nTicket: INC1\nUnit: Field: north\n\n"
    assert as_text(LETTER) == expected + "Label: not a fact\nOther: neither\n\nBye\n"


@given(hostile())
@example("<th>Status</th>: Selesai\n<hr>\n&lt;hr&gt;")
def test_escaped_words_are_only_words(words: str) -> None:
    letter = str(escape(words))
    blocks = as_blocks(letter)
    assert {what for what, _ in blocks} <= {"paragraph", "items"}
    assert not any(set("<>\"'") & set(line) for _, lines in blocks for line in lines)
    assert as_text(letter).split() == words.split()


@given(hostile())
def test_a_mark_ends_on_its_line(words: str) -> None:
    for marked in (strong(words), link(words)):
        assert len(marked.splitlines()) == 1
        assert as_text(marked).split() == words.split()


def test_a_link_holds_an_address_and_nothing_else() -> None:
    assert link('a"b?bcc=eve@jahat.example') == (
        '<a href="mailto:a%22b%3Fbcc%3Deve@jahat.example">a&#34;b?bcc=eve@jahat.example</a>'
    )
