"""All cases of the corpus, in one place."""

from __future__ import annotations

from tests.workbooks import (  # noqa: F401  registers the cases
    bad_bombs,
    bad_content,
    bad_files,
    bad_heads,
    good_heads,
    good_layouts,
    good_marks,
    good_parts,
    good_raw,
    good_values,
    told,
)
from tests.workbooks.case import BAD, GOOD, Bad, Case, Good

__all__ = ["BAD", "GOOD", "Bad", "Case", "Good"]
