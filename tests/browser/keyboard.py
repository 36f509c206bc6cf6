"""Trusted key events for a page, Latin and Cyrillic."""

import asyncio
from collections.abc import Iterable

from playwright.async_api import CDPSession, Page

_CYRILLIC_ROWS = {
    "ёйцукенгшщзхъ": (
        "Backquote KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight"
    ),
    "фывапролджэ": "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote",
    "ячсмитьбю": "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period",
}
_CODES = {
    letter: code
    for letters, codes in _CYRILLIC_ROWS.items()
    for letter, code in zip(letters, codes.split(), strict=True)
}
# What somebody presses for a character that is on no key.
_ON_A_KEY = {
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "„": '"',
    "—": "-",
    "–": "-",
    "‑": "-",
    "\u00a0": " ",
}
_SHIFT = 8


class Keyboard:
    """The keyboard of one page. It types as a person does: each key goes down and comes up."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page = page
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> "Keyboard":
        return cls(page, await page.context.new_cdp_session(page))

    async def type(self, text: Iterable[str], *, dt_ms: float = 15) -> list[str]:
        """Type each character of `text`; return the keys as the server should know them."""
        pressed = [_ON_A_KEY.get(character, character) for character in text]
        for key in pressed:
            await self._press(key)
            await asyncio.sleep(dt_ms / 1000)
        return pressed

    async def press(self, name: str) -> None:
        """Press a key by its name, as Playwright calls it: Backspace, Control+Backspace, Tab."""
        await self._page.keyboard.press(name)

    async def _press(self, key: str) -> None:
        if key == "\n":
            await self._page.keyboard.press("Enter")
        elif key.lower() in _CODES:
            await self._press_cyrillic(key)
        else:
            await self._page.keyboard.type(key)

    async def _press_cyrillic(self, key: str) -> None:
        # Playwright inserts such letters without a key event; a person does not.
        common = {
            "key": key,
            "code": _CODES[key.lower()],
            "modifiers": 0 if key == key.lower() else _SHIFT,
        }
        down = {"type": "keyDown", "text": key, **common}
        await self._session.send("Input.dispatchKeyEvent", down)
        await self._session.send("Input.dispatchKeyEvent", {"type": "keyUp", **common})
