"""The vocabulary of a statistics form: one typed model field per indicator (指标).

Every value of a form, count or money, is a whole number inside: counts as they are, money in 分.
万元 with six decimals is the unit people see (1 分 = 0.000001 万元).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

FEN_PER_WANYUAN = 1_000_000
MAX_COUNT = 2_147_483_647
MAX_FEN = 10**10 * FEN_PER_WANYUAN - 1  # below 10^10 万元

WANYUAN, PERSON_TIMES, PERSONS, HOUSEHOLDS, PIECES, ENTERPRISES, YES_NO = (
    "万元",
    "人次",
    "人",
    "户",
    "个",
    "家",
    "是/否",
)

# Full-width digits and signs become plain ones. Not NFKC: that would read 5² as 52 and ① as 1.
_TYPED = {0xFEE0 + plain: chr(plain) for plain in range(0x21, 0x7F)}
# Separators of thousands in both widths and blanks of every kind are dropped.
_TYPED |= dict.fromkeys(map(ord, ",， \t\r\n\u00a0\u3000\u2009\u202f\ufeff"), "")


def normalise(text: str) -> str:
    """Full-width digits, thousands separators and blanks as people type them: `１２，３４５` → `12345`."""
    return text.translate(_TYPED)


def _plain_number(text: str) -> Decimal:
    """The number a person meant, or a sentence. Exponents, NaN and infinities are not figures."""
    if len(text) > 40 or not all(c in "0123456789.-+" for c in text) or not any(c.isdigit() for c in text):
        raise ValidationError(f"“{text[:30]}”不是数字，请只填阿拉伯数字。", code="not_a_number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValidationError(f"“{text[:30]}”不是数字，请只填阿拉伯数字。", code="not_a_number") from None


class Indicator(models.Field):  # type: ignore[type-arg]
    """Shared by the three kinds of cell. The attribute's name is the indicator's code.

    `label` is the printed wording, whole. `printed` is what the copy of the notice says of the row:
    "yes", "label" (code missing or misprinted) or "no" (row reconstructed, may be relabelled or
    switched off per campaign). `of` names the parts of a total. `note` tells of an oddity of the print;
    `reprinted` is another row's code that the notice prints on this one.
    """

    kind: str
    of: tuple[str, ...] = ()

    def __init__(
        self,
        label: str = "",
        *,
        unit: str = "",
        section: int = 0,
        printed: str = "yes",
        of: str = "",
        note: str = "",
        reprinted: str = "",
        **options: Any,
    ) -> None:
        self.label, self.unit, self.section, self.printed = label, unit, section, printed
        self.of = tuple(of.split())
        self.note, self.reprinted = note, reprinted
        options.setdefault("null", True)
        options.setdefault("blank", True)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """Only the column: wording and parts may change without a migration."""
        name, path, args, options = super().deconstruct()
        options.pop("null", None)
        options.pop("blank", None)
        options.pop("verbose_name", None)
        return name, path, args, options

    @property
    def code(self) -> str:
        return str(self.name)

    @property
    def printed_code(self) -> str:
        """As on paper: a row whose code is not in the notice shows an empty code cell."""
        return "" if self.printed == "label" else self.code

    def parse(self, text: str) -> int | None:
        """What a person typed → the whole number inside, None for blank. Raises ValidationError."""
        raise NotImplementedError

    def show(self, figure: int | None) -> str:
        """The whole number inside → the text in the cell."""
        return "" if figure is None else str(figure)

    def grouped(self, figure: int | None) -> str:
        """For reading: thousands separated."""
        if figure is None:
            return ""
        whole, _, rest = self.show(figure).partition(".")
        return f"{int(whole):,}" + (f".{rest}" if rest else "")


class CountField(Indicator, models.IntegerField):  # type: ignore[type-arg]
    """People, person-times, households, pieces: a whole number, int4."""

    kind = "count"

    def parse(self, text: str) -> int | None:
        text = normalise(text)
        if not text:
            return None
        number = _plain_number(text)
        if number < 0:
            raise ValidationError(f"“{text}”是负数，此处不能小于 0。", code="negative")
        if number != number.to_integral_value():
            raise ValidationError(f"“{text}”不是整数，{self.unit}数须填整数。", code="not_whole")
        if number > MAX_COUNT:
            raise ValidationError(f"“{text}”过大，不能超过 {MAX_COUNT}。", code="too_big")
        return int(number)


class CountTotalField(CountField):
    """A sum of counts: int8, so that a draft whose parts are absurd still has a place for their sum."""

    def get_internal_type(self) -> str:
        return "BigIntegerField"


class MoneyField(Indicator, models.BigIntegerField):  # type: ignore[type-arg]
    """万元 on the page, whole 分 in the column (int8): sums are exact and fast."""

    kind = "money"

    def parse(self, text: str) -> int | None:
        text = normalise(text)
        if not text:
            return None
        number = _plain_number(text)
        if number < 0:
            raise ValidationError(f"“{text}”是负数，此处不能小于 0。", code="negative")
        with localcontext(prec=60):  # 40 typed characters times a million, without rounding one away
            fen = number * FEN_PER_WANYUAN
        if fen != fen.to_integral_value():
            raise ValidationError(
                f"“{text}”超过 6 位小数，金额精确到分（0.000001 万元）。", code="too_precise"
            )
        if fen > MAX_FEN:
            raise ValidationError(f"“{text}”过大，金额须小于 100 亿万元。", code="too_big")
        return int(fen)

    def show(self, figure: int | None) -> str:
        return "" if figure is None else show_wanyuan(figure)


class YesNoField(Indicator, models.SmallIntegerField):  # type: ignore[type-arg]
    """是/否: 1, 0 or blank. A small integer, so that a total is "anybody said 是" by the same arithmetic."""

    kind = "yesno"

    def parse(self, text: str) -> int | None:
        text = normalise(text)
        if not text:
            return None
        if text in ("是", "1"):
            return 1
        if text in ("否", "0"):
            return 0
        raise ValidationError(f"“{text[:30]}”不明确，请选“是”或“否”。", code="not_yes_no")

    def show(self, figure: int | None) -> str:
        return "" if figure is None else ("是" if figure else "否")

    def grouped(self, figure: int | None) -> str:
        return self.show(figure)


def show_wanyuan(fen: int) -> str:
    """分 → 万元 without superfluous zeros: 12500000 → "12.5"."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    whole, rest = divmod(fen, FEN_PER_WANYUAN)
    decimals = f"{rest:06d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def Count(label: str, *, unit: str = PERSON_TIMES, **options: Any) -> CountField:
    return CountField(label, unit=unit, **options)


def Money(label: str, **options: Any) -> MoneyField:
    return MoneyField(label, unit=WANYUAN, **options)


def YesNo(label: str, **options: Any) -> YesNoField:
    return YesNoField(label, unit=YES_NO, **options)


def Total(label: str, *, of: str, unit: str = PERSON_TIMES, **options: Any) -> CountField | MoneyField:
    """A row that is the sum of other rows of the same unit: `Total("…", of="E1 E2 E3")`."""
    field = MoneyField if unit == WANYUAN else CountTotalField
    return field(label, unit=unit, of=of, **options)
