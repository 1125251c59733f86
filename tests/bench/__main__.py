"""`python -m tests.bench`: the Submit button under load, beside the ancestor's; prints a Markdown table."""

import argparse
import asyncio
import gc
import os
import resource
import shutil
import sys

from tests.bench.applications import Ancestor, Application, Pingsite
from tests.bench.runs import Observation, run_round
from tests.bench.table import describe_machine, describe_silence, format_table
from tests.ping.namespaces import Namespace

SILENT, HOOK = "127.9.9.9", "type filter hook input priority 0"
FILES_PER_SOCKET = 2  # in the server a run may hold a pipe or an ICMP socket beside its connection


def parse_arguments() -> argparse.Namespace:
    """What to load, how often, and whom to ping."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sockets", type=int, nargs="+", default=[1, 100, 500], metavar="N")
    parser.add_argument("--rounds", type=int, default=3, help="of both applications in turn, pooled")
    parser.add_argument("--host", default="127.0.0.1", help="a numeric IPv4 address of this machine")
    return parser.parse_args()


def raise_file_limit(sockets: int) -> None:
    """Let this process, and the servers it starts, open the files that the load needs; say so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, 1024 + FILES_PER_SOCKET * sockets)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        sys.exit(f"{sockets} sockets need {wanted} open files; the hard limit (ulimit -Hn) is {hard}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    report(f"open files: {wanted} (the limit was {soft})")


def report(sentence: str) -> None:
    """Say on standard error how far it is; standard output is the table's."""
    print(sentence, file=sys.stderr, flush=True)


def report_missing(name: str, seen: Observation) -> None:
    """Say which lines never came, and what came beside lines: a refusal would stand there."""
    if missing := seen.expected - seen.received:
        report(f"{name}, {seen.sockets} sockets: {missing} lines missing; heard beside: {sorted(seen.others)[:10]}")


def run_silent_round(size: int) -> Observation:
    """Our application once more, against a host that never answers; this thread stays in a network of its own."""
    namespace = Namespace("silent")
    namespace.run("nft", f"add table ip f; add chain ip f i {{ {HOOK}; }}; add rule ip f i ip daddr {SILENT} drop")
    try:
        namespace.enter()
        seen = Observation(size)
        asyncio.run(run_round(Pingsite(), SILENT, {size: seen}))
    finally:
        namespace.delete()
    return seen


def main() -> None:
    """Run the rounds, the two applications in turn, then print the table."""
    arguments = parse_arguments()
    raise_file_limit(max(arguments.sockets))
    gc.freeze()
    applications: list[Application] = [Ancestor(), Pingsite()]
    seen = {app.name: {size: Observation(size) for size in arguments.sockets} for app in applications}
    load = os.getloadavg()[0]
    for number in range(arguments.rounds):
        for application in applications:
            report(f"round {number + 1} of {arguments.rounds}: {application.name}")
            asyncio.run(run_round(application, arguments.host, seen[application.name]))
    for name, sizes in seen.items():
        for observation in sizes.values():
            report_missing(name, observation)
    print(describe_machine(), f"Load before: {load:.2f}; rounds: {arguments.rounds}.\n")
    print(format_table(seen["ancestor"], seen["pingsite"]))
    if os.geteuid() == 0 and shutil.which("nft"):
        report("pingsite, against a host that never answers")
        print("\n" + describe_silence(run_silent_round(max(arguments.sockets))))


if __name__ == "__main__":
    main()
