"""What people write for a currency → the currencies that it can mean."""

from __future__ import annotations

import re


def _find_codes(text: str) -> frozenset[str]:
    return frozenset(re.findall("[A-Z]{3}", text))


# Active codes of ISO 4217.
_CODES = _find_codes(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD
    BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB
    EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK
    JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
    PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF
    XCD XOF XPF YER ZAR ZMW ZWG
    """
)
_DOLLARS = _find_codes(
    "USD CAD AUD NZD SGD HKD TWD BSD BBD BMD BND BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD "
    "MXN ARS CLP COP DOP UYU CUP BOB"
)
_RUPEES = frozenset({"INR", "PKR", "LKR", "NPR", "MUR", "SCR"})
_CROWNS = frozenset({"SEK", "NOK", "DKK", "ISK"})
_FRANCS = frozenset({"CHF", "XAF", "XOF", "XPF"})

_SIGNS = {
    "$": _DOLLARS,
    "¥": frozenset({"JPY", "CNY"}),
    "kr": _CROWNS,
    "kr.": _CROWNS,
    "fr": _FRANCS,
    "fr.": _FRANCS,
    "rs": _RUPEES,
    "rs.": _RUPEES,
    "₨": _RUPEES,
    "£": frozenset({"GBP", "EGP", "GIP", "FKP", "SHP", "LBP", "SYP", "SDG", "SSP"}),
    "元": frozenset({"CNY", "TWD", "HKD"}),
}
_SIGNS_OF_ONE = {
    "AUD": "a$ au$",
    "BGN": "лв лв.",
    "BRL": "r$",
    "CAD": "c$ ca$ can$",
    "CHF": "sfr sfr.",
    "CZK": "kč kc",
    "EUR": "€ euro euros",
    "GBP": "gb£ pound pounds",
    "HKD": "hk$",
    "HUF": "ft ft.",
    "IDR": "rp rp.",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "円 yen jp¥",
    "KRW": "₩ 원 won",
    "MXN": "mx$",
    "MYR": "rm",
    "NZD": "nz$",
    "PHP": "₱",
    "PLN": "zł zl",
    "RON": "lei",
    "RUB": "₽ руб руб. р.",
    "SGD": "s$ sg$",
    "THB": "฿",
    "TRY": "₺ tl",
    "TWD": "nt$",
    "UAH": "₴",
    "USD": "us$ dollar dollars",
    "VND": "₫ đ",
    "ZAR": "r",
}
_SIGNS |= {
    sign: frozenset({code}) for code, signs in _SIGNS_OF_ONE.items() for sign in signs.split()
}

# Without a smaller unit: exponent 0 in ISO 4217.
WITHOUT_CENTS = _find_codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")


def currencies_of(text: str) -> frozenset[str]:
    """The currencies (ISO 4217) that a sign or code such as `US$`,
    `kr` or `eur` can mean; none if it is neither.
    """
    word = "".join(text.casefold().split())
    if word in _SIGNS:
        return _SIGNS[word]
    code = word.upper()
    return frozenset({code} if code in _CODES else ())
