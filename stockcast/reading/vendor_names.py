"""The names that price files give their columns, as data: to know another one is to add it to its line here.

Semicolons stand between names. Accents, capitals, brackets and the marks _ . : - make no difference
(`column_names.normal`). Where a file has several names of a role, the earlier one wins.
"""

from __future__ import annotations

CLOSE_TIERS = ("close", "last", "price", "value")
"""How plainly a name says that it is the close: "last" and "settle" say it less plainly than "close", "price"
less than both. A file's plainest name is its close, if it has only one of that tier."""

# Role or tier of the close, and names; "other" are columns that are surely not the price.
NAMES: tuple[tuple[str, str], ...] = (
    # English, and what exchanges and brokers write in all languages
    ("date", "date; trade date; trading date; trading day; business date; day; datum; tag; fecha; data; tarih; дата"),
    ("date", "日期; 交易日期; 日付; 日付け; 날짜; 일자; jour; dia; giorno; dzien; handelsdatum; datetime; date time"),
    ("date", "date/time; datetime utc; time period; observation date; month; monat; mois; mes; mese; miesiac; ay"),
    ("date", "week; quarter; year; jahr; time; timestamp; open time; timeopen; time open; opentime; snapped at; unix"),
    ("date", "unix timestamp; unix time; epoch; period; 时间; 時間; время; t; pricing date; dato; tanggal; ngay"),
    ("date", "วันที่; 年月日; 取引日; 交易日; 成交日期; 資料日期; 기준일; 기준일자; datums; paivamaara; exchange date"),
    ("date", "datadate; date value"),  # Compustat (WRDS); Thomson Reuters
    ("date", "dtyyyymmdd; date yyyymmdd; yyyymmdd"),  # MetaStock, AmiBroker, TSETMC: <DTYYYYMMDD>
    ("date", "window start"),  # Polygon flat files, nanoseconds
    ("date", "tradedate; timestamps; bas dd; trd dd; trddt"),  # MOEX ISS, KRX, CSMAR
    ("ticker", "ticker; symbol; name; stock; stock symbol; security; instrument; asset; pair; code; stock code; isin"),
    ("ticker", "wkn; sid; ric; tic; act symbol; ts code; security name; symbole; symbol name; simbolo; kod; тикер"),
    ("ticker", "代码; 股票代码; 銘柄コード; コード; 종목코드"),
    ("ticker", "證券代號; 股票代號; stock id; trading code; secid; stkcd"),
    ("ticker", "scrip; scrip name; instrument name; permno; gvkey; ticker symbol; issuer; share; company"),
    ("open", "open; opening; open price; opening price; price open; o; eroffnung; eroffn; eroffnungskurs; erster"),
    ("open", "ouverture; ouv; apertura; abertura; otwarcie; acilis; откр; открытие; цена открытия; 开盘; 开盘价"),
    ("open", "開盤; 始値; 시가; opening value; start; openingskoers; oppning; abre; inicio; 開盤價; 開盘价; debut"),
    ("open", "first; abert; pembukaan; เปิด; ราคาเปิด; gia mo cua; mo cua; mở; åbning; åpning; apning; openp; open prc"),
    ("open", "px open; openprc; prcod; cf open; hst open"),
    ("open", "open 1; opnprc; open bid; kurs otwarcia; tdd oprc; tdd opnprc"),
    ("high", "high; highest; high price; day high; price high; max; maximum; h; hoch; tageshoch; hochst; hochstkurs"),
    ("high", "plus haut; haut; le plus haut; + haut; maximo; maxima; max price; massimo; najwyzszy; maks; maksimum"),
    ("high", "yuksek; en yuksek; макс; максимум; 高; 最高; 最高价; 高値; 고가; hoog; hoogste; alta; 最高價; tertinggi"),
    ("high", "สูงสุด; ราคาสูงสุด; gia cao nhat; cao nhat; cao; høj; høy; hogst; hogsta; najvyssi; najwyzszy kurs"),
    ("high", "high 1; px high; prchd; prchm; askhi; cf high; hst high; highp; hiprc; tdd hgprc"),
    ("low", "low; lowest; low price; day low; price low; min; minimum; l; tief; tagestief; tiefst; tiefstkurs"),
    ("low", "plus bas; bas; le plus bas; + bas; minimo; minima; min price; najnizszy; dusuk; en dusuk; мин; минимум"),
    ("low", "低; 最低; 最低价; 安値; 저가; laag; laagste; baixa; 最低價; terendah; ต่ำสุด; ราคาต่ำสุด; gia thap nhat"),
    ("low", "thap nhat; thấp; lav; lagst; lagsta; low 1; px low; prcld; prclm; bidlo; cf low; hst low; lowp; loprc"),
    ("close", "close; close/last; closing; close price; closing price; price close; c; schluss; schlusskurs; cloture"),
    ("close", "fermeture; cierre; chiusura; fechamento; zamkniecie"),
    ("close", "kapanis; закрытие; цена закрытия; 收盘; 收盘价; 收盤"),
    ("close", "終値; 종가; slot; slotkoers; closing value; 收盤價; closep; clot; cours de cloture; schlusspreis; fech"),
    ("close", "kurs zamkniecia; penutupan; ปิด; ราคาปิด; gia dong cua; dong cua; luk; slutkurs; stangning; close prc"),
    ("close", "close close price adjusted for splits"),  # Yahoo's table of 2024, copied with its tooltips
    ("close", "px close; px official close"),  # Bloomberg
    ("close", "prccd; prccm; cf close; hst close; official close; clsprc; tdd clsprc"),  # Compustat; LSEG; CSMAR; KRX
    ("last", "zuletzt; letzter; dernier; ultimo; ostatnio; simdi; son; last; last price; settle; settlement"),
    ("last", "settlement price; ltp; px last; px settle; laatste; siste; seneste; senaste; senast; terakhir; utolso"),
    ("last", "posledni; ล่าสุด; lan cuoi; lần cuối; 現在値"),
    ("last", "最新价; 成交價; 현재가; 체결가; last traded price; last trade; end; fin"),
    ("last", "trdprc 1; trdprc; cf last; settle prc"),  # LSEG (Refinitiv): the last trade's price
    ("price", "price; цена; preis; prix; precio; prezzo; preco; cena; fiyat; kurs; 价格; 價格; prc; harga; pris"),
    ("value", "value; nav; index value; rate; net asset value; cours; wert"),
    ("adj_close", "adj close; adjclose; adjusted close; adjustedclose; adj closing price; adjusted closing price"),
    ("adj_close", "close adj; close adjusted; adjusted; bereinigter schluss; adj schlusskurs; cloture ajustee"),
    ("adj_close", "cierre ajustado; cierre aj; chiusura rettificata; 调整后收盘价; 調整後終値; adjusted price"),
    ("adj_close", "終値調整; 終値調整値; 調整後終値"),  # kabuoji (kabuoji3.com)
    ("adj_close", "조정종가; 수정종가; 수정주가; 調整後收盤價; 還原收盤價; 复权收盘价; 后复权收盘价; 前复权收盘价"),
    ("adj_close", "adjustment close; iq closeprice adj; adj prc"),  # J-Quants; Capital IQ
    (
        "adj_close",
        "adj close adjusted close price adjusted for splits and dividend and/or capital gain distributions",
    ),  # Yahoo's table of 2024, copied with its tooltips
    ("volume", "volume; vol; v; total volume; volume traded; traded volume; trade volume; shares traded"),
    ("volume", "trading volume; number of shares; no of shares; total trade quantity; total traded quantity"),
    ("volume", "tottrdqty; quantity"),
    ("volume", "stucke; stuecke; stuck; volumen; umsatz; hac; hacim; wol; wolumen; объем; объем торгов; 交易量"),
    ("volume", "成交量; 成交股數"),
    ("volume", "出来高; 売買高; 거래량; volumi; aantal; tickvol; tick volume; volumefrom; obrot; 成交股数; 成交張數"),
    ("volume", "volym; omsatt antall; ปริมาณ; ปริมาณซื้อขาย; kl; khoi luong; kl khop lenh; kuantitas; deliverable volume"),
    ("volume", "acvol uns; acvol 1; acvol; cf volume; px volume; cshtrd; cshtrm; acc trdvol; total quantity"),
    # Not the price, whatever its numbers look like
    ("other", "open interest; openint; openinterest; oi; per; close time; series; currency; devise; wahrung; count"),
    ("other", "ycp; trade; trades; value mn; amount; turnover; money; trading money; trading turnover; trading amount"),
    ("other", "成交金額; 成交筆數; 漲跌價差; 涨跌额; 涨跌幅; 换手率; 成交额; 成交金额; 前收盘; 振幅; 总市值; 流通市值"),
    ("other", "前日比; 前日比%; 変化率; 変化率 %; 売買代金; 거래대금; 등락률; 대비; 시가총액; 상장주식수; 전일비"),
    ("other", "ignore; quote volume; taker buy base asset volume; taker buy quote asset volume; transactions; n; vw"),
    ("other", "num moves; mid price; ajexdi; trfd; shrout; cfacpr; cfacshr; ret; retx; div cash; split factor"),
    ("other", "dividend amount; split coefficient; ex dividend; split ratio; dividends; stock splits; capital gains"),
    ("other", "adj open; adj high; adj low; adj volume; adjopen"),
    ("other", "adjhigh; adjlow; adjvolume; adjustment factor; factor"),
    ("other", "adjustment open; adjustment high; adjustment low; adjustment volume; upper limit; lower limit; capital"),
    ("other", "preclose; prevclose; pctchg; isst; adjustflag; tradestatus; turn; numtrades; waprice; spread; oborot"),
)

