"""The demo's script: who writes, who decides what, and what must come of it. Every branch of the SOP is in it."""

from dataclasses import dataclass, field

HOURS = (3.5, 6.3, 9, 58, 73, 122)
"""When the time is moved on, in hours since the first mail. Units, updates (6 h), repairs (3 h for a Diamond
customer), closings (48 h) and an unanswered question (72 h) fall due in between."""

SPEAKS = {9: "inform_status", 10: "inform_result", 11: "give_information", 12: "closing"}
"""Letter that an activity writes."""


@dataclass(frozen=True)
class Mail:
    """A customer's mail; ``outcome`` is what intake must make of it."""

    sender: str
    subject: str = ""
    text: str = ""
    outcome: str = "opened"
    to: str = "layanan@telkom.example"
    reason: str = ""
    """Must stand in the reason that intake records."""
    answers: str = ""
    """Kind of our letter that it replies to."""
    file: str = ""
    """Its raw bytes, in ``mails/``."""


@dataclass(frozen=True)
class Step:
    """What somebody does when the case waits with a form, or when it is ``closed``."""

    at: str
    by: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    mail: Mail | None = None
    late: bool = False
    """Nobody decides before the decision has been escalated."""


@dataclass(frozen=True)
class Scenario:
    """One mail and what follows from it. A mail that opens no case has no path."""

    name: str
    mail: Mail
    path: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    outcome: str = "complaint"
    """The case's, at its end."""
    letters: tuple[str, ...] = ()
    """Kinds beside the first response and those that the path tells."""
    after: tuple[str, str] | None = None
    """Another scenario, and where its case must be before this mail is written."""
    refusals: int = 0
    """How often the relay refuses our account from when the mail is written: the letters wait, and then go."""
    kept: bool = False
    """With KEEP, the last decision is left to whoever looks at it."""

    @property
    def expected_letters(self) -> list[str]:
        """Kinds of all letters that must go out."""
        if not self.path:
            return []
        if self.outcome == "other segment":
            return sorted(self.letters)  # the one to the customer is first response, answer and closing
        return sorted(["first_response", *self.letters, *(SPEAKS[n] for n in self.path if n in SPEAKS)])


def agent(at: str, **answers: str) -> Step:
    return Step(at, "Sari", answers)


def leader(**answers: str) -> Step:
    return Step("Escalation", "Rina", answers)


def supervisor(**answers: str) -> Step:
    return Step("SupervisorEscalation", "Agus", answers)


def writes(at: str, sender: str, text: str, *, subject: str = "", answers: str = "") -> Step:
    """The customer writes again; the mail joins the case."""
    reason = "answers our letter" if answers else "same matter"
    return Step(at, mail=Mail(sender, subject, text, "joined", reason=reason, answers=answers))


APPROVED = agent("ApproveSolution", choice="SEND")
SWAPPED = {"cause": "Kabel drop di rumah pelanggan rusak", "repair": "Kabel drop diganti dan diuji normal"}

AYU, BUDI, CITRA = "Ayu <ayu@pelanggan.example>", "Budi <budi@pelanggan.example>", "citra@pelanggan.example"
DEDI, EKA, FAJAR = "Dedi <dedi@pelanggan.example>", "Eka <eka@pelanggan.example>", "fajar@pelanggan.example"
MAJU, GITA, HADI = "NOC PT Maju Bersama <noc@majubersama.example>", "gita@pelanggan.example", "hadi@pelanggan.example"
INDAH, DINAS, NIA = "indah@pelanggan.example", "TU Dispar <tu@dispar.example>", "Nia <nia@pelanggan.example>"
STRANGER, KARTIKA = "Kartika <kartika.pribadi@surat.example>", "Kartika <kartika@pelanggan.example>"
OKI, LINA = "Oki <oki@pelanggan.example>", "Lina <lina@pelanggan.example>"
SINAR, DOWN = "IT Sinar Jaya <it@sinarjaya.example>", "Internet kami mati total, mohon segera dicek. Terima kasih."
JOHN = "John Smith <john@pelanggan.example>"
DESK = "Government Care <government.care@telkom.example>"
BDG = "layanan-bdg@telkom.example"

