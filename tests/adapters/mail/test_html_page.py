"""The page that a person opens of a customer's HTML: in a real browser nothing of it runs, and nothing is fetched."""

import base64
import time
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser

from adapters.mail.html_page import PICTURES_LIMIT, POLICY, html_page
from adapters.mail.html_safe import CUT
from models.errors import Unreadable
from tests import needs
from tests.browser import PATIENCE, chromium

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="hit()"/>'

RUNS = "hit()"
ATTACKS = [
    "<script>{run}</script>",
    "<scr<script></script>ipt>{run}</scr</script>ipt>",
    "<script src={away}></script><script type=module>import '{away}'</script>",
    "<img src=x onerror={run}><img src=x onerror='{run}'><img/src=x/onerror={run}>",
    "<img src='x' alt='\"><img src=x onerror={run}>'>",
    "<svg onload={run}><svg><script>{run}</script></svg><svg><animate onbegin={run} attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={run}&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror={run}>'>",
    "<style><img src='</style><img src=x onerror={run}>'>",
    "<textarea><img title='</textarea><img src=x onerror={run}>'></textarea>",
    "<title><a title='</title><img src=x onerror={run}>'></title>",
    "<xmp><p title='</xmp><img src=x onerror={run}>'></xmp>",
    "<!--><img src=x onerror={run}>--><!--!><img src=x onerror={run}>--!><![CDATA[<img src=x onerror={run}>]]>",
    "<?x <img src=x onerror={run}>?><!doctype html><![if x]><img src=x onerror={run}>",
    "<iframe srcdoc='<script>parent.{run}</script>'></iframe><iframe src='javascript:parent.{run}'></iframe>",
    "<iframe src={away}></iframe><object data={away}></object><embed src={away}><frameset><frame src={away}>",
    "<body onload={run} background={away}><input autofocus onfocus={run}><details open ontoggle={run}>x</details>",
    "<video autoplay onloadstart={run} poster={away}><source src={away} onerror={run}></video><audio src={away}>",
    "<marquee onstart={run}>x</marquee><p style='animation-name:x' onanimationstart={run}>",
    "<style>@import '{away}'; body{{background:url({away})}} @font-face{{font-family:x;src:url({away})}}</style>",
    "<p style='background:url({away}); font-family:x'>x</p><table background={away}><td background={away}>x",
    "<link rel=stylesheet href={away}><link rel=preload as=image href={away}><link rel=dns-prefetch href={away}>",
    "<link rel=prefetch href={away}><link rel=icon href={away}><link rel=manifest href={away}>",
    "<meta http-equiv=refresh content='0;url={away}'><base href={away}/><img src=gambar.png>",
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline'\"><script>{run}</script>",
    "<img src={away}><img srcset='{away} 1x'><picture><source srcset={away}><img src=x></picture>",
    "<img src=cid:logo srcset={away}><img src='cid:x\" onerror={run} x=\"'><img src=cid:svg><img src=cid:renamed>",
    "<input type=image src={away}><form action={away} id=f><button>Kirim</button></form>",
    "<form action='javascript:{run}'><input type=submit value=Kirim id=x></form>",
    "<svg><image href={away} xlink:href={away} /><use href='{away}#x'/><foreignObject><img src={away}></svg>",
    "<a href='javascript:{run}'>klik</a><a href='java\tscript:{run}'>klik</a><a href='&#1;javascript:{run}'>klik</a>",
    "<a href='https://x' ping={away} onclick={run}>klik</a><area href='javascript:{run}'>",
    "<p id=body name=cookie><img name=createElement><form name=location><input name=attributes>",
    "<a href=\"https://x/'onmouseover='{run}\">klik</a><a href='https://x/\"onmouseover=\"{run}'>klik</a>",
    "{{{{constructor.constructor('{run}')()}}}}<p onclick\x00={run}><img src=x onerror\x0c={run}>",
    "<p title='\x00\"><img src=x onerror={run}>'><\x00script>{run}</script>+ADw-script+AD4-{run}+ADw-/script+AD4-",
]


def mail(*htmls: str) -> bytes:
    """Each of them a part of its own, and pictures that they may name."""
    message = EmailMessage()
    message["From"] = "budi@pelanggan.example"
    message.make_mixed()
    for html in htmls:
        part = EmailMessage()
        part.set_content(html.encode(), "text", "html", cte="base64")
        message.attach(part)
    odd = 'x" onerror=hit() x="'
    for name, data, kind in (("logo", PNG, "png"), ("svg", SVG, "svg+xml"), ("renamed", SVG, "png"), (odd, PNG, "png")):
        picture = EmailMessage()
        picture.set_content(data, "image", kind)
        picture["Content-ID"] = f"<{name}>"
        message.attach(picture)
    return message.as_bytes()


def page_of(*htmls: str) -> str:
    page = html_page(mail(*htmls), ["Surat / Mail 1: x"])
    assert page is not None
    return page


