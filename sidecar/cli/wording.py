"""How durations, counts and long messages are worded for people. It knows no command."""


def duration(duration_ms: float) -> str:
    """Milliseconds for people: `42 ms`, `3.1 s`, `2 min 5 s`, `1 h 2 min`."""
    if round(duration_ms) < 1000:
        return f"{max(0, duration_ms):.0f} ms"
    tenths = round(duration_ms / 100)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, seconds = divmod(tenths // 10, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(count: int, noun: str) -> str:
    """`1 step`, `2 steps`, `2 retries`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def first_line(text: str) -> str:
    """The first line of a message, marked when there are more."""
    first, _, rest = text.strip().partition("\n")
    return f"{first} …" if rest else first