SCENARIOS = (
    Scenario(
        "Information, then thanks",
        Mail(AYU, "Tanya paket IndiHome", "Paket IndiHome 50 Mbps apa saja dan berapa harga per bulannya?"),
        (1, 3, 11, 12, 1),
        (writes("ClosingPeriod", AYU, "Terima kasih banyak, sangat membantu.", answers="closing"),),
        outcome="information",
    ),
    Scenario(
        "The relay refuses our account for a time; letters wait",
        Mail(LINA, "Tanya promo", "Apakah ada promo pasang baru IndiHome bulan ini, dan berapa biayanya?"),
        (1, 3, 11, 12),
        outcome="information",
        refusals=2,
    ),
    Scenario(
        "Information from customer data",
        Mail(BUDI, "Salinan tagihan", "Mohon dikirim salinan tagihan bulan ini untuk nomor internet 122408771902."),
        (1, 3, 11, 12),
        outcome="information",
    ),
    Scenario(
        "An answer after the waiting period",
        Mail(
            BUDI,
            text="Saya mau tanya, bagaimana cara bayar tagihan lewat mobile banking?",
            answers="closing",
            reason="follows closed case",
        ),
        (1, 3, 11, 12),
        after=("Information from customer data", "closed"),
        outcome="information",
    ),
    Scenario(
        "Complaint solved at once",
        Mail(CITRA, "Sudah bayar", "Saya sudah bayar tagihan 122408771903, tapi belum tercatat. Mohon cek."),
        (1, 2, 4, 5, 10, 12),
        (APPROVED,),
        kept=True,
    ),
    Scenario(
        "The unit repairs, with an update before",
        Mail(DEDI, "Internet mati total", "Internet 122408771904 mati total sejak semalam, lampu LOS merah. Tolong."),
        (1, 2, 4, 6, 7, 9, 10, 12),
        (APPROVED,),
    ),
    Scenario(
        "Late; the team leader gives it back",
        Mail(EKA, "Wifi sering putus", "Internet 122408771905 putus nyambung terus setiap 10 menit. Mohon diperbaiki."),
        (1, 2, 4, 6, 7, 8, 6, 7, 10, 12),
        (
            leader(choice="BACK_TO_AGENT", note="Coba lewat Core Network"),
            agent("HandlingStuck", choice="COORDINATE", unit="Core Network", note="Periksa port OLT"),
            APPROVED,
        ),
    ),
    Scenario(
        "Late; the supervisor takes over",
        Mail(FAJAR, "Internet lambat sekali", "Internet 122408771906 lambat, cuma 2 Mbps padahal paket 100 Mbps."),
        (1, 2, 4, 6, 7, 8, 10, 12),
        (leader(choice="SUPERVISOR", note="Perlu keputusan"), supervisor(choice="TAKE_OVER", **SWAPPED)),
        kept=True,
    ),
    Scenario(
        # SOP 5.6: the supervisor hands it to Telkom
        "A data link; stuck, then to Telkom (5.6)",
        Mail(MAJU, "Link Astinet mati", "Link Astinet SID 4700001-0021497479 kami mati total sejak pagi.", to=BDG),
        (1, 2, 4, 6, 7, 8, 7, 10, 12),
        (leader(choice="SUPERVISOR"), supervisor(choice="TELKOM", note="Backbone milik Telkom"), APPROVED),
    ),
    Scenario(
        "A known complaint by reply; asks for the superior",
        Mail(GITA, "Telepon rumah kresek-kresek", "Telepon 0227301234 kresek-kresek dan tidak bisa menelepon keluar."),
        (1, 2, 4, 6, 7, 9, 8, 10, 12),
        (
            writes(
                "UnitProgress", GITA, "Belum beres. Saya minta bicara dengan atasan Anda.", answers="first_response"
            ),
            leader(choice="TAKE_OVER", **SWAPPED),
        ),
        kept=True,
    ),
    Scenario(
        "A known complaint by a new mail",
        Mail(HADI, "TV tidak ada siaran", "UseeTV 122408771909 error, layar hitam, tidak ada siaran."),
        (1, 2, 4, 6, 7, 9, 10, 12),
        (writes("UnitProgress", HADI, "UseeTV masih layar hitam.", subject="TV masih error"), APPROVED),
    ),
    Scenario(
        "An answer within the waiting period reopens",
        Mail(INDAH, "Internet mati", "Internet nomor 122408771910 mati, tidak bisa konek sama sekali. Mohon dicek."),
        (1, 2, 4, 5, 10, 12, 1, 2, 4, 6, 7, 10, 12),
        (
            APPROVED,
            writes("ClosingPeriod", INDAH, "Sudah dinyalakan ulang, internet masih mati total.", answers="closing"),
            agent("DisputedClosing", choice="REOPEN", note="Belum beres"),
            agent("ApproveSolution", choice="COORDINATE"),
            APPROVED,
        ),
    ),
    Scenario(
        "Another segment (W-89)",
        Mail(DINAS, "Link VPN IP mati", "Link VPN IP 4700001-0021497480 kami mati total.", "other_segment", to=BDG),
        (1, 12),
        outcome="other segment",
        letters=("hand_over_segment", "hand_over_segment_to_desk"),
    ),
    Scenario(
        "The other segment's desk answers",
        Mail(DESK, "Re: Link VPN IP mati", "Sudah kami terima.", "automatic", to=BDG, reason="desk"),
    ),
    Scenario(
        "Unknown customer; does not answer here",
        Mail(STRANGER, "Internet mati", "Internet rumah saya mati total, lampu LOS merah. Tolong diperbaiki."),
        (1, 12),
        outcome="unanswered",
        letters=("ask_customer",),
    ),
    Scenario(
        "…but from the address on record; another unit",
        Mail(
            KARTIKA,
            text="Ini email saya yang terdaftar. Internet 122408771912 mati total, lampu LOS merah. Tolong diperbaiki.",
            answers="ask_customer",
            reason="another sender's",
        ),
        (1, 2, 4, 6, 7, 8, 7, 10, 12),
        (
            leader(choice="OTHER_UNIT", unit="Core Network"),
            APPROVED,
        ),
        after=("Unknown customer; does not answer here", "CustomerAnswer"),
    ),
    Scenario("An English customer", Mail(JOHN, file="english.eml", to=BDG), (1, 2, 4, 6, 7, 10, 12), (APPROVED,)),
    Scenario(
        "Two lines of one firm, in the same words",
        Mail(SINAR, "Internet 122408771916 Surabaya mati", DOWN),
        (1, 2, 4, 6, 7, 10, 12),
        (APPROVED,),
    ),
    Scenario(
        "…of which the second is a case of its own",
        Mail(SINAR, "Internet 122408771917 Medan mati", DOWN),
        (1, 2, 4, 6, 7, 10, 12),
        (APPROVED,),
        after=("Two lines of one firm, in the same words", "UnitProgress"),
    ),
    Scenario("The same mail again", Mail(JOHN, file="english.eml", to=BDG, outcome="duplicate", reason="same as")),
    Scenario(
        "Not sure: the agent decides and answers",
        Mail(NIA, "Mohon bantuan", "Halo, ada yang mau saya bicarakan soal layanan di rumah, mohon bantuannya ya."),
        (1, 3, 11, 12),
        (
            agent("ConfirmAnalysis", need="INFORMATION", topic="other"),
            agent("WriteAnswer", answer="Silakan balas surat ini.", related_products="IndiHome TV"),
        ),
        outcome="information",
    ),
    Scenario(
        "Nobody confirms the analysis; it goes up in time",
        Mail(OKI, "Halo", "Selamat siang, ada hal yang mau saya sampaikan soal rumah saya, mohon dibantu ya."),
        (1, 3, 11, 12),
        (
            Step("ConfirmAnalysis", "Rina", {"need": "INFORMATION", "topic": "other"}, late=True),
            agent("WriteAnswer", answer="Silakan balas surat ini.", related_products="IndiHome TV"),
        ),
        outcome="information",
    ),
    Scenario("A bounce", Mail("", file="bounce.eml", outcome="automatic", reason="bounce")),
    Scenario("An out-of-office note", Mail("", file="out-of-office.eml", outcome="automatic", reason="auto_reply")),
    Scenario("A list mail", Mail("", file="list.eml", outcome="quarantined", reason="list")),
    Scenario("Noise", Mail("", file="noise.eml", outcome="quarantined", reason="no sender's address")),
)
