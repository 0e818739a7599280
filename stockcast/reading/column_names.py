"""Column names to roles, in the languages and habits of the usual sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from stockcast.errors import UsageError
from stockcast.reading.month_names import without_accents

ROLES = ("date", "ticker", "open", "high", "low", "close", "adj_close", "volume")
VALUE_ROLES = ROLES[2:]

# Within a role the earlier name wins where a file has several, such as Close before Last before Price.
_NAMES: Mapping[str, str] = {
    "date": """
        date; trade date; trading date; trading day; business date; day; datum; tag; fecha; data; tarih;
        дата; 日期; 交易日期; 日付; 日付け; 날짜; 일자; jour; dia; giorno; dzien; handelsdatum; datetime;
        date time; date/time; datetime utc; time period; observation date; month; monat; mois; mes; mese;
        miesiac; ay; week; quarter; year; jahr; time; timestamp; open time; timeopen; time open; opentime;
        snapped at; unix; unix timestamp; unix time; epoch; period; 时间; 時間; время; t
    """,
    "ticker": """
        ticker; symbol; name; stock; stock symbol; security; instrument; asset; pair; code; stock code;
        isin; wkn; sid; ric; tic; act symbol; ts code; security name; symbole; symbol name; simbolo; kod;
        тикер; 代码; 股票代码; 銘柄コード; コード; 종목코드
    """,
    "open": """
        open; opening; open price; opening price; price open; o; eroffnung; eroffn; eroffnungskurs; erster;
        ouverture; ouv; apertura; abertura; otwarcie; acilis; откр; открытие; цена открытия; 开盘; 开盘价;
        開盤; 始値; 시가; opening value; start; openingskoers; oppning; abre; inicio
    """,
    "high": """
        high; highest; high price; day high; price high; max; maximum; h; hoch; tageshoch; hochst;
        hochstkurs; plus haut; haut; le plus haut; + haut; maximo; maxima; max price; massimo; najwyzszy;
        maks; maksimum; yuksek; en yuksek; макс; максимум; 高; 最高; 最高价; 高値; 고가; hoog; hoogste;
        alta
    """,
    "low": """
        low; lowest; low price; day low; price low; min; minimum; l; tief; tagestief; tiefst; tiefstkurs;
        plus bas; bas; le plus bas; + bas; minimo; minima; min price; najnizszy; dusuk; en dusuk; мин;
        минимум; 低; 最低; 最低价; 安値; 저가; laag; laagste; baixa
    """,
    "close": """
        close; close/last; closing; close price; closing price; price close; c; schluss; schlusskurs;
        zuletzt; letzter; cloture; dernier; fermeture; cierre; ultimo; chiusura; fechamento; zamkniecie;
        ostatnio; kapanis; simdi; son; закрытие; цена закрытия; 收盘; 收盘价; 收盤; 終値; 종가; slot;
        slotkoers; last; last price; settle; settlement; settlement price; ltp; px last; price; цена;
        preis; prix; precio; prezzo; preco; cena; fiyat; kurs; 价格; value; nav; index value;
        closing value; rate
    """,
    "adj_close": """
        adj close; adjclose; adjusted close; adjustedclose; adj closing price; adjusted closing price;
        close adj; close adjusted; bereinigter schluss; adj schlusskurs; cloture ajustee; cierre ajustado;
        cierre aj; chiusura rettificata; 调整后收盘价; 調整後終値
    """,
    "volume": """
        volume; vol; v; total volume; volume traded; traded volume; trade volume; shares traded;
        number of shares; no of shares; total trade quantity; total traded quantity; tottrdqty; quantity;
        volumen; umsatz; stucke; stuecke; hac; hacim; wol; wolumen; объем; объем торгов; 交易量; 成交量;
        出来高; 거래량; volumi; aantal; tickvol; tick volume; volumefrom; obrot
    """,
}


def parse_columns(text: str) -> dict[str, str]:
    """`date=0,close=Last` as roles and what the user calls their columns. Raises `UsageError` for anything else."""
    columns: dict[str, str] = {}
    for part in text.split(","):
        role, equals, name = (piece.strip() for piece in part.partition("="))
        fault = _fault_of(role, columns) if equals and name else f"{part!r} is not ROLE=NAME_OR_NUMBER."
        if fault:
            raise UsageError(
                f"--columns {text!r}: {fault}",
                f"use each of the roles {', '.join(ROLES)} once at most, for example --columns date=0,close=4.",
            )
        columns[role] = name
    return columns


def _fault_of(role: str, columns: Mapping[str, str]) -> str | None:
    """A sentence if a role can't stand after those that `columns` has already."""
    if role in columns:
        return f"it names two columns for {role}."
    if role in ROLES:
        return None
    from stockcast.config.refusal import nearest

    return f"there is no role {role!r}.{nearest(role, ROLES)}"


def normal(name: str) -> str:
    """A column name as the tables above write it: `<CLOSE>`, `4. close`, `Close*`, `Close (USD)` are all close."""
    text = re.sub(r"\([^)]*\)|\[[^\]]*\]|[\"'<>*]", " ", name)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text) if not text.isupper() else text
    text = re.sub(r"^\s*\d{1,2}[.:]\s*(?=\D)", "", text)
    return re.sub(r"[\s_.:-]+", " ", without_accents(text)).strip()


@cache
def _roles() -> dict[str, tuple[str, int]]:
    table: dict[str, tuple[str, int]] = {}
    for role, names in _NAMES.items():
        for rank, name in enumerate(names.split(";")):
            for known in {normal(name.strip()), normal(name.strip()).replace(" ", "")}:
                table.setdefault(known, (role, rank))
    return table


@lru_cache(maxsize=4096)
def role_of(name: str) -> tuple[str, int] | None:
    """The role that a column name means and its rank among that role's names (0 is the plainest), or None."""
    text = normal(name)
    if text.startswith("volume "):  # Volume BTC, Volume USD
        return _roles().get(text, ("volume", 99))
    return _roles().get(text) or _roles().get(text.replace(" ", ""))


def known_names(line: str) -> int:
    """How many cells of a line of text are known column names, whatever stands between them."""
    return sum(role_of(cell) is not None for cell in re.split(r"[,;\t|]", line) if cell.strip())


def ticker_and_role(name: str) -> tuple[str, str] | None:
    """`AAPL.Close`, `Close_AAPL` or `AAPL Adj Close` as the ticker and the role, or None."""
    for separator in ("_", ".", " ", "-", "|", ":", "/"):
        parts = name.strip().split(separator)
        for cut in range(1, len(parts)):
            ahead, behind = separator.join(parts[:cut]), separator.join(parts[cut:])
            for ticker, field in ((ahead, behind), (behind, ahead)):
                meant = role_of(field)
                if ticker and role_of(ticker) is None and meant and meant[0] in VALUE_ROLES and len(field) > 1:
                    return ticker, meant[0]
    return None
