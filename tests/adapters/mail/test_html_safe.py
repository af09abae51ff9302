"""A customer's HTML as a person may see it: harmless, bounded, with links that say where they go."""

import resource
import time

import pytest

from adapters.mail.html_safe import CUT, NAME_LIMIT, TAGS_LIMIT, safe_html
from tests.pace import in_time

REL = ' rel="noopener noreferrer nofollow"'


PICTURES = {"logo": "data:image/png;base64,iVBORw0KGgo=", "bad": "data:text/html;base64,AA=="}


def safe(html: str) -> str:
    return safe_html(html, lambda name: PICTURES.get(name, ""))


def linked(address: str, text: str, words: str = "") -> str:
    return f'<a href="{address}" title="{address}"{REL}>{text}</a>{words}'


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p class=x style=y onclick=z id=a>hai <B>tebal</b>", "<p>hai <b>tebal</b></p>"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<table><tr><td bgcolor=red>1</table>", "<table><tbody><tr><td>1</td></tr></tbody></table>"),
        ("1 < 2 &amp; &lt;b&gt; &copy; <o:p>ya</o:p><!-- tidak -->", "1 &lt; 2 &amp; &lt;b&gt; © ya"),
        ("<s>batal</s> <u>x</u><font color=red>y</font><span>z</span>", "<del>batal</del> <ins>x</ins>yz"),
        ("a<script>alert(1)</script>b<style>p{}</style>c<title>d</title><template><p>e</template>f", "abcf"),
        ("<form action=//x><input name=a><button>Kirim</button></form>", "<div>Kirim</div>"),
        ("<iframe src=//x>a</iframe><object data=//x>b</object><svg onload=x>c</svg><math>d</math>", "abcd"),
        ("<base href=//x><meta http-equiv=refresh content=0;//x><link rel=stylesheet href=//x>e", "e"),
        ("akhir\u202eterbalik&#x202e;<img alt='\u2066x'>", "akhirterbalik[gambar / image: x]"),
        ("<img src=https://x/y.png alt='&lt;b>'><img src=//x>", "[gambar / image: &lt;b&gt;][gambar / image]"),
        ("<img src=cid:logo alt=Telkom onerror=x>", '<img src="data:image/png;base64,iVBORw0KGgo=" alt="Telkom">'),
        ("<img src=CID:logo srcset='//x 2x'>", '<img src="data:image/png;base64,iVBORw0KGgo=" alt="">'),
        ("<img src=cid:bad><img src=data:image/svg+xml;base64,AA==>", '<img alt="">[gambar / image]'),
    ],
)
def test_what_acts_goes_and_what_is_read_stays(html: str, expected: str) -> None:
    assert safe(html).replace("\n", "") == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='http://a.example/?a&copy=2'>x</a>", ("http://a.example/?a&amp;copy=2", "x", " [a.example]")),
        ("<a href=http://a.example/>www.A.example</a>", ("http://a.example/", "www.A.example", " [a.example]")),
        ("<a href=https://a.example>a.example</a>", ("https://a.example", "a.example")),
        ("<a href=mailto:cs@a.example>cs@a.example</a>", ("mailto:cs@a.example", "cs@a.example")),
        ("<a href=mailto:cs@a.example>CS</a>", ("mailto:cs@a.example", "CS", " [cs@a.example]")),
        ("<a href=https://a.example>harga 1.500.000", ("https://a.example", "harga 1.500.000", " [a.example]")),
        ("<a href=https://a.example><div>Bayar</div></a>", ("https://a.example", "<br>Bayar", " [a.example]")),
    ],
)  # fmt: skip
def test_a_link_says_where_it_goes(html: str, expected: tuple[str, ...]) -> None:
    assert safe(html) == linked(*expected)


