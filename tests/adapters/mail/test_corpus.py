"""Other people's mail: every message is parsed, and each difference to another parser's results is explained."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.mail.parser import parse
from models.mail import ParsedMail
from tests.adapters.mail.test_parser import CORPUS, needs_corpus, squeezed

REWRITTEN = "the reference writes the attached letter anew; ours are the bytes that came"
WORDS_OF_ATTACHED = "the reference takes an attached letter's words for this one's"
LOST_LETTERS = "the reference drops the letters that do not fit the declared charset"
WRONG_CHARSET = "the reference reads UTF-8 as Latin-1 or drops it"
NAMED = "the sender gave no name; ours says what it is"
NO_ADDRESS = "the reference lists what is no address"

EXPLAINED = {
    ("attachment_2_base64.eml", "text"): WORDS_OF_ATTACHED,
    ("attachment_7bit.eml", "text"): WORDS_OF_ATTACHED,
    ("attachment_7bit.eml", "attachments"): REWRITTEN,
    ("attachment_8bit.eml", "text"): WORDS_OF_ATTACHED,
    ("attachment_emails_attachment_content_location.eml", "names"): NAMED,
    ("attachment_emails_attachment_message_rfc822.eml", "text"): WORDS_OF_ATTACHED,
    ("attachment_emails_attachment_message_rfc822.eml", "attachments"): f"{REWRITTEN}; it lists that letter's, too",
    ("attachment_emails_attachment_with_encoded_name.eml", "names"): "the reference replaces what ASCII cannot hold",
    ("attachment_inline2.eml", "types"): "declared as JPEG, and a PNG by its bytes",
    ("error_emails_content_transfer_encoding_7-bit.eml", "text"): WRONG_CHARSET,
    ("error_emails_content_transfer_encoding_plain.eml", "text"): LOST_LETTERS,
    ("error_emails_invalid_subject_characters.eml", "subject"): LOST_LETTERS,
    ("error_emails_missing_body.eml", "to"): NO_ADDRESS,
    ("error_emails_missing_content_disposition.eml", "attachments"): "the reference loses a picture",
    ("forwarded_message.eml", "text"): WORDS_OF_ATTACHED,
    ("forwarded_message.eml", "names"): NAMED,
    ("mime_emails_raw_email11.eml", "to"): NO_ADDRESS,
    ("mime_emails_raw_email_with_mimepart_without_content_type.eml", "text"): WORDS_OF_ATTACHED,
    ("mime_emails_raw_email_with_mimepart_without_content_type.eml", "attachments"): REWRITTEN,
    ("multipart_report_emails_multi_address_bounce1.eml", "text"): WORDS_OF_ATTACHED,
    ("multipart_report_emails_multi_address_bounce1.eml", "attachments"): REWRITTEN,
    ("multipart_report_emails_multipart_report_multiple_status.eml", "text"): WORDS_OF_ATTACHED,
    ("multipart_report_emails_multipart_report_multiple_status.eml", "attachments"): f"{REWRITTEN}; it lists its parts",
    ("plain_emails_mix_caps_content_type.eml", "from"): NO_ADDRESS,
    ("plain_emails_raw_email6.eml", "text"): LOST_LETTERS,
    ("rfc2822_example13.eml", "from"): "the reference does not know blanks before the colon of a header",
    ("rfc2822_example13.eml", "text"): "the reference takes the whole header for text",
    ("rfc6532_utf8_headers.eml", "from"): "the sender's domain is as letters go to it",
    ("text_with_content_id.eml", "attachments"): "the reference lists the text itself, too",
}
"""Why a message's field is not what the reference has."""

Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    lines = map(json.loads, (CORPUS / "expected.jsonl").read_text().splitlines())
    return [row for row in lines if row["corpus"] == "imap_tools"]


def differences(row: Row, mail: ParsedMail) -> list[str]:
    """Names of the fields that are not as the reference has them."""
    theirs, ours = row["attachments"], mail.attachments
    same = {
        "from": mail.sender == row["from_email"].lower(),
        "to": {address.lower() for address in row["to"]} <= set(mail.recipients),
        "subject": squeezed(mail.subject) == squeezed(row["subject"]),
        "text": not row["text"] or squeezed(mail.text) == squeezed(row["text"]),
        "attachments": sorted((item["sha256"], item["size"]) for item in theirs)
        == sorted((item.sha256, item.size) for item in ours),
    }
    if same["attachments"]:
        for field, key in (("names", "filename"), ("types", "type")):
            mine = sorted((item.sha256, getattr(item, key.removeprefix("file"))) for item in ours)
            same[field] = sorted((item["sha256"], item[key]) for item in theirs) == mine
    return [field for field, is_same in same.items() if not is_same]


@needs_corpus
def test_every_difference_to_the_reference_is_explained(rows: list[Row]) -> None:
    found = {}
    for row in rows:
        file = str(row["file"])
        for field in differences(row, parse((CORPUS / "messages" / file).read_bytes())):
            found[Path(file).name, field] = ""
    assert len(rows) > 100
    assert sorted(found) == sorted(EXPLAINED)
