"""Secrets known by value: found wherever they turn up, plain or encoded.

Knows the values of one run; knows no names, no shapes and no notations (`views`). Values of fewer
than 8 characters and common words are told apart here and found nowhere: they would black out
ordinary text, and by that tell what they are.
"""

import base64
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from sidecar.redaction import cuts, views
from sidecar.redaction.mark import MARK
from sidecar.redaction.views import View
from sidecar.redaction.words import words

#: Fewer characters are no secret that could be told from ordinary text.
MIN_CHARACTERS: Final = 8
#: A value of no more different characters than this is a placeholder: "********", "00000000".
_MAX_PLACEHOLDER_ALPHABET: Final = 2
#: Fewer characters at a cut say nothing of a secret.
_MIN_PART: Final = 4
#: Programs that break lines of base64 do so at this length or later.
_WRAPPED_AT: Final = 60
_BASE64_CHARACTERS: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
)

#: Words that stand in ordinary output, configuration and the sidecar's own messages.
_COMMON_WORDS: Final = words(
    """
    absolute accepted accounts activate activated activity addition additional administrator
    analysis anonymous anything application approved archived argument arguments assigned
    asterisk attempts attribute attributes authentication automatic available baseball basename
    beginning building business calculate callback cancelled category changeme changeit character
    characters checking children classic collection combined command comment comments commercial
    community company complete completed completely component computer condition config
    configuration confirm confirmed connected connection constant consumer container contains
    content contents continue controller converted corporate correct creating creation critical
    currency current customer customers dashboard database datetime december default defaults
    delivered delivery deployment describe description destination detected developer development
    dictionary different directory disabled disconnected discovery discount distance distributed
    division document documentation documents download duration earlier electronic elements
    employee employees enabled engineering enterprise environment equipment everything evidence
    example examples exception executable execution existing expected expired experience external
    facility failures feedback february filename filesystem filtered finished folder following
    football football1 forbidden foundation fraction framework frequency friendly function
    functional functions gateway general generate generated generation generator greenfield
    guidance hardware hostname identifier identity immediate important incident included including
    increment industry information initialize inserted instance integer integration interface
    internal international internet interval invalid inventory iloveyou javascript keyboard
    language languages learning letmein1 library license linux local localhost location machine
    maintenance management manager marketing material maximum measurement medical member
    membership memory message messages metadata microsoft migration minimum minutes missing mobile
    modified monday monitoring multiple national negative network nightly normalized nothing
    notification notifications november null number numeric object october official offline
    operation operations operator optional options organization original output overview owner
    package parameter parameters partial partition partner password password1 password123 payment
    pending percentage performance permanent permission permissions personal platform position
    positive postgres postgresql possible practice preferences premium previous princess priority
    private problem procedure process processed processes processing processor producer product
    production professional profile profiles program programming progress project projects
    properties property protocol provided provider published publisher purchase quantity quarterly
    question questions readonly received recommended recording reference references region
    registered registration registry regular rejected relative released remaining reminder removed
    replaced replica report reporting reports repository request requested required requirement
    requirements research reserved resource resources response responses restart restricted result
    results returned revision running sandbox saturday scenario schedule scheduled scheduler
    schema science scripts search searching secondary section security selected selection
    september sequence service services session sessions settings shipping shutdown signature
    similar skipped snapshot software solution solutions something standard starting started
    statement statistics status stopped storage strategy streaming structure student subject
    submitted subscribe subscriber subscription substitute success successful successfully summary
    sunday sunshine support supported survey suspended swordfish system systems template templates
    temporary terminal terminated testing thousand thursday timeout timestamp together tomorrow
    tracking training transaction transactions transfer transferred translation transport trustno1
    tuesday undefined unexpected unknown unlimited unlocked unsigned untitled updated upload
    username validate validated validation value variable variables verified version versions
    vertical warehouse warning warnings wednesday welcome welcome1 whatever workflow workflows
    workspace workspaces yesterday
    """
)


def is_too_ordinary(secret: str) -> bool:
    """Whether a secret can be hidden in its own field only, being short or a common word."""
    return (
        len(secret) < MIN_CHARACTERS
        or secret.casefold() in _COMMON_WORDS
        or len(set(secret)) <= _MAX_PLACEHOLDER_ALPHABET
        # What the mark itself consists of would be found in every mark.
        or secret in MARK
        or MARK in secret
    )


