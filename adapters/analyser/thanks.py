"""Decides whether a mail says no more than thanks.

That is certain if all its words thank, confirm or greet (:func:`is_thanks`). If the rules take the whole mail for
thanks, it may contain a few other words, unless one may be a complaint, a question, a wish, a "not yet" or a bad deed
(:func:`says_more`).
"""

import re

from adapters.analyser.language import word_set
from adapters.analyser.tables import spell_out

MOST_WORDS = 80
"""A longer mail says more than thanks."""
MOST_OTHER_WORDS = 6
"""Most unknown words in a mail that the rules take for thanks."""

_GOOD = "👍👌🙏😊😀😃😄😁🙂🤗☺😇🥰😍❤💕💙💚💛🧡🌹🌷✅✔🎉👏💪🤝💯⭐🌟✨🤩😎😘💐🫶🤲"
# skin tones, variation selectors and joiners, which combine several emoji to one
_JOINERS = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f\u200d\u2640\u2642]")
_SIGN = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_TYPED = re.compile(r"(?<!\S)(?:[:;=]-?[)D*3]+|\^_*\^|<3|\\o/|\+1|\(y\)|:thumbsup:|:\+1:|:pray:)(?!\w)")
"""Typed smileys and thumbs."""
_REACTION = re.compile(
    r"(?i)\A\W*(?:(?:liked|loved|menyukai|(?:[\w ]{1,60} )?(?:reacted|bereaksi)\b[^\n]{0,80}|👍)\W*[“\"].*|"
    r"(?:[\w .]{1,60} )?reacted via \w+\W*)\Z",
    re.DOTALL,
)
"""The text of a reaction that phones and mail programs send; the quoted words are our own letter's."""

