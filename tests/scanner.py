"""What a phone reads from a printed card."""

from __future__ import annotations

import cv2
import numpy
import pypdfium2


def picture(pdf: bytes, dpi: int = 200) -> numpy.ndarray:
    page = pypdfium2.PdfDocument(pdf)[0]
    return page.render(scale=dpi / 72).to_numpy()


def scanned(pdf: bytes) -> str:
    """Like a hand with a phone it tries another distance when OpenCV misses the code, as it does with every fiftieth
    or so at any one of them. "": there is none that can be read.
    """
    read = (cv2.QRCodeDetector().detectAndDecode(picture(pdf, dpi))[0] for dpi in (200, 300, 254, 150, 400))
    return next((found for found in read if found), "")
