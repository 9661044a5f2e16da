"""校验码: what ties a sheet of paper to the exact figures, as people read it out and as a camera reads it."""

from __future__ import annotations

import re
import unicodedata

from reporting.models import Round, Summary

CODE_LENGTH = 16
# What a QR code says, in the characters that make the smallest one: SWN/2021/230100/1/<digest>
QR_MARK, QR_SUMMARY = "SWN", "SUMMARY"


def short_code(digest: str) -> str:
    """The first sixteen places of a digest in groups of four, as people read them out."""
    return " ".join(digest[at : at + 4] for at in range(0, CODE_LENGTH, 4))


def code_typed(text: str) -> str:
    """The digest, or its beginning, from what somebody typed or scanned: a short code, a digest, a QR code."""
    text = unicodedata.normalize("NFKC", text).strip()  # full-width, as an input method writes
    if text.upper().startswith(f"{QR_MARK}/"):
        text = text.rpartition("/")[2]
    return re.sub(r"[\s\-—·]", "", text).lower()


def qr_text(union: str, year: int, number: int, digest: str) -> str:
    return f"{QR_MARK}/{year}/{union}/{number}/{digest.upper()}"


def qr_of_round(round_: Round) -> str:
    filing = round_.filing
    return qr_text(filing.union.code, filing.campaign.year, round_.number, round_.digest)


def qr_of_summary(summary: Summary) -> str:
    return qr_text(QR_SUMMARY, summary.facts["year"], summary.number, summary.digest)
