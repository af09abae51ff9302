"""Decides a mail's language once, at intake. It is the language of all letters of the case that the mail opens."""

import re

from adapters.mail.signature_block import PERSON
from models.letter import Language

MOST_CHARACTERS = 4_000
"""Characters that are read."""
LEAST_ENGLISH = 2
"""A mail with fewer English words than this is Indonesian: “urgent! wifi down, please help”."""

_WORD = re.compile(r"[^\W\d_]+")
_NOTICE = re.compile(
    r"(?:^|[.!?:]\s)[\W_]{0,20}(?:(?:the (?:information|contents?) (?:\w+ ){0,3}?(?:of |in )?)?"
    r"(?:this|the) (?:e-?mail|message|communication|transmission)\b"
    r"|if you (?:are not|have received)\b|confidential|disclaimer|(?:legal )?notice\b)"
    r"[^\n.]{0,200}(?:\n[^\n.]{1,200}){0,3}?\b(?:confidential|privileged|intended|recipient|addressee|in error)",
    re.IGNORECASE | re.MULTILINE,
)
"""The beginning of an English confidentiality notice, which a mail server adds to mails in any language."""


def word_set(text: str) -> frozenset[str]:
    """The words of ``text``, which are separated by white space."""
    return frozenset(text.split())


ENGLISH = word_set(
    """
    the is are was were be been being has have had having do does did can cannot could will would shall should might
    must i my me we our you your he his she her it its they their them this that these those an of to for from with
    without at by on in into as and but or so if because since when where which who what why how much many there
    here not any some yet already only again after before about than then until more very thank
    """
)
"""English words that Indonesians do not use in Indonesian, unlike “please”, “thanks”, “still” and most nouns."""
INDONESIAN = word_set(
    """
    yang yg di dan saya sy aku kami kita anda mereka mohon mhn tolong tlg tidak tdk gak ga gk nggak enggak ngga
    sudah sdh udah udh belum blm bisa bs dari dr ke kpd kepada untuk utk dengan dgn ini itu tersebut ada adalah
    kalau kalo jika bila nomor no berapa makasih mksh trims terima kasih pak bu kak min ya sejak mau ingin lagi lg
    apa apakah juga jg karena krn atau rumah tapi tetapi namun cara masih msh kapan kenapa mengapa bagaimana gimana
    mana siapa mati akan dong nih deh kok sih aja saja banget bgt sekali sangat terus trus segera hari jam pagi
    siang sore malam tadi kemarin kmrn sekarang skrg besok nanti selama setelah sebelum sampai sampe hingga oleh
    pada dalam agar supaya bahwa seperti dicek dibantu diperbaiki bantu bantuan bantuannya infonya selamat salam
    hormat perihal tagihan gangguan lemot pelanggan jaringan baru lama tiket ulang internetnya modemnya isih ora
    mboten abdi teu
    """
)
# “no” is short for “nomor”, and also the first word of many English complaints
_INDONESIAN_ALONE = INDONESIAN - {"no"}


def language(text: str) -> Language:
    """English where English words clearly prevail; Indonesian otherwise, as for short, mixed and regional mails.

    A confidentiality notice at the end does not count.
    """
    text = text[:MOST_CHARACTERS]
    notice = _NOTICE.search(text)
    if notice and not PERSON.search(text, notice.start()):
        text = text[: notice.start()]
    words = _WORD.findall(text.lower())
    english, indonesian = (sum(word in known for word in words) for known in (ENGLISH, _INDONESIAN_ALONE))
    return "en" if english >= LEAST_ENGLISH and english > 2 * indonesian else "id"
