"""Strangers' pictures are decoded whole or not at all, and one at a time on the whole machine.

Pillow can be told to make up what a cut-off picture lacks, for the whole process at once; WeasyPrint does so when it
is imported. It draws no strangers' pictures for us, so whoever decodes one takes that back.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from django.conf import settings
from PIL import ImageFile

T = TypeVar("T")

_in_this_process = threading.Lock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """A decoded picture takes hundreds of megabytes: the others wait their second, in other processes too.

    The lock lies on the folder of stored files itself, so no file is left behind; a killed process lets go of it.
    A network disk may know no such locks: then it is one in each process.
    """
    with _in_this_process:
        os.makedirs(settings.MEDIA_ROOT, exist_ok=True)
        folder = os.open(settings.MEDIA_ROOT, os.O_RDONLY)
        try:
            with suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def whole(decode: Callable[[], T]) -> T:
    """What `decode` (open and load) gives; it raises for a picture that is not whole. Inside `one_at_a_time`.

    Called again when another thread imported WeasyPrint meanwhile: nobody else sets the mark back, so it tells.
    """
    while True:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        made = decode()
        if not ImageFile.LOAD_TRUNCATED_IMAGES:
            return made