GENERAL = "price prices prix preis precio prezzo preco px prc kurs stock share day daily of the"
"""Words beside a name that change nothing about it: prix_haut, daily close."""

CURRENCIES = "usd eur gbp jpy chf cad aud cny hkd inr krw twd usdt usdc btc eth sek nok dkk pln"
"""Currencies that stand beside a name: close_usd."""

OTHER_WORDS = """
    prev previous pre yesterday avg average mean median change chg pct percent percentage wk week weeks 52w 52wk 52week
    bid ask mid vwap wap twap trades turnover amount marketcap market cap capitalization capitalisation dividend
    dividends div split splits sma ema wma ma rsi macd atr adx obv bollinger upper lower band signal return returns ret
    yield spread limit std deviation volatility time factor ratio interest variation var delta earnings eps pe
    veranderung mittel mittelwert moyenne variacion variazione
"""
"""A name with one of these words among others is a column about prices, not the price: Prev. Close, 52W High."""

NOT_TICKERS = """
    GDP CPI PPI PE PE10 CAPE EPS PB PS ROE ROA RSI MACD SMA EMA WMA ATR ADX OBV CCI MFI VWAP TWAP BID ASK MID AVG MEAN
    MEDIAN STD VAR MIN MAX SUM INDEX RATE YIELD PRICE PRICES DIV DIVIDEND DIVIDENDS EARNINGS INTEREST REAL NOMINAL SPOT
    RETURN RETURNS RET CHANGE CHG PCT TOTAL VALUE NAV MKT OI DATE TIME YEAR MONTH DAY WEEK QUARTER PREV NEXT ADJ RAW
    UPPER LOWER BAND SIGNAL TRADES TURNOVER AMOUNT COUNT ID NR NO ROW COL COLUMN FIELD F V UNITS SHARES SALES REVENUE
    TARGET LABEL X Y
"""
"""Capital letters that could be a ticker but are a statistic's name."""

ACTION_WORDS = r"(?:cash |stock )?(?:dividend[eo]?s?|splits?|aktiensplit|capital gains?)"
"""What a line of Yahoo's table says that tells of a dividend or a split between the prices."""

DATE_PARTS: dict[str, str] = {
    "year": "year; yr; yyyy; jahr; annee; ano; anno; rok; yil; 年; 년; год",
    "quarter": "quarter; qtr; quartal; trimestre; 季度; 분기",
    "month": "month; mon; mm; monat; mois; mes; mese; miesiac; ay; 月; 월; месяц",
    "day": "day; dd; tag; jour; dia; giorno; dzien; gun; 日; 일; день",
    "week": "week; woche; semaine; semana; settimana",
    "time": "time; hour; minute; hh; uhrzeit; zeit; heure; hora; ora; godzina; saat; 時刻; 时间; 時間; время; 시간",
}
"""Columns that hold a part of a date, or the time of day."""
