"""Which of the encodings before Unicode a text is in: the one in which its letters make sense.

Digits and marks are the same in all of them; names, and what is said about them, are not.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable, Mapping

# In the order in which they are tried; of two that make equal sense the earlier one is taken. The lead bytes are those
# of the common characters: level 1 of Big5, GB 2312 and JIS X 0208, the syllables of KS X 1001.
_COMMON: Mapping[str, tuple[int, int] | None] = {
    "cp1252": None,
    "cp1250": None,
    "cp1254": None,
    "cp1251": None,
    "cp874": None,
    "euc_kr": (0xB0, 0xC8),
    "cp949": (0xB0, 0xC8),
    "big5hkscs": (0xA4, 0xC6),
    "cp932": (0x88, 0x97),
    "euc_jp": (0xB0, 0xCF),
    "gb18030": (0xB0, 0xD7),
    "latin-1": None,
}
_SCRIPTS = {
    "cp1251": ("CYRILLIC",),
    "cp874": ("THAI",),
    "euc_kr": ("HANGUL",),
    "cp949": ("HANGUL",),
    "big5hkscs": ("CJK",),
    "cp932": ("CJK", "HIRAGANA", "KATAKANA"),
    "euc_jp": ("CJK", "HIRAGANA", "KATAKANA"),
    "gb18030": ("CJK",),
}
_SAMPLE = 4000


def decode_legacy(content: bytes, known: Callable[[str], int]) -> str:
    """The text of bytes that are not Unicode.

    The encoding is the one in whose reading `known` counts most known words in a line, and then the one that makes
    most sense of the letters that are not ASCII.
    """
    texts = {encoding: text for encoding in _COMMON if (text := _decoded(content, encoding)) is not None}

    def score(encoding: str) -> tuple[int, float]:
        sample = texts[encoding][:_SAMPLE]
        return max(known(line) for line in sample.splitlines()[:20] or [""]), _sense(sample, encoding)

    return texts[max(texts, key=score)]


def _decoded(content: bytes, encoding: str) -> str | None:
    # An incremental decoder leaves out a last character that is cut short.
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError:
        return None


def _sense(text: str, encoding: str) -> float:
    """The share of letters beyond ASCII that make sense: common ones of the script, or Latin ones within words."""
    letters = [(place, letter) for place, letter in enumerate(text) if not letter.isascii() and not _is_mark(letter)]
    if not letters:
        return 0.0
    if encoding in _SCRIPTS:
        sound = sum(_is_common(letter, encoding) for _, letter in letters)
    else:
        sound = sum(letter.isalpha() and _in_a_word(text, place) for place, letter in letters)
    return sound / len(letters)


def _is_mark(letter: str) -> bool:
    """Whether it is a mark that all scripts use: a full-width bracket, a currency, a space."""
    return unicodedata.category(letter) in ("Sc", "Zs") or unicodedata.name(letter, "").startswith(
        ("FULLWIDTH", "IDEOGRAPHIC")
    )


def _is_common(letter: str, encoding: str) -> bool:
    name = unicodedata.name(letter, "")
    lead = _COMMON[encoding]
    if not name.startswith(_SCRIPTS[encoding]):
        return False
    if lead is None or name.startswith(("HIRAGANA", "KATAKANA")):
        return True
    return lead[0] <= letter.encode(encoding)[0] <= lead[1] and (
        encoding != "gb18030" or letter.encode(encoding)[1] > 0xA0
    )


def _in_a_word(text: str, place: int) -> bool:
    """Whether a plain letter stands beside one with an accent, small as it is small."""
    beside = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    return any(letter.isascii() and letter.isalpha() for letter in beside)
