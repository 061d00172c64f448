"""What is answered where no model writes? Quotes of the lesson with their place, and that they are quotes."""

import re
from collections.abc import Iterator

from apps.delivery.tutor.questions import Question
from apps.delivery.tutor.retrieval import Passage

MOST_QUOTES = 3
# A word with what follows it; Chinese by a few characters.
_PIECE = re.compile(
    "\\s*(?:[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]{1,4}|[^\\s\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+)|\\s+$"
)

_FOUND = {
    "en": "The lesson says:",
    "zh-Hant": "課程裡這樣說：",
    "zh-Hans": "课程里这样说：",
}
_WRITTEN = {"en": "“{text}” (in the text)", "zh-Hant": "「{text}」（課文）", "zh-Hans": "“{text}”（课文）"}
_SPOKEN = {
    "en": "“{text}” (in the video, {start}–{end})",
    "zh-Hant": "「{text}」（影片 {start}–{end}）",
    "zh-Hans": "“{text}”（视频 {start}–{end}）",
}
_QUOTED = {
    "en": "These are quotes from this lesson; no AI model wrote this answer.",
    "zh-Hant": "以上是本課的原文，並非由 AI 模型撰寫。",
    "zh-Hans": "以上是本课的原文，并非由 AI 模型撰写。",
}
_NOTHING = {
    "en": "This lesson does not answer that. Try other words, or ask about something that the lesson covers.",
    "zh-Hant": "本課沒有談到這個問題。請換個說法，或詢問課程中的內容。",
    "zh-Hans": "本课没有谈到这个问题。请换个说法，或询问课程中的内容。",
}


def quotes(question: Question) -> Iterator[str]:
    """The answer, in the reader's language, piece by piece."""
    locale = question.locale if question.locale in _FOUND else "en"
    speaking = [passage for passage in question.passages if passage.speaks][:MOST_QUOTES]
    if not speaking:
        return pieces_of(_NOTHING[locale])
    return pieces_of("\n\n".join([_FOUND[locale], *(_quote(each, locale) for each in speaking), _QUOTED[locale]]))


def pieces_of(text: str) -> Iterator[str]:
    """Which together are the text again, to the letter."""
    return (match.group() for match in _PIECE.finditer(text))


def _quote(passage: Passage, locale: str) -> str:
    if passage.start_ms is None or passage.end_ms is None:
        return _WRITTEN[locale].format(text=passage.text)
    return _SPOKEN[locale].format(text=passage.text, start=_clock(passage.start_ms), end=_clock(passage.end_ms))


def _clock(milliseconds: int) -> str:
    """1:05 as players show it, 1:02:03 past an hour."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
