"""What a process and everything it started have cost: CPU seconds and memory, read from /proc."""

import os
import re
import time
from pathlib import Path

PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
TICK = 1 / os.sysconf("SC_CLK_TCK")


def read_stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the third (state) on; the name before them may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def find_tree(root: int) -> list[int]:
    """The process ids of `root` and all its living descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int(read_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
    tree = [root]
    for pid in tree:
        tree.extend(child for child, parent in parents.items() if parent == pid)
    return tree


def measure_cpu(root: int) -> float:
    """CPU seconds that the tree has used so far, its ended and reaped children included."""
    return sum(measure_own(pid) + measure_reaped(pid) for pid in find_tree(root))


def measure_own(pid: int) -> float:
    """CPU seconds of the process's own threads, to the nanosecond: the kernel's CPU clock of that process."""
    return time.clock_gettime((~pid << 3) | 2)


def measure_reaped(pid: int) -> float:
    """CPU seconds of the children that the process has waited for, in ticks of (mostly) 10 ms."""
    children_user, children_system = read_stat(pid)[13:15]
    return (int(children_user) + int(children_system)) * TICK


def measure_memory(root: int) -> int:
    """Bytes of memory that the tree holds, a page shared by k processes counted 1/k (PSS)."""
    rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in find_tree(root))
    return sum(int(kib) * 1024 for text in rollups for kib in PSS.findall(text))