@pytest.mark.parametrize(
    ("href", "text"),
    [
        ("https://evil.example/", "www.telkom.example"),
        ("https://evil.example/", "Masuk ke https://telkom.example/akun"),
        ("https://evil.example/", "t<b>elkom</b>.exa<span></span>mple"),
        ("https://evil.example/", "telkom&shy;&#8203;.example"),
        ("https://evil.example/", " \n" * NAME_LIMIT + "telkom.example"),
        ("https://evil.example/", "x" * NAME_LIMIT + " telkom.example"),
        ("https://evil.example/", "telkom\uff0eexample"),
        ("https://evil.example/", "telkom\u3002example"),
        ("https://evil.example/", "<img alt='telkom.example'>"),
        ("https://evil.example/", "cs@telkom.example"),
        ("https://evil.example/", "10.0.0.1"),
        ("https://evil.example/", "http://localhost"),
        ("https://telkom.example.evil.example/", "telkom.example"),
        ("mailto:cs@evil.example", "cs@telkom.example"),
        ("mailto:dia@telkom.example", "cs@telkom.example"),
        # what programs read in different ways
        ("https://telkom.example@evil.example/", "telkom.example"),
        ("https://telkom.example\\@evil.example/", "telkom.example"),
        ("https:/\\evil.example", "klik"),
        ("//evil.example", "klik"),
        ("https://evil&#x2e;example&#x2f;\u202e", "klik"),
        ("https://tёlkom.example", "klik"),
        # what is no address at all
        ("javascript:alert(1)", "klik"),
        (" java&#10;script&colon;alert(1)", "klik"),
        ("data:text/html,<script>alert(1)</script>", "klik"),
        ("vbscript:x", "klik"),
        ("file:///etc/passwd", "klik"),
        ("cid:page", "klik"),
    ],
)
def test_a_link_that_hides_its_target_is_none(href: str, text: str) -> None:
    shown = safe(f'<p><a href="{href}">{text}</a> dan')
    assert "href" not in shown
    assert "[⚠ tujuan / goes to: " in shown
    assert "evil" not in href or "evil" in shown


def test_a_link_that_goes_nowhere_is_left_out() -> None:
    assert safe("<a name=top>a</a><a href=#x>b</a><a href=''>c</a>") == "abc"


@pytest.mark.parametrize(
    "tricky",
    [
        "<table><tr><td></a>",
        "<div>" * 12 + "</a>",
        "<p><b></a></p></b>",
        "<ul><li><a></a>",
    ],
)
def test_no_text_behind_a_link_belongs_to_it(tricky: str) -> None:
    """Browsers let a link that ends within a table, or many blocks, go on behind it."""
    shown = safe(f"<a href=https://evil.example>klik{tricky} telkom.example")
    assert shown.count("<a ") == 1
    assert shown.index("</a>") < shown.index("telkom.example")


HOSTILE = {
    "deep": "<div>" * 200_000 + "x",
    "lists": "<ul><li>" * 100_000 + "x",
    "unclosed": "".join(f"<p><font id={number}><b><i><s>x" for number in range(50_000)),
    "paragraphs": "<b><i><s><u>" * 3 + "<p>x" * 200_000,
    "ends": "<div></p>" * 100_000,
    "links": "<a href=https://a.example>a.a" * 30_000,
    "a link's text": "<a href=https://a.example>" + "a." * 400_000 + "</a>",
    "adoption": "<b><p>" * 50_000 + "</b>" * 50_000,
    "tables": "<table><tr><td>" * 60_000,
    "attributes": "<a " + " ".join(f"a{number}=b" for number in range(80_000)) + " href=https://a.example>x",
    "strings": '<a href="' * 150_000,
    "references": "<a href='" + "&#1" * 300_000 + "'>x",
    "comments": "<!-" * 300_000 + "<!--" * 200_000,
    "<": "<" * 1_000_000,
    "blanks": "<a" + " " * 900_000 + "=>x",
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_html_takes_little_time_and_memory(html: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.thread_time()
    safe(html)
    assert in_time(time.thread_time() - began, 2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_what_is_beyond_the_limit_is_said() -> None:
    shown = safe("<p>x" * (TAGS_LIMIT + 10))
    assert shown.endswith(CUT)
    assert shown.count("x") == TAGS_LIMIT - 1
    assert CUT not in safe("<span>x" * (TAGS_LIMIT + 10))
