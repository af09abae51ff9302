#!/usr/bin/env bash
# PySastrawi 1.2.1, the Indonesian stemmer: words of everyday complaints get stems that mean something else or none.
# "lemot" (slow) becomes "lot", as the "-em-" in it is taken for an infix; "penanganan" (handling) becomes "tangan"
# (hand), "semalam" (last night) "malam" (night); "internetnya" (their internet) is not stemmed at all, as
# "internet" is not in its dictionary.
# So the analyser keeps word lists of its own and stems nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check PySastrawi==1.2.1
"$folder/env/bin/python" - <<'PY'
from importlib.metadata import version

from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

SEEN = {
    "memperbaiki": "baik",
    "terputus": "putus",
    "lemot": "lot",
    "penanganan": "tangan",
    "semalam": "malam",
    "internetnya": "internetnya",
}
print("PySastrawi", version("PySastrawi"))
stem = StemmerFactory().create_stemmer().stem
changed = 0
for word, expected in SEEN.items():
    said = stem(word)
    print(f"{word:<14} {said}" + ("" if said == expected else f"   CHANGED, was {expected}"))
    changed += said != expected
raise SystemExit(changed > 0)
PY