class KnownValues:
    """The secrets of one run, in every form they are looked for."""

    def __init__(self) -> None:
        self._is_encoded: dict[str, bool] = {}
        # Sorted by length, so that a text is compared with no form longer than itself; with their
        # lengths. Replaced whole: large values are shown in threads.
        self._sorted: tuple[list[str], list[int]] = [], []

    def add(self, secret: str) -> None:
        """Look for `secret`, unless it is too ordinary, and for each of its lines."""
        # Scripts print line by line, and events carry their output so.
        lines = [line.strip() for line in secret.splitlines()] if "\n" in secret else []
        added = False
        for part in {secret, secret.strip(), *lines}:
            if not is_too_ordinary(part) and part not in self._is_encoded:
                self._is_encoded.update(dict.fromkeys(_encoded_forms(part), True))
                # Forms of HTML make + of a space.
                self._is_encoded.update(dict.fromkeys({part, part.replace(" ", "+")}, False))
                added = True
        if added:
            forms = sorted(self._is_encoded, key=len)
            self._sorted = forms, [len(form) for form in forms]

    def hide(self, text: str) -> str:
        """`text` with every occurrence of every form replaced by the mark."""
        _, lengths = self._sorted
        if not lengths or (len(text) < lengths[0] and cuts.CUT not in text):
            return text
        spans: list[tuple[int, int]] = []
        for view in views.readings(text):
            spans += self._spans(view)
            if cuts.CUT in view.text:
                spans += self._cut_spans(view)
            if lengths[-1] > _WRAPPED_AT and (one_line := views.unwrapped(view)):
                spans += self._spans(one_line, encoded_only=True)
        if not spans:
            return text
        parts: list[str] = []
        position = 0
        for start, stop in _merged(sorted(spans)):
            parts += (text[position:start], MARK)
            position = stop
        return "".join((*parts, text[position:]))

    def _spans(self, view: View, *, encoded_only: bool = False) -> list[tuple[int, int]]:
        """Where the forms stand that are found in a reading of a text.

        All are looked for in the text as it was: were one replaced first, what another shares with
        it could no longer be found and half of it would stay.
        """
        text = view.text
        forms, lengths = self._sorted
        end = bisect_left(lengths, len(text) + 1)
        spans = []
        for form in [form for form in forms[:end] if form in text]:
            is_encoded = self._is_encoded[form]
            if encoded_only and not is_encoded:
                continue
            start = text.find(form)
            while start >= 0:
                stop = start + len(form)
                span = _widened(text, start, stop) if is_encoded else (start, stop)
                spans.append(view.span(*span))
                start = text.find(form, stop)
        return spans

    def _cut_spans(self, view: View) -> list[tuple[int, int]]:
        """Where a cut has left a part of a form."""
        text = view.text
        spans = []
        for place, follows in cuts.places(text):
            longest = 0
            for form in self._sorted[0]:
                if follows:
                    rest = text[place : place + min(len(form), cuts.REACH)]
                    part = next(
                        (n for n in _ends(form, rest[:_MIN_PART]) if rest.startswith(form[n:])),
                        None,
                    )
                    longest = max(longest, 0 if part is None else len(form) - part)
                else:
                    rest = text[max(place - min(len(form), cuts.REACH), 0) : place]
                    part = next(
                        (n for n in _ends(rest, form[:_MIN_PART]) if form.startswith(rest[n:])),
                        None,
                    )
                    longest = max(longest, 0 if part is None else len(rest) - part)
            if longest:
                start = place if follows else place - longest
                spans.append(view.span(start, start + longest))
        return spans


def _ends(text: str, begin: str) -> Iterator[int]:
    """Where `begin` stands in `text`, from the left."""
    position = text.find(begin) if len(begin) == _MIN_PART else -1
    while position >= 0:
        yield position
        position = text.find(begin, position + 1)


def _encoded_forms(secret: str) -> set[str]:
    """In base64, the characters that depend on nothing around it, at all three alignments; hex."""
    data = secret.encode("utf-8", "surrogatepass")
    forms = {data.hex(), data.hex().upper()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data).decode()
        core = encoded[(0, 2, 3)[shift] : (shift + len(data)) * 8 // 6]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def _widened(text: str, start: int, stop: int) -> tuple[int, int]:
    """An encoded match with the characters that hold some bits of the secret and of others."""
    if start > 0 and text[start - 1] in _BASE64_CHARACTERS:
        start -= 1
    if stop < len(text) and text[stop] in _BASE64_CHARACTERS:
        stop += 1
    while stop < len(text) and text[stop] == "=":
        stop += 1
    return start, stop


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
