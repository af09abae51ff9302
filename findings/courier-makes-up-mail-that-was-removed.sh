#!/bin/sh
# Courier IMAP answers UID FETCH and UID COPY of a mail that another session has removed with OK, and FETCH with a mail
# that nobody sent: from System Administrator <root@localhost>, "message unavailable", RFC822.SIZE and INTERNALDATE to
# fit. UID SEARCH still finds it. Only after a NOOP does the session hear of the removal. RFC 3501 (7.4.1, 5.5) has no
# such mail; Dovecot says NIL, Cyrus nothing. A program that reads mailboxes takes it for a customer's mail.
#
# Needs: Debian or Ubuntu with apt's lists, python3. Nothing is installed or started as a service.
# Exits with 0 while it behaves so, else with 1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
needed=$(apt-cache depends courier-imap courier-base courier-authlib |
    sed -n 's/^[ |]*Depends: \(lib[^ <]*\)$/\1/p' | sort -u)
apt-get -qq -o APT::Sandbox::User=root download courier-imap courier-base courier-authlib $needed
for deb in *.deb; do
    case $deb in libc6_*) continue ;; esac # the machine's own
    dpkg -x "$deb" root
done
dpkg-deb -f courier-imap_*.deb Package Version
LD_LIBRARY_PATH=$(find "$folder/root" -name '*.so*' -exec dirname {} + | sort -u | paste -sd:)
export LD_LIBRARY_PATH
root/usr/bin/maildirmake.courier Maildir
python3 - "$folder" <<'PY'
import os, subprocess, sys

folder = sys.argv[1]
environment = os.environ | {
    "AUTHENTICATED": "user", "HOME": folder, "MAILDIR": f"{folder}/Maildir", "IMAPLOGINTAG": "login",
    "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "1", "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS", "IMAP_USELOCKS": "0",
}


class Session:
    """One session behind the login, by its standard input and output."""

    def __init__(self):
        self.process = subprocess.Popen(
            [f"{folder}/root/usr/bin/imapd", "Maildir"], cwd=folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        self.read("login")

    def read(self, tag):
        lines = []
        while not lines or not lines[-1].startswith(f"{tag} "):
            line = self.process.stdout.readline()
            if not line:
                sys.exit("the server ended")
            lines.append(line.decode().rstrip())
        return "\n".join(lines)

    def say(self, command):
        self.process.stdin.write(f"t {command}\r\n".encode())
        self.process.stdin.flush()
        return self.read("t")


one, other = Session(), Session()
mail = "From: budi@pelanggan.example\r\nSubject: Internet mati\r\n\r\nMohon dicek.\r\n"
one.process.stdin.write(f"t APPEND INBOX {{{len(mail)}}}\r\n{mail}\r\n".encode())
one.process.stdin.flush()
one.read("t")
one.say("CREATE INBOX.Done")
one.say("SELECT INBOX")
other.say("SELECT INBOX")
other.say(r"UID STORE 1 +FLAGS (\Deleted)")
other.say("EXPUNGE")
fetched = one.say("UID FETCH 1 (RFC822.SIZE INTERNALDATE BODY.PEEK[])")
copied, found = one.say("UID COPY 1 INBOX.Done"), one.say("UID SEARCH UID 1")
told, after = one.say("NOOP"), one.say("UID SEARCH UID 1")
print(fetched, copied, found, told, after, sep="\n")
same = (
    "message unavailable" in fetched and "\nt OK" in fetched and copied.startswith("t OK") and "SEARCH 1" in found
    and "EXPUNGE" in told and "SEARCH 1" not in after
)
sys.exit(not same)
PY