_NOUN = (
    "(?:bantuan|info|informasi|penjelasan|respon|respons|tanggapan|perhatian|kerjasama|kerja sama|kerja keras|servis|"
    "pelayanan|layanan|kesabaran|penanganan|solusi|balasan|jawaban|kunjungan|konfirmasi|pemberitahuan|upaya|petugas|"
    "teknisi|tim|cs|admin|customer care|service|support|help|assistance|response|reply|answer|team|technician|"
    "pengertian|waktu|dukungan|fast response|tindak lanjut|kerja|bantosan|bantosanana)"
)
_PRAISE = (
    "(?:cepat|cepet|tanggap|ramah|baik|bagus|keren|hebat|memuaskan|membantu|jelas|sigap|gercep|terbaik|profesional|"
    "mantap|top|quick|fast|prompt|great|excellent|awesome|wonderful|good|kind|lengkap|jempol|sopan|rapi)"
)
_STRESS = (
    "(?:sangat|amat|yang|yg|sekali|banget|pisan|sanget|dan|serta|and|very|nya|your|the|atas|untuk|is|was|are|so|much|for|"
    "luar biasa|ya|banyak|sudah|semua|segala|buat|kepada|juga|telkom)"
)
# patterns for spelt-out text; each match is replaced by a known word
_PHRASES = (
    (r"(?:terima|trima|tarimo|terimo|trm|trma|tarima|trimo) (?:kasih|kasi|ksh|kasiah|ksih|kase|kaseh)|thank (?:you|u)"
     r"|kurre sumanga|xie xie|(?:hatur|matur) (?:makasih|sembah makasih)|makasih khairan", "makasih"),
    (r"(?:mengucapkan|ucapkan|menyampaikan|sampaikan|haturkan|ucapan) (?:banyak )?makasih|thanks to (?:you|all)",
     "makasih"),
    (r"sudah (?:saya |kami )?(?:perbaiki|terima|paham)(?: (?:oleh )?(?:teknisi|petugas))?", "solved"),
    (r"sudah (?:dibantu|membantu|bantu|dibantuin)|(?:atas|untuk) (?:perbaiki|kabar|update)", "ya"),
    (rf"makasih(?: (?:{_STRESS}|{_PRAISE}|{_NOUN})(?!\S))*+|atas (?:(?:{_STRESS}|{_PRAISE}) )*+{_NOUN}", "makasih"),
    (rf"{_NOUN}(?: (?:{_STRESS}|{_NOUN})(?!\S))*+ {_PRAISE}(?: (?:{_STRESS}|{_PRAISE})(?!\S))*+", "mantap"),
    (rf"{_PRAISE}(?: {_STRESS}(?!\S))*+ {_NOUN}|(?:sangat|amat|cepat) {_PRAISE}|cepat (?:sekali|banget)", "mantap"),
    (r"tidak ada (?:masalah|kendala|gangguan|keluhan)(?: apa apa| apapun)?(?: lagi)?", "solved"),
    (r"sudah tidak (?:ada )?(?:masalah|kendala|gangguan|bermasalah)(?: lagi)?", "solved"),
    (r"no (?:more )?(?:problem|problems|issue|issues|complaints)(?: anymore| now)?|back to normal", "solved"),
    (r"semoga tidak (?:terulang|terjadi)(?: lagi)?|tidak apa apa|gapapa", "ya"),
    (r"semoga (?:semua |bapak |ibu |tim |telkom |makin |semakin |tetap )*"
     r"(?:sukses|jaya|sehat|maju|berkah|dibalas|lancar (?:terus|selalu))(?: (?:selalu|terus|jaya))*", "ya"),
    (r"(?:sukses|normal|lancar|stabil|aman|jaya) (?:terus|selalu)", "solved"),
    (r"sudah (?:(?:saya|kami|aku) )?(?:cek|coba|tes|dites|dicoba)(?: dan)?", "sudah"),
    (r"sudah bisa(?: (?:internetan|dipakai|digunakan|connect|konek|nyambung|login|akses|diakses|dibuka|browsing))?",
     "solved"),
    (r"(?:(?:tiket|kasus|laporan|keluhan) )?(?:silakan|silahkan|boleh|bisa|mohon|tolong|please|can|may|you can) "
     r"(?:be )?(?:ditutup|tutup|diclose|close|closed)(?: saja| aja)?"
     r"(?: (?:the |this )?(?:tiket|kasus|laporan|keluhan|ticket|case))?", "ok"),
    (r"kembali kasih|sama sama|sami sami|you are welcome|youre welcome|my pleasure", "ok"),
    (r"luar biasa|kerja bagus|good job|great job|well done|top markotop", "mantap"),
    (r"(?:have|has) a (?:nice|good|great) day|god bless(?: you)?|selamat (?:pagi|siang|sore|malam|bekerja|beraktivitas)"
     r"|puji tuhan|alhamdulilah|alhamdulillah|puji syukur|syukur(?:lah)?", "ya"),
    (r"(?:best|kind|warm|with) regards|salam hangat|salam hormat|hormat saya|hormat kami|salam", "salam"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(rf"(?<!\S)(?:{phrase})(?!\S)"), word) for phrase, word in _PHRASES)


_THANKS = word_set("""
    makasih terimakasih terimakasi trimakasi trimaksih makasihh maaci maacih maasih mamacih mkasih trimks trimakasih
    thanks thank tq thx thankyou thanx thks tks ty tysm tengkyu tengkiu tenkyu tenkiu tengs tengkyuu thankss thengkyu
    matursuwun maturnuwun maturnuhun hatunuhun haturnuhun suwun nuhun suksma mauliate mauliatee bujur tampiasih
    tarimokasih tarimakasih sakalangkong syukron jazakallah jazakumullah barakallah cheers appreciated appreciate
    terimakaseh makaseh mokasih arigato gracias
    """)
_AGREED = word_set("""
    ok oke okay okey okeh okei oks oce oc siap sip siip noted mantap mantab roger diterima received
    understood baik baiklah paham mengerti dimengerti clear closed done dipahami okd okee okk
    """)
_SOLVED = word_set("""
    solved resolved fixed fixing working works back normal parantos mari lancar nyala menyala hidup pulih beres
    aman stabil kencang kenceng jernih selesai teratasi terselesaikan terpecahkan tuntas kelar berfungsi terhubung
    tersambung terkoneksi nyambung online running perfect jelas
    """)
_FAULTS = word_set("masalah gangguan kendala keluhan komplain issue problem trouble")
_LINES = word_set("""
    internet wifi jaringan koneksi sinyal telepon tv line link connection network layanan service modem tiket ticket
    case laporan email keluhan indihome astinet
    """)
