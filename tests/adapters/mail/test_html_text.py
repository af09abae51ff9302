"""HTML to readable text, in linear time whatever it is."""

import time

import pytest

from adapters.mail.html_text import html_text
from tests.pace import in_time


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Satu</p><p>Dua<br>baris</p>", "Satu\n\nDua\nbaris"),
        ("<ul><li>50 Mbps<li>100 Mbps</ul><ol><li>a</li></ol>", "- 50 Mbps\n- 100 Mbps\n\n- a"),
        (
            "<table><tr><th>Bulan<th>Tagihan</tr><tr><td>Maret</td><td> Rp 1</td><td></td></tr></table>",
            "Bulan | Tagihan\nMaret | Rp 1",
        ),
        ("<table><tr><td><img><td>Logo saja</table>", "Logo saja"),
        ('Lihat <a href="https://a.example/x?a=1&amp;b=2">ini</a>.', "Lihat ini <https://a.example/x?a=1&b=2>."),
        ('<a href="https://www.a.example/">a.example</a> <a href=mailto:b@c.d>Budi</a>', "a.example Budi"),
        ("<a href='https://a.example'><img></a>", ""),
        ("<pre>a  b\n c</pre>", "a b\n c"),
        ("<blockquote type=cite><pre>a\n\nb</pre></blockquote>", "> a\n>\n> b"),
        (
            "<blockquote type=cite>lama<blockquote class=x>dalam</blockquote></blockquote>baru",
            "> lama\n>\n> dalam\n>\nbaru",
        ),
        ("1 < 2 &amp;&nbsp;&lt;b&gt; <b>x</b><!-- <p>tidak --> y<![if x]> z", "1 < 2 & <b> x y z"),
        ("<!-->satu<!-- tidak --><!--->dua", "satudua"),
        ('<p title="a > b" class=x>hai <style>p{}</style><SCRIPT>x<p></SCRIPT >ya', "hai ya"),
        ("<title>Judul</title><o:p>ya</o:p> <p", "ya"),
    ],
)
def test_text_of_html(html: str, expected: str) -> None:
    assert html_text(html).startswith(expected)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x" + "</div>" * 100_000,
        "".join(f"<p><font id={number}>x" for number in range(50_000)),
        "<p " + " ".join(f"a{number}=b" for number in range(80_000)) + ">x",
        "<blockquote type=cite>" * 45_000 + "x",
        "<table><tr>" + "<td> " * 200_000 + "x",
        '<p a="' * 150_000,
        "<!-" * 300_000 + "<!--" * 200_000,
        "<!-->" * 200_000,
        "<a href=" + " " * 900_000 + ">x",
        "<script>" * 100_000,
        "<" * 1_000_000,
        "&#1" * 300_000,
    ],
    ids=[
        "deep",
        "unclosed",
        "attributes",
        "quotes",
        "cells",
        "strings",
        "comments",
        "empty comments",
        "blanks",
        "scripts",
        "<",
        "&",
    ],
)
def test_hostile_html_takes_no_time(html: str) -> None:
    began = time.thread_time()
    html_text(html)
    assert in_time(time.thread_time() - began, 1)
