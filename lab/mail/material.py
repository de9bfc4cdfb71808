"""Data for the generated mail: words, people, charsets, and pools of paragraphs."""

from __future__ import annotations

import base64
import functools
import random

_WORDS = {
    "en": """the project meeting report invoice please attached schedule release server
        update budget review question answer tomorrow customer contract deadline proposal
        reminder feedback draft version mailbox network travel hotel flight agenda minutes
        quarterly figures team design prototype test failure backup restore""",
    "de": """für über später größer Vorschlag Übersicht Rechnung Besprechung Änderung
        Straße Prüfung Gespräch möglich ungefähr Grüße Angebot Lieferung Verträge""",
    "fr": """réunion prévue été déjà français très près élève modèle coût août où à côté
        société équipe décision référence numéro reçu façon garçon""",
    "ru": """привет встреча отчёт договор вопрос ответ завтра проект сервер письмо счёт
        обновление версия команда клиент""",
    "ja": """会議 報告書 請求書 添付 明日 予定 質問 回答
        契約 提案 変更 確認 お願い 資料 連絡""",
    "zh": """会议 报告 发票 附件 明天 计划 问题 回答 合同 建议 更新 确认 资料 联系""",
    "ar": """اجتماع تقرير فاتورة مرفق غدا جدول سؤال جواب عقد اقتراح تحديث تأكيد""",
    "emoji": """🎉 party 🍕 lunch 🚀 launch 👍 great 😀 thanks 🏖️ holiday 👩‍💻 code""",
}
WORDS = {language: words.split() for language, words in _WORDS.items()}
LANGUAGES = ["en"] * 12 + ["de", "de", "fr", "fr", "ru", "ja", "zh", "ar", "emoji"]
CHARSETS = {
    "de": "iso-8859-1",
    "fr": "iso-8859-15",
    "ru": "koi8-r",
    "ja": "iso-2022-jp",
    "zh": "gb18030",
    "ar": "utf-8",
    "emoji": "utf-8",
    "en": "us-ascii",
}
PEOPLE = [
    ("Alice Adams", "alice@example.org"),
    ("Bob Brown", "bob@example.org"),
    ("Jürgen Größe", "juergen@beispiel.example"),
    ("Élodie Lefèvre", "elodie@exemple.example"),
    ("Иван Петров", "ivan@primer.example"),
    ("山田太郎", "taro@rei.example"),
    ("王小明", "xiaoming@lizi.example"),
    ("محمد علي", "mohamed@mithal.example"),
    ("O'Neil, Pat", "pat.oneil@example.com"),
    ('Dr. Q. "Quotes" Smith', "q@example.net"),
    ("", "noreply@example.com"),
    ("Support (Tier 2)", "support@example.com"),
    ("Zoë 🚀", "zoe@example.org"),
    ("Build Bot", "build+ci@example.net"),
]
_LONG_NAME = (
    "a very long file name that goes on and on until it has to be continued "
    "on another line – naïve façade.docx"
)
FILES = [
    ("application/pdf", "report.pdf"),
    ("image/jpeg", "photo.jpg"),
    ("application/zip", "archive.zip"),
    ("image/png", "Bildschirmfoto größer.png"),
    ("application/octet-stream", "данные.bin"),
    ("text/csv", "figures.csv"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _LONG_NAME),
]


@functools.lru_cache(1)
def noise(seed: str) -> bytes:
    """Return 3 MB of base64 lines, of which attachments are slices."""
    raw = random.Random(f"{seed}/noise").randbytes(57 * 40_000)
    return base64.encodebytes(raw).replace(b"\n", b"\r\n")


@functools.lru_cache(1)
def paragraphs(seed: str) -> dict[str, list[str]]:
    """Return forty paragraphs of wrapped text for each language."""
    pool = {}
    for language, words in WORDS.items():
        rng = random.Random(f"{seed}/{language}")
        pool[language] = [_paragraph(rng, language, words) for _ in range(40)]
    return pool


def _paragraph(rng: random.Random, language: str, words: list[str]) -> str:
    joint = "" if language in ("ja", "zh") else " "
    lines, line = [], ""
    for _ in range(rng.randrange(30, 110)):
        word = rng.choice(words if rng.random() < 0.75 else WORDS["en"])
        if len(line) + len(word) > (72 if joint else 34):
            lines.append(line)
            line = ""
        line += (joint if line else "") + word
    return "\r\n".join([*lines, line]) + ".\r\n"