_FILLING = word_set("""
    ya yaa iya nih deh lah loh aja saja pak bu kak min admin mimin mas mbak bang gan sis bro bos bapak ibu tim team cs
    sir madam telkom semua saya kami aku kita anda dan juga lagi kembali sekarang kini sudah telah akhir nggih inggih
    muhun banyak bnyk byk sekali banget sangat amat pisan sanget yah kang teh akang atas untuk buat bagi kepada dengan
    keren hebat top jempol puas memuaskan membantu terbantu senang ramah bagus halo hai hi hello dear yth salam hormat
    wassalam regards assalamualaikum waalaikumsalam wr wb best kind warm you u so very much many for your great good
    excellent awesome wonderful happy satisfied really that this all it we i is are its now fine well again has have
    been a lot of everything the our my and yes up sebesar besar besarnya kasih gbu salut respect jos joss jaya cakep
    kakak kaka mba mbk memang amin aamiin benar bener nice got letting know me kemarin tadi seperti semula
    terkendali kana it smoothly stable guys apik mantul noc
    """)
_KNOWN = _THANKS | _AGREED | _SOLVED | _FAULTS | _LINES | _FILLING
_CALLED = word_set("pak bu kak mas mbak bang bapak ibu dear halo hi hello")
"""A name may follow one of these."""
_RETURNED = frozenset({"lagi", "kembali", "again", "back"})
_ASKED = re.compile(r"(?:\A|\. )(?:is|are|has|have|can|will|do|does) (?:it|the|this|my|our|all|you|we|everything)\b")
_QUOTED = re.compile(r"[“\"]\s*[\w ]{2,40}[”\"]")
_END = frozenset(".!?")
_DEED = re.compile(
    r"(?<!\S)(?:(?:sudah|telah|karena|selalu) (?:(?:saya|kami|kita|anda|telkom) )?(me[lmnrwy]\w{3,}|di\w{4,})"
    r"|(?:for|to|by) (?:(?:the|my|our|us|your|finally|always) )?([a-z]{2,}ing))(?!\S)"
)
"""Something that somebody has done; thanks for it may be bitter."""
_GOOD_DEEDS = word_set("""
    membantu memperbaiki memperbaikinya menangani menanganinya menyelesaikan menyelesaikannya merespon merespons
    menindaklanjuti mengatasi memulihkan menanggapi menjawab menginformasikan memberi memberikan memberitahu melayani
    memproses mengecek menghubungi menormalkan mengaktifkan menyambungkan menjelaskan mengabari menerima menyampaikan
    menghidupkan menyalakan mempercepat membalas mengirim mengirimkan mendengarkan membereskan memonitor mengurus
    memperhatikan mengunjungi mengonfirmasi mengkonfirmasi menyediakan meluangkan memahami mendingan membaik
    dibantu diperbaiki ditangani diselesaikan direspon direspons ditindaklanjuti diatasi dipulihkan ditanggapi dijawab
    diinformasikan diberitahu dilayani diproses dicek dihubungi dinormalkan diaktifkan disambungkan dijelaskan
    diterima disampaikan dihidupkan dinyalakan dipercepat dibalas dikirim dikirimkan dibereskan diurus dikunjungi
    dikonfirmasi dimengerti dipahami dipakai digunakan diakses dibuka dicoba dites ditutup diclose
    fixing helping resolving restoring responding handling letting getting sorting taking coming repairing solving
    working updating assisting supporting caring checking informing everything making following confirming replying
    dilakukan dikerjakan ditanggulangi
    answering sending reaching looking bringing listening explaining
    """)


