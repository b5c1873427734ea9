"""Text for messages and output: printable names, and virtual times."""


def printable(text: str) -> str:
    """The text as one line of ASCII, whatever its bytes are."""
    parts = []
    for char in text:
        code = ord(char)
        if 32 <= code < 127:
            parts.append(char)
        elif char == "\n":
            parts.append("\\n")
        elif char == "\t":
            parts.append("\\t")
        elif code < 256:
            parts.append(f"\\x{code:02x}")
        elif code < 0x10000:
            parts.append(f"\\u{code:04x}")
        else:
            parts.append(f"\\U{code:08x}")
    return "".join(parts)


def time_text(ns: int) -> str:
    """Virtual time as reports write it: "0 s", "5 ms", "1.5 s"."""
    if ns == 0:
        return "0 s"
    sign = "-" if ns < 0 else ""
    ns = abs(ns)
    for unit, name in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if ns >= unit:
            whole, rest = divmod(ns, unit)
            if rest == 0:
                return f"{sign}{whole} {name}"
            digits = len(str(unit)) - 1
            part = str(rest).rjust(digits, "0").rstrip("0")
            return f"{sign}{whole}.{part} {name}"
    return f"{sign}{ns} ns"
