"""The TLS proxy of `docs/operations.md` before the desk: a real nginx with the very lines that stand there."""

import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from adapters.case_store.store import Store
from flows.processes import ROOT
from tests import needs
from tests.flows.desk.conftest import PASSWORD, Desk, listening
from tests.ports import free_port
from tests.servers import eventually

NAME = "layanan.telkom.example"


def written() -> str:
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@contextmanager
def nginx(folder: Path, desk: Desk) -> Iterator[httpx.Client]:
    """A browser beyond the proxy."""
    unpacked = needs.unpacked("nginx")
    port, key, certificate = free_port(), folder / "key.pem", folder / "certificate.pem"
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run([*new, "-keyout", key, "-out", certificate, *names], check=True, capture_output=True)
    server = written()
    for ours, theirs in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/certs/layanan.pem", str(certificate)),
        ("/etc/ssl/private/layanan.key", str(key)),
        ("127.0.0.1:4280", desk.url.removeprefix("http://")),
    ):
        assert ours in server
        server = server.replace(ours, theirs)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
    user = "user root;\n" if folder.owner() == "root" else ""
    (folder / "nginx.conf").write_text(f"{user}{main}http {{ access_log off; {temporary}\n{server}}}\n")
    command = [
        str(next(unpacked.rglob("sbin/nginx"))),
        "-p",
        str(folder),
        "-c",
        f"{folder}/nginx.conf",
        "-e",
        f"{folder}/log",
    ]
    process = subprocess.Popen(command, env=needs.libraries(unpacked), stderr=(folder / "said").open("wb"))
    try:
        trust = ssl.create_default_context(cafile=certificate)
        trust.check_hostname = False  # the browser below goes by the address
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", headers={"Host": NAME}, verify=trust) as browser:
            assert eventually(lambda: answers(browser) or process.poll() is not None)
            assert process.poll() is None, (folder / "said").read_text()
            yield browser
    finally:
        process.terminate()
        process.wait(30)


def answers(browser: httpx.Client) -> bool:
    try:
        return browser.get("/sign-in").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("header", ["", "X-Forwarded-Email"])
def test_signing_in_through_the_proxy(sqlite: Store, tmp_path: Path, header: str) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    settings = {"public_url": f"https://{NAME}", "proxy_header": header}
    with listening(sqlite, tmp_path / "home", **settings) as desk, nginx(folder, desk) as browser:
        sari = desk.add("Sari")
        # what people send does not name them
        assert browser.get("/", headers={"X-Forwarded-Email": sari.email}).headers["location"] == "/sign-in"
        form = {"email": sari.email, "password": PASSWORD}
        assert browser.post("/sign-in", data=form, headers={"Origin": "https://evil.example"}).status_code == 403
        answer = browser.post("/sign-in", data=form, headers={"Origin": f"https://{NAME}"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert answer.headers["set-cookie"].startswith("__Host-layanan-desk=")
        assert "Sari" in browser.get("/").text
        assert "max-age" in browser.get("/").headers["strict-transport-security"]