def is_thanks(text: str, sender_name: str = "") -> bool:
    """Whether a mail's new text thanks, confirms or greets, and says nothing else.

    Args:
        sender_name: the sender may sign with it.
    """
    text = _JOINERS.sub("", text).strip()
    if _REACTION.match(text):
        return True
    if _marked(text):
        return False
    plain = _plain(text)
    said = spell_out(plain)
    if said.count(" ") > MOST_WORDS or _ASKED.search(said):
        return False
    said = " ".join("makasih" if word in _THANKS else word for word in said.split())
    for pattern, word in _PATTERNS:
        said = pattern.sub(word, said)
    words = [word for word in said.split() if word not in _END]
    if any(char.isdigit() for char in said):
        return False
    names = {*spell_out(sender_name).split(), *_signed(plain)}
    unknown = [
        word
        for number, word in enumerate(words)
        if word not in _KNOWN
        and word not in names
        and not (number and words[number - 1] in _CALLED and word in _capitals(plain))
    ]
    if unknown:
        return False
    found = frozenset(words)
    fault, over = found & _FAULTS, found & _SOLVED
    if fault and (not over - {"back"} or found & _RETURNED):
        return False
    if found & _LINES and not over | found & _THANKS:
        return False
    return bool(found & (_THANKS | _AGREED | _SOLVED) or _SIGN.search(text) or _TYPED.search(text))


def says_more(text: str) -> bool:
    """Whether a mail that thanks may also say something else."""
    text = _JOINERS.sub("", text).strip()
    said = spell_out(_plain(text))
    words = [word for word in said.split() if word not in _END]
    other = [word for word in words if word not in _KNOWN]
    return (
        _marked(text)
        or _ASKED.search(said) is not None
        or any(char.isdigit() for char in said)
        or not (NO_NAMES | _FAULTS).isdisjoint(words)
        or len(other) > MOST_OTHER_WORDS
        or not {deed for found in _DEED.findall(said) for deed in found if deed} <= _GOOD_DEEDS | _KNOWN
    )


def _marked(text: str) -> bool:
    """Whether signs show more than plain thanks: a question mark, a quoted word (irony), an angry emoji."""
    return any(sign not in _GOOD for sign in _SIGN.findall(text)) or "?" in text or _QUOTED.search(text) is not None


def _plain(text: str) -> str:
    """The text without smileys, and with “makasihhh” and “banyak2” in their usual spelling."""
    once = re.sub(r"([^\W\d])\1{2,}", r"\1", _TYPED.sub(" ", text))
    return re.sub(r"(?<=[^\W\d_]{3})2\b", "", once)


def _capitals(text: str) -> frozenset[str]:
    """Words that begin with a capital letter, and so may be names, in lower case."""
    return frozenset(word.lower() for word in re.findall(r"\b[A-Z][a-z]+\b", text)) - NO_NAMES


def _signed(text: str) -> frozenset[str]:
    """The words of the last line if they look like a name."""
    lines = [line.strip(" \t,.-–—~") for line in text.splitlines() if line.strip(" \t,.-–—~")]
    if len(lines) < 2 or not re.fullmatch(r"(?:[A-Z][a-z]*\.?)(?: [A-Z][a-z]*\.?){0,3}", lines[-1]):
        return frozenset()
    name = frozenset(spell_out(lines[-1]).split())
    return frozenset() if name & NO_NAMES else name


NO_NAMES = word_set("""
    tidak belum masih tapi tetapi namun kecuali cuma hanya mati padam down lambat lemot putus error rusak trouble
    offline los merah mohon tolong minta please kapan kenapa mengapa bagaimana apa apakah mana berapa siapa tunggu
    menunggu ditunggu nunggu segera besok nanti lapor komplain kecewa marah parah payah buruk percuma matinya
    bohong not still but yet never no slow broken wrong when why how what tagihan bayar cabut putusnya
    berhenti pindah upgrade pasang ganti cek kok jangan sering hilang bocor salah gagal semoga harus harusnya
    seharusnya kalau katanya sebentar lalu tinggal dulu makin tambah cepat coba akan kompensasi refund uang
    dikabari kabari kabar hubungi telpon hp nomor password paket biaya harga alamat teknisinya jadwal isih ning
    durung dereng acan nothing however though except until will would could should send call waiting wait if sometimes
    membuat bikin tetap kembalikan dong doang atasan ylki kominfo bukan kurang sebaiknya aneh heran lucu
    sekalian mau ingin butuh perlu bantu dibantu terlampir berikut lampiran tanya gimana alasan malah justru
    namanya padahal walau walaupun meski meskipun sayang sayangnya rugi
    """)
"""Words that are no names, even in capitals, and no part of plain thanks."""
