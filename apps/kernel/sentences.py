"""How does a sentence that was said in English read for whoever looks at it?

Refusals and errors of jobs are made, and kept, in English. Their numbers and what they quote are no part of what is
translated: `The host answers 503.` is looked up as `The host answers %s.`, `There is no tier "gold".` as `There is no
tier %s.`, unless there is a translation of the very sentence. Of several sentences together each is looked up.
"""

import re

from django.utils.translation import gettext

_OF_THE_MOMENT = re.compile(r'"[^"]*"|\d+(?:[,.]\d+)*')
# Up to a full stop before another one begins; those within quotes are no ends.
_SENTENCES = re.compile(r'(?:"[^"]*"|[^"])+?(?:[.!?](?= [A-Z])|$)')


def translated(text: str) -> str:
    """In the language that is active; as it is where there is no translation."""
    whole = _translated(text)
    sentences = [each.strip() for each in _SENTENCES.findall(text)]
    if whole != text or " ".join(sentences) != text:
        return whole
    return " ".join(_translated(each) for each in sentences)


def _translated(sentence: str) -> str:
    said = gettext(sentence) if sentence else ""
    if said != sentence:
        return said
    template = _OF_THE_MOMENT.sub("%s", sentence.replace("%", "%%"))
    found = gettext(template) if template else ""
    return sentence if found == template else found % tuple(_OF_THE_MOMENT.findall(sentence))
