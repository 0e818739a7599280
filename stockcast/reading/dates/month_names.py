"""The names of the months in the languages that price files come in."""

from __future__ import annotations

import unicodedata

_NAMES = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pl nominative": "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
    "tr": "ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "ru nominative": "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "th": "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
}
_THAI = "ม.ค ก.พ มี.ค เม.ย พ.ค มิ.ย ก.ค ส.ค ก.ย ต.ค พ.ย ธ.ค"
_SHORTER = {"sept": 9, "mrz": 3, "janv": 1, "fevr": 2, "juil": 7, "avr": 4, "ene": 1, "dic": 12, "ago": 8, "set": 9}


def without_accents(text: str) -> str:
    """Lower case without accents: März as marz, Şubat as subat, and Turkish's dotless i as i."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\u0131", "i").casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _table() -> dict[str, int]:
    months: dict[str, int] = {}
    clashing: set[str] = set()
    for names in _NAMES.values():
        for number, name in enumerate(without_accents(names).split(), start=1):
            for known in (name, name[:3]):
                if months.setdefault(known, number) != number:
                    clashing.add(known)
    thai = {without_accents(name): number for number, name in enumerate(_THAI.split(), start=1)}
    return {name: number for name, number in (months | _SHORTER | thai).items() if name not in clashing}


_MONTHS = _table()


def month(name: str) -> int:
    """The number of a month's full or short name, or 0 if it is none, or one that means two months."""
    return _MONTHS.get(without_accents(name).rstrip("."), 0)
