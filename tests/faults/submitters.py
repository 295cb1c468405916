"""Patients who send: the last step of the pages over real HTTP, again and again until it worked."""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress

import httpx
from sqlalchemy.exc import DBAPIError

from tests.faults.monkey import Monkey
from tests.faults.stage import Stage

_REFERENCE = re.compile(r"<strong>([2-9A-Z]{4}-[2-9A-Z]{4})</strong>")
_THREADS = 4


class Submitters:
    """`acknowledged`: the references that patients saw on the page, by the draft's id."""

    def __init__(self, stage: Stage, monkey: Monkey) -> None:
        self._stage = stage
        self._monkey = monkey
        self._lock = threading.Lock()
        self._begun = 0
        self._stopping = threading.Event()
        self.acknowledged: dict[str, str] = {}
        monkey.accepted = lambda: len(self.acknowledged) / stage.submissions

    def threads(self) -> list[threading.Thread]:
        """To be started."""
        return [threading.Thread(target=self._run, args=(n,)) for n in range(_THREADS)]

    def stop(self) -> None:
        """No more."""
        self._stopping.set()

    def _run(self, number: int) -> None:
        with httpx.Client(timeout=20, follow_redirects=False) as http:
            while self._next():
                self._submit(http, number)

    def _next(self) -> bool:
        """Whether there is another patient; they come as fast as the harm, so that they meet it."""
        while not self._stopping.is_set():
            with self._lock:
                if self._begun >= self._stage.submissions:
                    return False
                if self._begun < self._stage.submissions * self._monkey.progress:
                    self._begun += 1
                    return True
            time.sleep(0.05)
        return False

    def _submit(self, http: httpx.Client, number: int) -> None:
        draft = None
        turn = number
        while not self._stopping.is_set():
            turn += 1
            base = self._stage.base[f"web-{turn % 2}"]
            # A process or a database that is away; the patient presses the button again.
            with suppress(httpx.HTTPError, DBAPIError):
                draft = draft or self._stage.draft()
                draft_id, cookie, form = draft
                headers = {"Cookie": cookie}
                path = f"{base}/requests/{draft_id}"
                answer = http.post(f"{path}/check", data=dict(form), headers=headers)
                if answer.status_code == 303 and answer.headers["location"].endswith("/sent"):
                    page = http.get(f"{path}/sent", headers=headers)
                    found = _REFERENCE.search(page.text)
                    if found:
                        self.acknowledged[draft_id] = found[1]
                        return
            time.sleep(0.1)
