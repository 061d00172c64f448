"""What a browser would send back: the fields of a page's form as they stand, and what somebody changes in them."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client as Browser


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._select = self._text = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id", "").endswith("_form") or "changelist" in given.get("id", "")
        name = given.get("name", "")
        if tag == "option" and "selected" in given and self._select:
            self.found.setdefault(self._select, []).append(given.get("value", ""))
        if tag == "select":
            self._select = name if self._inside else ""
        if not self._inside or not name or name.startswith("_save") or name == "_addanother" or name == "_continue":
            return
        if tag == "textarea":
            self._text = name
            self.found.setdefault(name, [""])
        elif tag == "input" and (given.get("type") not in ("checkbox", "radio", "submit") or "checked" in given):
            self.found.setdefault(name, []).append(given.get("value", "on" if given.get("type") == "checkbox" else ""))

    def handle_data(self, data: str) -> None:
        if self._text:
            self.found[self._text] = [self.found[self._text][0] + data]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # The first line break belongs to the tag.
            self.found[self._text] = [self.found[self._text][0].removeprefix("\n").removeprefix("\r\n")]
            self._text = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._inside = False


def fields_of(browser: Browser, path: str) -> dict[str, Any]:
    response = browser.get(path)
    assert response.status_code == 200, (path, response.status_code)
    parser = _Fields()
    parser.feed(response.content.decode())
    return dict(parser.found)


def send(browser: Browser, path: str, changes: dict[str, Any]) -> Any:
    """Open the page, change these fields, and press Save."""
    return browser.post(path, {**fields_of(browser, path), "_save": "Save", **changes})


def errors_in(response: Any) -> list[str]:
    """What the page says is wrong; none when it was saved."""
    if response.status_code == 302:
        return []
    context = response.context
    shown = [str(error) for errors in context["adminform"].form.errors.values() for error in errors]
    for formset in context["inline_admin_formsets"]:
        shown += [str(error) for form in formset.formset.forms for errors in form.errors.values() for error in errors]
    return shown
