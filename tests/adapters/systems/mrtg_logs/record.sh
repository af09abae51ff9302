#!/bin/sh
# Record these logs with the real rateup (Debian package mrtg 2.17.10). Usage: ./record.sh
# One call per poll, as mrtg makes it: rateup DIR NAME TIME -Z u IN OUT ABSMAX; only the newest lines are kept.
set -eu
cd "$(dirname "$0")"
end=1767225607 # 2026-01-01 00:00:07 UTC: the last poll
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

story() { # story NAME PROGRAM: for each k polls before the end PROGRAM sets i, o (B/s), unknown, reset, off
  awk -v end="$end" 'BEGIN {
    ci = 9000000000; co = 4000000000; last = 0
    for (k = 42; k >= 0; k--) {
      i = 200 + (k * 37) % 101; o = 100 + (k * 53) % 71; unknown = 0; off = 0; reset = 0
      '"$2"'
      ci += 300 * i; co += 300 * o
      if (reset) { ci = 5000; co = 3000 }
      t = end - 300 * k
      if (off) continue
      if (unknown) print t, -1, -1; else printf "%d %.0f %.0f\n", t, ci, co
    }
  }' | while read -r t in out; do
    rateup "$work" "$1" "$t" -Z u "$in" "$out" 1000 2>/dev/null
  done
  for kind in log old; do head -n 60 "$work/$1.$kind" >"$1.$kind"; done
}

story constant 'i = 12; o = 9'
story constant-until-lately 'i = k < 4 ? 13 : 12; o = 9'
story silent-earlier 'unknown = k > 2 && k < 9'
story answers-again 'unknown = k > 0 && k < 7'
story constant-answers-again 'i = 12; o = 9; unknown = k > 0 && k < 7'
story silent-now 'unknown = k < 7'
story reset-now 'reset = k == 0'
story pause-over 'off = k > 0 && k < 37'
story pause-over-since 'off = k > 1 && k < 38'
story pause-over-constant 'i = 12; o = 9; off = k > 0 && k < 37'
story new-target 'off = k > 8'
story new-dead-target 'off = k > 8; i = 0; o = 0'
story dead 'if (k < 24) { i = 0; o = 0 }'
story above-limit 'if (k == 0) i = 1500'
