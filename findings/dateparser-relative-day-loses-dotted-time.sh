#!/usr/bin/env bash
# dateparser 1.5.0, Indonesian: behind a relative day ("besok", tomorrow) an hour written the Indonesian way, with a
# dot ("pukul 15.00") or bare ("jam 3"), is dropped, and the current time takes its place: no error, no None. With a
# colon the hour is kept, and behind a full date the dot is understood, too. "lusa" (the day after tomorrow) and "3 hari
# lagi" (in three days) give None, though "dalam 3 hari" does not.
# So a customer's "teknisi datang besok pukul 15.00" must not be read with it: we would promise the wrong hour.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check dateparser==1.5.0
"$folder/env/bin/python" -W ignore - <<'PY'
from datetime import datetime
from importlib.metadata import version

import dateparser

NOW = datetime(2026, 11, 30, 9, 0)
SEEN = {
    "besok pukul 15:00": "2026-12-01 15:00",
    "besok pukul 15.00": "2026-12-01 09:00",
    "besok jam 3": "2026-12-01 09:00",
    "hari ini jam 10": "2026-11-30 09:00",
    "10 Maret 2026 jam 14.00": "2026-03-10 14:00",
    "dalam 3 hari": "2026-12-03 09:00",
    "3 hari lagi": None,
    "lusa": None,
}
print("dateparser", version("dateparser"), "with now =", NOW)
changed = 0
for text, expected in SEEN.items():
    read = dateparser.parse(text, languages=["id"], settings={"RELATIVE_BASE": NOW, "PREFER_DATES_FROM": "future"})
    said = read and f"{read:%Y-%m-%d %H:%M}"
    print(f"{text:<26} {said}" + ("" if said == expected else f"   CHANGED, was {expected}"))
    changed += said != expected
raise SystemExit(changed > 0)
PY
