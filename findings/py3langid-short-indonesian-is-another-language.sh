#!/usr/bin/env bash
# py3langid 0.4.0: the courtesies with which Indonesian mails begin are Malay to it ("Selamat pagi", "Mohon bantuan
# segera"), "internet mati total" is Finnish and "tagihan" (bill) Kinyarwanda, while whole sentences of thanks are
# Indonesian. Restricting it to the languages that a centre writes mends that; its score tells nothing of it.
# So short mails to an Indonesian line are asked "Indonesian or English?", never "which of the world's languages?".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check py3langid==0.4.0
"$folder/env/bin/python" - <<'PY'
from importlib.metadata import version

import py3langid

SEEN = {
    "Selamat pagi": "ms",
    "Mohon bantuan segera": "ms",
    "internet saya mati sejak pagi": "ms",
    "internet mati total": "fi",
    "tagihan": "rw",
    "Terima kasih banyak atas bantuannya": "id",
}
print("py3langid", version("py3langid"))
of_all = {text: py3langid.classify(text)[0] for text in SEEN}
py3langid.set_languages(["id", "en"])
changed = 0
for text, expected in SEEN.items():
    whole, narrow = of_all[text], py3langid.classify(text)[0]
    same = whole == expected and narrow == "id"
    print(f"{text:<38} of all: {whole}   of id and en: {narrow}" + ("" if same else f"   CHANGED, was {expected}, id"))
    changed += not same
raise SystemExit(changed > 0)
PY
