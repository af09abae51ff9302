#!/usr/bin/env bash
# IMAPClient switches imaplib's debugging on for every connection (debug = 5) and sends it to a logger. imaplib formats
# its debug lines before anybody asks whether the logger wants them: each FETCH makes a repr of all mails that it has
# brought, and throws it away. A mail of 30 MB with 8-bit letters takes three times the memory and many times the CPU.
# Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check IMAPClient==4.1.0
cat > "$folder/fetch.py" <<'PYTHON'
"""Fetches one mail of 30 MB from a server of its own; prints the CPU and the memory that this adds."""

import imapclient
import os
import resource
import socket
import sys
import time

SIZE, LINE = 30_000_000, b"Selamat pagi, caf\xe9\r\n"
listener = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    connection, _ = listener.accept()
    connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
    for line in connection.makefile("rb"):
        tag, _, command = line.strip().partition(b" ")
        if command.startswith(b"CAPABILITY"):
            connection.sendall(b"* CAPABILITY IMAP4rev1\r\n")
        if command.startswith((b"SELECT", b"EXAMINE")):
            connection.sendall(b"* FLAGS ()\r\n* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7]\r\n")
        if b"FETCH" in command:
            connection.sendall(b"* 1 FETCH (UID 5 BODY[] {%d}\r\n" % SIZE)
            connection.sendall(LINE * (SIZE // len(LINE)) + b"." * (SIZE % len(LINE)))
            connection.sendall(b")\r\n")
        connection.sendall(tag + b" OK done\r\n")
    os._exit(0)

client = imapclient.IMAPClient("127.0.0.1", listener.getsockname()[1], ssl=False)
if sys.argv[1] == "quiet":
    client._imap.debug = 0
client.login("user", "password")
client.select_folder("INBOX", readonly=True)
cpu, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(mail,) = client.fetch([5], ["BODY.PEEK[]"]).values()
assert len(mail[b"BODY[]"]) == SIZE
megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) // 1024
print(f"{megabytes} {round(1000 * (time.process_time() - cpu))}")
client.shutdown()
PYTHON
"$folder/venv/bin/python" -c 'import imapclient, sys; print("IMAPClient", imapclient.__version__, "on Python", sys.version.split()[0])'
read -r as_it_is cpu < <("$folder/venv/bin/python" "$folder/fetch.py" as-it-is)
read -r quiet quiet_cpu < <("$folder/venv/bin/python" "$folder/fetch.py" quiet)
echo "no logging is configured; one mail of 30 MB adds $as_it_is MB and $cpu ms CPU"
echo "with imaplib's debugging switched off:           $quiet MB and $quiet_cpu ms CPU"
(( as_it_is > 2 * quiet ))
