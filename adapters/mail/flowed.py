"""Joins the lines of format=flowed text to paragraphs (RFC 3676).

Held by `tests/adapters/mail/test_body.py`.
"""


def unflowed(text: str, *, del_sp: bool) -> str:
    """``text`` with each flowed paragraph on one line; quoted lines stay unchanged."""
    lines: list[list[str]] = []
    flowing = False
    for raw in text.split("\n"):
        if raw.startswith(">") or raw == "-- ":
            # a paragraph ends at a quote or signature, even if its last line is marked as flowed
            lines.append([raw])
            flowing = False
            continue
        line = raw.removeprefix(" ")
        flows = line.endswith(" ")
        line = line[:-1] if flows and del_sp else line
        if flowing:
            lines[-1].append(line)
        else:
            lines.append([line])
        flowing = flows
    return "\n".join("".join(pieces).rstrip() for pieces in lines)
