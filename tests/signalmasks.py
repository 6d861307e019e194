"""Which signals a process blocks and ignores, as /proc/PID/status tells."""

import re

OF_THE_LIBRARY = 1 << 31 | 1 << 32  # 32 and 33, which programs can neither send nor set; GNU make has its children ignore them


def masks(status):
    """{"SigBlk": bits, "SigIgn": bits} of the lines in some bytes that have them."""
    return {name.decode(): int(bits, 16) & ~OF_THE_LIBRARY for name, bits in re.findall(rb"(SigBlk|SigIgn):\s*([0-9a-f]{16})", status)}


NONE = {"SigBlk": 0, "SigIgn": 0}
