"""How two values of one attribute compare: type, caseExact, Unicode, and what counts as no value.

A value becomes a key once; equal keys are equal values, and the keys of one attribute have an order. What filters,
sorting, unique values and PATCH make of equality all comes from here, so that they cannot disagree.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, TypeAlias

from scimcore.schema.attribute import Attribute, Type
from scimcore.schema.document import Json

Key: TypeAlias = str | bool | int | float | tuple[int, str]

# An enumeration takes longer to name its member than all the rest of a comparison does.
_MOMENT: Final = Type.DATE_TIME
_BEFORE_TIME: Final = -(10**18)
_WIDTH_FORMS = re.compile("[\u3000\uff01-\uffee]")
_DATE_TIME = re.compile(
    r"(-?(?:[1-9]\d{3,8}|0\d{3}))-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))?",
    re.ASCII,
)
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def comparison_key(attribute: Attribute, value: Json) -> Key:
    """What *value* of *attribute* is compared by: equal keys are equal values (RFC 7643 §2.3, RFC 7644 §3.4.2.2).

    Strings are folded unless the attribute is caseExact; references and binary values are compared as they are;
    dateTimes by the moment they mean; numbers by value. A value that does not fit the type raises nothing.

    >>> comparison_key(Attribute(name="userName"), "BJensen")
    'bjensen'
    >>> utc, offset = "2011-05-13T04:42:34Z", "2011-05-13T06:42:34.0+02:00"
    >>> created = Attribute(name="created", type=Type.DATE_TIME)
    >>> comparison_key(created, utc) == comparison_key(created, offset)
    True
    """
    if isinstance(value, str):
        if attribute.type is _MOMENT:
            try:
                return instant(value)
            except ValueError:
                return _BEFORE_TIME, value
        if value.isascii():  # as below, without a call for the texts that most are
            return value if attribute.is_exact else value.lower()
        return normalized(value) if attribute.is_exact else folded(value)
    if isinstance(value, (bool, int, float)):
        return value
    return repr(value)


def is_exact(attribute: Attribute) -> bool:
    """Whether the case of letters counts in values of *attribute* (RFC 7643 §2.2, §2.3.6, §2.3.7)."""
    return attribute.is_exact


def normalized(text: str) -> str:
    """*text* in Unicode normalization form C, so that an accent is equal however it was typed (RFC 7643 §2.3.1).

    >>> normalized("e\u0301") == "\u00e9"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """*text* as caseExact=false compares it: width forms mapped, case folded, normalized (RFC 8265 §3.3).

    >>> folded("STRASSE") == folded("straße"), folded("\uff21dmin"), folded("e\u0301") == folded("\u00c9")
    (True, 'admin', True)
    """
    if text.isascii():
        return text.lower()
    narrow = _WIDTH_FORMS.sub(_decomposed, text)
    # Folding looks at decomposed text (Unicode §3.13, D145); otherwise folding twice could differ from folding once.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", narrow).casefold())


def _decomposed(found: re.Match[str]) -> str:
    kind, _, code = unicodedata.decomposition(found[0]).partition(" ")
    return chr(int(code, 16)) if kind in ("<wide>", "<narrow>") else found[0]


@lru_cache(maxsize=8192)
def instant(text: str) -> tuple[int, str]:
    """The moment that the xsd:dateTime *text* means (RFC 7643 §2.3.5): seconds since 0000-03-01 UTC, and the fraction.

    The fraction is the digits behind the point without the zeros at its end, as many as there are; text order is time
    order. A time without a zone is taken as UTC. Any year, and 24:00:00 for the end of a day, are understood.

    >>> instant("2011-05-13T04:42:34Z") < instant("2011-05-13T06:42:34.25+02:00") < instant("2011-05-13T04:42:34.3")
    True

    Raises:
        ValueError: *text* is no xsd:dateTime, or a date that no calendar has.
    """
    known = _engine_instant(text)
    if known is not None:
        return known
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        raise ValueError("no xsd:dateTime")
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    fraction = (found[7] or "").rstrip("0")
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS_IN_MONTH[month - 1] + (is_leap and month == 2):
        raise ValueError("no such day")
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second or fraction)):
        raise ValueError("no such time of day")
    seconds = _days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
    return seconds - _offset(found), fraction


def _engine_instant(text: str) -> tuple[int, str] | None:
    """What `instant` makes of a moment as the engine writes them, in a third of the time; None for any other text."""
    if len(text) != 27 or text[16] != ":" or text[19] != "." or text[26] != "Z":
        return None
    second, fraction = text[17:19], text[20:26]
    if not (fraction.isascii() and fraction.isdecimal() and second.isascii() and second.isdecimal() and second < "60"):
        return None
    minute = _minute(text[:16])
    return None if minute is None else (minute + int(second), fraction.rstrip("0"))


@lru_cache(maxsize=64)
def _minute(text: str) -> int | None:
    """When the minute begins that the first 16 characters of a moment name; None for 24:00, in which no second follows.

    Of the moments that are written now, one after another, nearly all are in one minute.

    Raises:
        ValueError: *text* begins no xsd:dateTime.
    """
    return None if text[11:13] == "24" else instant(f"{text}:00Z")[0]


def _days(year: int, month: int, day: int) -> int:
    """Days since 0000-03-01 in the proleptic Gregorian calendar: a year that begins in March ends with the leap day."""
    years, months = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return years * 365 + years // 4 - years // 100 + years // 400 + (months * 153 + 2) // 5 + day - 1


def _offset(found: re.Match[str]) -> int:
    if found[8] is None:
        return 0
    hours, minutes = int(found[9]), int(found[10])
    if hours > 14 or minutes > 59 or (hours == 14 and minutes):
        raise ValueError("no such time zone")
    return (hours * 3_600 + minutes * 60) * (-1 if found[8] == "-" else 1)


def is_present(value: Json) -> bool:
    """Whether *value* counts for `pr`: neither empty nor made of empty parts only (RFC 7644 §3.4.2.2).

    >>> is_present(False), is_present(""), is_present([]), is_present({"givenName": ""}), is_present([{"value": "a"}])
    (True, False, False, False, True)
    """
    if isinstance(value, str):
        return value != ""
    if isinstance(value, dict):
        for part in value.values():  # noqa: SIM110 - any() takes twice as long, and most values are told by their first
            if is_present(part):
                return True
        return False
    if isinstance(value, (list, tuple)):
        for part in value:  # noqa: SIM110
            if is_present(part):
                return True
        return False
    return value is not None and value != ""
