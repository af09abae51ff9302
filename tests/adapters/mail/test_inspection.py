"""`layanan mail inspect`: one line for each file, whatever is in it."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

import layanan
from adapters.mail import inspection
from adapters.mail.inspection import inspect

MAILS = Path(__file__).parent / "eml"
FIELDS = {
    *("file", "message_id", "from", "to", "subject", "date", "kind", "bounce", "text", "new_text", "attachments"),
    *("language", "references", "authentication", "problems"),
}


def test_a_customers_mail() -> None:
    found = inspect(MAILS / "attachments.eml")
    assert set(found) == FIELDS
    assert (found["kind"], found["bounce"], found["language"]) == ("customer", None, "id")
    assert (found["from"], found["date"]) == ("budi@pelanggan.example", "2026-03-03T03:12:00+00:00")
    assert (found["message_id"], found["problems"]) == ("", ["tanpa Message-ID / no Message-ID"])
    assert set(found["attachments"][0]) == {"name", "type", "size", "sha256"}


def test_a_bounce_has_its_recipients() -> None:
    found = inspect(MAILS / "bounce.eml")
    assert found["kind"] == "bounce"
    told = {item["address"]: (item["action"], item["hard"]) for item in found["bounce"]["recipients"]}
    assert told == {"ani@pelanggan.example": ("failed", True), "ok@pelanggan.example": ("relayed", False)}


def test_what_cannot_be_read_is_unreadable_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty, noise = tmp_path / "empty", tmp_path / "noise\udcff"
    empty.touch()
    noise.write_bytes(bytes(range(256)) * 1_000)
    reasons = {empty: "empty", noise: "no header, no text", tmp_path: "Is a directory", tmp_path / "no": "No such file"}
    for file, reason in reasons.items():
        found = inspect(file)
        assert (set(found), found["kind"]) == (FIELDS, "unreadable")
        assert found["problems"][0].startswith(reason)
    monkeypatch.setattr(inspection, "parse", lambda *_, **__: 1 / 0)
    assert inspect(MAILS / "plain.eml")["problems"] == ["defect: ZeroDivisionError"]


def test_one_line_of_json_for_each_file_or_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.eml"
    odd.write_bytes(b"From: a@b.c\nSubject: \x1b[31mmerah\n\n\x1b]0;judul\x07hai \xff\n")
    files = [str(odd), str(MAILS / "bounce.eml"), str(tmp_path)]
    assert layanan.main(["mail", "inspect", *files, "--json"]) == 1, "one is no file"
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == files
    assert layanan.main(["mail", "inspect", *files[:2]]) == 0
    assert layanan.main(["mail", "inspect", str(tmp_path), str(tmp_path / "no")]) == 1
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert all(word in shown for word in ("merah", "hai", "ani@pelanggan.example", "unreadable"))


def test_a_mail_comes_by_standard_input_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO((MAILS / "plain.eml").read_bytes())))
    assert layanan.main(["mail", "inspect", "-", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["file"], found["subject"]) == ("-", "Internet mati")


def test_a_pipe_that_nobody_writes_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as waits:
        looked = waits.submit(inspect, tmp_path / "pipe")
        try:
            assert looked.result(2)["problems"] == ["not a regular file (for a pipe, give - and redirect it)"]
        finally:
            # who still waits for a writer would never end
            os.close(os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK))
    assert layanan.main(["mail", "inspect", str(tmp_path / "pipe")]) == 1
