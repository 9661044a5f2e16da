"""Money of the delegations: typed and shown in 元, kept as whole 分 (docs/adr/0001).

The notice speaks of 万元 for enterprises and 元 for people; one unit on every page spares a conversion.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError

from reporting.fields import normalise

FEN_PER_YUAN = 100
MAX_FEN = 10**12 * FEN_PER_YUAN - 1  # below 10^12 元; a thousand of them still fit int8


def parse_yuan(text: str) -> int | None:
    """`30000`, `3万`, `３万元`, `2,000.50元` → 分; None for blank. Raises ValidationError.

    static/js/yuan.js does the same; tests/delegations/yuan.json holds both to it.
    """
    plain = normalise(text).removesuffix("元")
    if not plain:
        return None
    factor = 1
    if plain.endswith("万"):
        plain, factor = plain.removesuffix("万"), 10_000
    if len(plain) > 20 or not any(c.isdigit() for c in plain) or not set(plain) <= set("0123456789.-+"):
        raise ValidationError(f"“{text.strip()[:30]}”不是金额，请填数字，如 30000 或 3万。")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValidationError(f"“{text.strip()[:30]}”不是金额，请填数字，如 30000 或 3万。") from None
    fen = number * factor * FEN_PER_YUAN
    if fen < 0:
        raise ValidationError(f"“{text.strip()[:30]}”是负数，金额不能小于 0。")
    if fen != fen.to_integral_value():
        raise ValidationError(f"“{text.strip()[:30]}”不足一分，金额精确到分。")
    if fen > MAX_FEN:
        raise ValidationError(f"“{text.strip()[:30]}”过大，请核对。")
    return int(fen)


def plain_yuan(fen: int | None) -> str:
    """分 → what stands in an input: 3000000 → "30000", 50 → "0.5"."""
    if fen is None:
        return ""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    whole, rest = divmod(fen, FEN_PER_YUAN)
    decimals = f"{rest:02d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def show_yuan(fen: int | None) -> str:
    """分 → for reading, thousands separated: 3000000 → "30,000", 12345 → "123.45"."""
    if fen is None:
        return ""
    whole, dot, rest = plain_yuan(fen).partition(".")
    return f"{int(whole):,}" + (f".{rest:0<2}" if dot else "") if whole != "-0" else f"-0.{rest:0<2}"