@pytest.fixture(scope="module")
def away() -> Iterator[tuple[str, list[str]]]:
    """A web server, and what it was asked for."""
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/away", asked
    server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    needs.install()
    with chromium() as browser:
        yield browser


def opened(browser: Browser, file: Path, html: str) -> tuple[list[str], int, list[dict[str, Any]]]:
    """What a browser asks for when a page is opened and clicked on, how often a script ran, and the page's links."""
    file.write_text(html, encoding="utf-8", errors="replace")
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    hits: list[int] = []
    page.expose_function("hit", lambda: hits.append(1))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.goto(file.as_uri(), wait_until="load")
    for target in page.locator("a:not([href^=https]), button, [type=submit]").all():
        target.dispatch_event("click")
    page.mouse.move(50, 50)
    time.sleep(0.3)
    links = "[...document.links].map(link => ({href: link.href, text: link.textContent, rel: link.rel}))"
    found = page.evaluate(links) if page.url.startswith("file:") else []
    page.close()
    return [url for url in asked if not url.startswith("data:") and url != file.as_uri()], len(hits), found


def test_nothing_runs_and_nothing_is_fetched(browser: Browser, tmp_path: Path, away: tuple[str, list[str]]) -> None:
    address, asked = away
    page = page_of(*(attack.format(run=RUNS, away=f"{address}/{number}") for number, attack in enumerate(ATTACKS)))
    assert page.count("\n<hr>\n") == len(ATTACKS)
    assert page.count("data:image/png;base64,") == 2
    # the first wall holds alone, too
    for walls in (page, page.replace(POLICY, "")):
        fetched, hits, links = opened(browser, tmp_path / "page.html", walls)
        assert (fetched, asked, hits) == ([], [], 0)
        assert {link["rel"] for link in links} == {"noopener noreferrer nofollow"}
        assert all(link["href"].startswith("https://x/") for link in links)


@pytest.mark.parametrize("attack", [ATTACKS[0], ATTACKS[3], ATTACKS[15], ATTACKS[19], ATTACKS[25]])
def test_the_same_browser_would_run_or_fetch_it(
    attack: str, browser: Browser, tmp_path: Path, away: tuple[str, list[str]]
) -> None:
    raw = attack.format(run=RUNS, away=away[0])
    fetched, hits, _ = opened(browser, tmp_path / "raw.html", raw)
    assert fetched or hits
    away[1].clear()
    fetched, hits, _ = opened(browser, tmp_path / "raw.html", page_of("x").replace("<hr>", raw))
    assert (away[1], hits) == ([], 0), "the policy alone stops it"


def test_a_browser_ends_links_where_they_seem_to_end(browser: Browser, tmp_path: Path) -> None:
    tricky = ["<table><tr><td></a>", "<div>" * 12 + "</a>", "<p><b></a></p></b>", "<table><b></a>", "<ul><li></a><li>"]
    html = "".join(f"<a href=https://evil.example>klik{one} telkom.example</table>" for one in tricky)
    _, _, links = opened(browser, tmp_path / "links.html", page_of(html))
    assert len(links) == len(tricky)
    assert all("telkom" not in link["text"] for link in links)


def test_a_page_tells_what_it_is_and_shows_every_html_part() -> None:
    first = b"Content-Type: text/html; charset=iso-8859-1\r\n\r\n<p>caf\xe9"
    others = [
        b"Content-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n<p>lampiran",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"<p>dua"),
    ]
    raw = b"From: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw += b"".join(b"--b\r\n" + part + b"\r\n" for part in (first, *others)) + b"--b--"
    page = html_page(raw, ["<b>", "DMARC: fail"])
    assert page is not None
    assert all(
        text in page for text in ("<title>&lt;b&gt;</title>", "DMARC: fail<br>", "<p>café</p>", "<p>dua</p>", POLICY)
    )
    assert "lampiran" not in page
    assert html_page(b"From: a@b.c\r\n\r\n<p>hai", ["x"]) is None
    with pytest.raises(Unreadable):
        html_page(b"", ["x"])


def test_a_page_is_bounded() -> None:
    big = PNG + bytes(3_000_000)
    message = EmailMessage()
    message["From"] = "a@b.c"
    message.set_content("<img src=cid:a>" * 10 + "<p>" + "x" * 1_000_000 + "akhir", subtype="html")
    message.add_related(big, "image", "png", cid="<a>")
    page = html_page(message.as_bytes(), ["x"])
    assert page is not None
    assert page.count("data:image") == 1
    assert len(page) < PICTURES_LIMIT
    assert "akhir" not in page
    assert CUT in page


def test_broken_letters_do_not_break_the_page() -> None:
    head = b"From: a@b.c\r\nContent-Type: text/html; charset=utf-7\r\n\r\n"
    page = html_page(head + b"+2AA-&#xD800;hai", ["x\udc80"])
    assert page is not None
    assert "hai" in page
