#!/bin/sh
# MRTG's rateup (Debian package mrtg) after a device's counters have begun anew, for example by a restart:
# expected: a mark of its own in the log, or the same treatment of both directions.
# seen: the interval gets 0 for the counter that had passed 2^32 ("in" here), and the last value once more for the one
# that had not ("out"); nothing in the log marks it. A link that carries traffic looks dead in one direction.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download mrtg=2.17.10-5+deb12u2 >/dev/null 2>&1
dpkg -x mrtg_*.deb root
dpkg-deb -f mrtg_*.deb Version | sed 's/^/mrtg /'
poll() { # TIME IN OUT: one poll, as mrtg makes it
  root/usr/bin/rateup "$work" link "$1" -Z u "$2" "$3" 1000 2>/dev/null
}
for k in 0 1 2 3; do
  poll $((1767225600 + 300 * k)) $((9000000000 + 60000 * k)) $((4000000000 + 30000 * k)) # 200 and 100 B/s
done
poll $((1767225600 + 300 * 4)) 5000 3000
head -n 3 link.log
test "$(sed -n 2p link.log | cut -d' ' -f2,3)" = "0 100"
