#!/usr/bin/env python3
"""Measures any terminal program from outside, in a pseudo-terminal of fixed size. Needs pyte.

  ptyharness.py [--size 200x50] [--env K=V]... [--mark NAME=REGEX]... [--step STEP]... -- COMMAND ARGS

Steps run in order; keys take Python's escapes (\\r \\x1b \\t):
  sleep:SECS                  only read
  until:TIMEOUT:REGEX         wait until REGEX is in the output, escapes stripped, since the start or `reset`
  quiet:GAP_MS:TIMEOUT        wait until nothing came for GAP_MS
  reset                       forget the output that `until` looks in
  keys:KEYS                   send KEYS at once
  type:GAP_MS:KEYS            send them one by one
  resize:COLSxROWS            change the terminal's size (the replay keeps the first one)
  measure:NAME:SECS           a window: CPU, bytes, frames, wake-ups, memory
  run:NAME:SECS:SHELL         the same while SHELL runs beside it
  lat:NAME:COUNT:GAP_MS:K,K   COUNT keys of the list in turn, GAP_MS apart; latency of each
  runlat:NAME:COUNT:GAP_MS:K,K:SHELL  the same while SHELL runs beside it
  snap:NAME                   keep the screen as text at this moment
  mem:NAME                    resident memory now

While the program runs, this one only reads, stamps every chunk with the monotonic clock and
answers the usual queries of terminals (position, attributes, version, colours). Afterwards the
bytes are replayed through pyte to find when the screen first matched each mark and when each key
changed it. CPU and wake-ups (context switches of all threads) are of the program and all it
started, from /proc.

Latency of a key: `first` is the first byte after it, `change` the first chunk that changes a cell
outside --ignore-rows, `track` the first after which what --track sees differs, `settle` the last
chunk of the burst. A program that repaints by itself makes `first` too small: compare the frames
per second of an idle window.

--stamps NAME=REGEX: SHELL of the step run:NAME prints lines of JSON, {"stamp": N, "sent": T,
"answered": T} with times of the monotonic clock, as kubernetes/churn.py --stamp does; REGEX finds N
in its first group on the screen. Told is how long N took from either time until it was shown.

It prints a summary and leaves result.json, the stream, its timing and the screens in --out.
"""

import argparse
import codecs
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Chunks nearer than this are one frame; a burst ends after the longer gap.
FRAME_GAP = 0.003
BURST_GAP = 0.03
# A screen with fewer characters than this is still being cleared or set up.
FIRST_FRAME_CHARACTERS = 60
ANSWERS = [
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[>0?q"), b"\x1bP>|harness 1\x1b\\"),
    (re.compile(rb"\x1b\[>0?c"), b"\x1b[>41;1;0c"),
    (re.compile(rb"\x1b\]11;\?(\x07|\x1b\\)"), b"\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\"),
    (re.compile(rb"\x1b\]10;\?(\x07|\x1b\\)"), b"\x1b]10;rgb:e0e0/e0e0/e0e0\x1b\\"),
]
SEQUENCE = re.compile(
    rb"\x1b\[([0-9;:?<>=!]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[()][A-Za-z0-9]|\x1b[=>78cDEHM]"
)


def keys(text: str) -> bytes:
    return codecs.decode(text.encode("latin1", "backslashreplace"), "unicode_escape").encode("latin1")


def spoken(sequence: re.Match) -> bytes:
    """What a control sequence is in plain text: moving about ends a line."""
    return b"\n" if sequence.group(2) in (b"H", b"f", b"J", b"K") else b""


class Terminal:
    """The program in its pseudo-terminal, and every chunk it wrote with its time."""

    def __init__(self, given: argparse.Namespace, command: list[str]):
        self.columns, self.rows = map(int, given.size.split("x"))
        self.answering = not given.no_answer
        self.chunks: list[tuple[float, bytes]] = []
        self.total = 0
        self.alive = True
        self.text = bytearray()
        # Stripping costs time, which a measurement must not pay for.
        self.keep_text = True
        self.unfinished = b""
        self.queries = 0
        self.master, slave = pty.openpty()
        self.resize(self.columns, self.rows)
        environment = {
            **os.environ,
            "TERM": given.term,
            "COLORTERM": "truecolor",
            "LINES": str(self.rows),
            "COLUMNS": str(self.columns),
        }
        for name in ("TMUX", "NO_COLOR"):
            environment.pop(name, None)
        environment.update(pair.split("=", 1) for pair in given.env)
        self.start = time.monotonic()
        self.process = os.fork()
        if self.process == 0:
            self.become(slave, given, command, environment)
        os.close(slave)
        os.set_blocking(self.master, False)

    @staticmethod
    def become(slave: int, given: argparse.Namespace, command: list[str], environment: dict[str, str]) -> None:
        try:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for descriptor in (0, 1, 2):
                os.dup2(slave, descriptor)
            os.closerange(3, 256)
            if given.cwd:
                os.chdir(given.cwd)
            os.nice(given.nice)
            os.execvpe(command[0], command, environment)
        except OSError as error:
            os.write(2, f"ptyharness: {command[0]}: {error}\r\n".encode())
        os._exit(127)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, columns * 8, rows * 16))

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def pump(self, timeout: float) -> int:
        """Reads what is there, waiting for the first byte at most `timeout`; returns how many came."""
        if not self.alive:
            time.sleep(max(0, min(timeout, 0.01)))
            return 0
        ready, _, _ = select.select([self.master], [], [], max(0, timeout))
        came = 0
        while ready:
            try:
                data = os.read(self.master, 65536)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.alive = False
                break
            self.chunks.append((time.monotonic(), data))
            self.total += len(data)
            came += len(data)
            self.understand(data)
            if len(data) < 4000:
                break
        return came

    def understand(self, data: bytes) -> None:
        """Answers queries, and keeps the text. A sequence cut in two waits for its rest."""
        data = self.unfinished + data
        cut = len(data)
        last = data.rfind(b"\x1b", max(0, cut - 64))
        if last >= 0 and not SEQUENCE.match(data, last):
            cut = last
        self.unfinished, data = data[cut:], data[:cut]
        if self.answering:
            for query, answer in ANSWERS:
                for _ in query.finditer(data):
                    self.send(answer)
                    self.queries += 1
        if self.keep_text:
            self.text.extend(SEQUENCE.sub(spoken, data))

    def drain(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            self.pump(min(0.5, end - time.monotonic()))

    def family(self) -> list[int]:
        """The program and everything it started."""
        found = [self.process]
        for process in found:
            for task in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
                try:
                    found.extend(int(child) for child in task.read_text().split())
                except OSError:
                    pass
        return found

    def end(self, quit_keys: str) -> float | None:
        """Ends the program; returns how long it took to obey `quit_keys`, if it did."""
        obeyed = None
        if quit_keys and self.alive:
            asked = time.monotonic()
            self.send(keys(quit_keys))
            while self.alive and time.monotonic() < asked + 5:
                self.pump(0.05)
            if not self.alive:
                obeyed = round(time.monotonic() - asked, 3)
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 3
            while not self.reaped():
                if time.monotonic() > deadline - 2.9:
                    self.signal(number)
                if time.monotonic() > deadline:
                    break
                self.pump(0.05)
            else:
                break
        return obeyed

    def reaped(self) -> bool:
        try:
            return os.waitpid(self.process, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    def signal(self, number: int) -> None:
        try:
            os.kill(self.process, number)
        except ProcessLookupError:
            pass


def cpu_seconds(process: int) -> float:
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def counted(status: str, key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+)", status, re.M)
    return int(found[1]) if found else 0


def usage(processes: list[int]) -> dict:
    total = {"cpu": 0.0, "rss": 0, "peak": 0, "wakeups": 0, "threads": 0, "descriptors": 0}
    for process in processes:
        try:
            status = pathlib.Path(f"/proc/{process}/status").read_text()
            total["cpu"] += cpu_seconds(process)
            total["rss"] += counted(status, "VmRSS")
            total["peak"] += counted(status, "VmHWM")
            total["threads"] += counted(status, "Threads")
            total["descriptors"] += len(os.listdir(f"/proc/{process}/fd"))
            for task in pathlib.Path(f"/proc/{process}/task").glob("*/status"):
                total["wakeups"] += counted(task.read_text(), "voluntary_ctxt_switches")
        except (OSError, IndexError):
            pass  # it ended meanwhile
    return total


def machine() -> tuple[int, int]:
    """Idle and all ticks of the machine."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return fields[3] + fields[4], sum(fields[:8])


class Session:
    """Runs the steps, and keeps what they measured."""

    def __init__(self, terminal: Terminal, watched: dict[str, int], out: pathlib.Path):
        self.terminal = terminal
        self.watched = watched
        self.out = out
        self.windows: dict[str, dict] = {}
        self.memory: dict[str, float] = {}
        self.found: list[tuple[str, float | None]] = []
        self.snaps: list[tuple[float, str]] = []
        self.strokes: dict[str, list[tuple[float, float]]] = {}

    def step(self, text: str) -> None:
        kind, _, rest = text.partition(":")
        terminal = self.terminal
        match kind:
            case "sleep":
                terminal.drain(float(rest))
            case "until":
                timeout, pattern = rest.split(":", 1)
                self.until(float(timeout), pattern)
            case "quiet":
                gap, timeout = rest.split(":")
                end = time.monotonic() + float(timeout)
                while terminal.alive and time.monotonic() < end and terminal.pump(float(gap) / 1000):
                    pass
            case "reset":
                terminal.text.clear()
            case "keys":
                terminal.send(keys(rest))
            case "type":
                gap, text = rest.split(":", 1)
                for byte in keys(text):
                    terminal.send(bytes([byte]))
                    terminal.drain(float(gap) / 1000)
            case "resize":
                terminal.resize(*map(int, rest.split("x")))
            case "measure":
                name, seconds = rest.split(":")
                self.window(name, lambda: terminal.drain(float(seconds)))
            case "run":
                name, seconds, shell = rest.split(":", 2)
                self.window(name, lambda: terminal.drain(float(seconds)), shell)
            case "lat" | "runlat":
                name, count, gap, strokes, *shell = rest.split(":", 3 if kind == "lat" else 4)
                self.window(f"keys {name}", lambda: self.press(name, int(count), float(gap) / 1000, strokes), *shell)
            case "snap":
                self.snaps.append((time.monotonic(), rest))
            case "mem":
                self.memory[rest] = round(usage(terminal.family())["rss"] / 1024, 1)
            case _:
                sys.exit(f"ptyharness: no such step: {text}")

    def until(self, timeout: float, pattern: str) -> None:
        wanted, terminal, seen = re.compile(pattern.encode()), self.terminal, -1
        end = time.monotonic() + timeout
        while terminal.alive and time.monotonic() < end:
            if len(terminal.text) != seen:
                seen = len(terminal.text)
                if wanted.search(terminal.text):
                    self.found.append((pattern, round(time.monotonic() - terminal.start, 4)))
                    return
            terminal.pump(min(0.2, end - time.monotonic()))
        self.found.append((pattern, None))

    def press(self, name: str, count: int, gap: float, strokes: str) -> None:
        sent = self.strokes.setdefault(name, [])
        choices = [keys(stroke) for stroke in strokes.split(",")]
        for number in range(count):
            if not self.terminal.alive:
                return
            moment = time.monotonic()
            self.terminal.send(choices[number % len(choices)])
            sent.append((moment, moment + gap))
            while self.terminal.alive and time.monotonic() < moment + gap:
                self.terminal.pump(moment + gap - time.monotonic())

    def window(self, name: str, body, shell: str = "") -> None:
        terminal, beside = self.terminal, None
        terminal.keep_text = False
        if shell:
            log = (self.out / f"{name}.side").open("w")
            beside = subprocess.Popen(["bash", "-c", f"exec {shell}"], start_new_session=True, stdout=log, stderr=log)
            # Its start is not what is measured.
            terminal.drain(1.5)
        watched = {key: cpu_seconds(process) for key, process in self.watched.items()}
        idle, ticks = machine()
        before, first, bytes_before, started = (
            usage(terminal.family()),
            len(terminal.chunks),
            terminal.total,
            time.monotonic(),
        )
        body()
        seconds = max(time.monotonic() - started, 1e-6)
        after, (idle_after, ticks_after) = usage(terminal.family()), machine()
        watched = {key: round(cpu_seconds(process) - watched[key], 2) for key, process in self.watched.items()}
        if beside:
            os.killpg(beside.pid, signal.SIGTERM)
            try:
                beside.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(beside.pid, signal.SIGKILL)
        frames, previous = 0, float("-inf")
        for moment, _ in terminal.chunks[first:]:
            frames += moment - previous > FRAME_GAP
            previous = moment
        written, cpu = terminal.total - bytes_before, after["cpu"] - before["cpu"]
        self.windows[name] = {
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu, 2),
            "cpu_percent": round(100 * cpu / seconds, 2),
            "bytes": written,
            "bytes_per_second": round(written / seconds, 1),
            "frames": frames,
            "frames_per_second": round(frames / seconds, 2),
            "wakeups_per_second": round((after["wakeups"] - before["wakeups"]) / seconds, 1),
            "rss_mib": round(after["rss"] / 1024, 1),
            "peak_mib": round(after["peak"] / 1024, 1),
            "threads": after["threads"],
            "descriptors": after["descriptors"],
            "watched_cpu_seconds": watched,
            "machine_idle_percent": round(100 * (idle_after - idle) / max(1, ticks_after - ticks), 1),
        }
        terminal.keep_text = True


class Replay:
    """Feeds the stream through a terminal emulator, to learn what the screen showed when."""

    def __init__(self, given: argparse.Namespace, terminal: Terminal, session: Session):
        import pyte

        class Screen(pyte.Screen):
            # Answers were given while the program ran.
            def report_device_attributes(self, *_, **__):
                pass

            def report_device_status(self, *_, **__):
                pass

            # pyte has no private margins and stumbles over them.
            def set_margins(self, *margins, **_):
                super().set_margins(*margins)

        self.terminal, self.session = terminal, session
        self.screen = Screen(terminal.columns, terminal.rows)
        self.stream = pyte.ByteStream(self.screen)
        self.limit = given.replay_max
        self.ignored = {int(row) % terminal.rows for row in given.ignore_rows.split(",") if row}
        self.marks = {name: re.compile(pattern) for name, pattern in (mark.split("=", 1) for mark in given.mark)}
        self.track = given.track
        self.stamps = {name: re.compile(pattern) for name, pattern in (it.split("=", 1) for it in given.stamps)}
        self.shown: dict[str, dict[int, float]] = {name: {} for name in self.stamps}
        self.reached: dict[str, float] = {}
        self.first_frame: float | None = None
        self.errors = 0
        self.truncated = False
        self.latency: dict[str, list[dict]] = {name: [] for name in session.strokes}

    def text(self) -> str:
        # Not screen.display: that drops the cells behind wide characters.
        cells, columns = self.screen.buffer, range(self.terminal.columns)
        return "\n".join("".join(cells[y][x].data for x in columns).rstrip() for y in range(self.terminal.rows))

    def cells(self) -> dict[int, int]:
        rows = (row for row in range(self.terminal.rows) if row not in self.ignored)
        return {row: hash(tuple(sorted(self.screen.buffer[row].items()))) for row in rows}

    def tracked(self):
        if self.track == "@hl":
            probe = self.terminal.columns // 4
            rows = (row for row in range(self.terminal.rows) if row not in self.ignored)
            cells = ((row, self.screen.buffer[row][probe]) for row in rows)
            return [row for row, cell in cells if cell.reverse or cell.bg != "default"]
        return re.findall(self.track, self.text()) if self.track else None

    def run(self) -> None:
        events = [(moment, "snap", name, 0.0) for moment, name in self.session.snaps]
        for name, strokes in self.session.strokes.items():
            events += [(moment, "key", name, end) for moment, end in strokes]
        events.sort()
        stroke, fed = None, 0
        for moment, data in self.terminal.chunks:
            while events and events[0][0] <= moment:
                stroke = self.event(events.pop(0), stroke)
            try:
                self.stream.feed(data)
            except Exception:  # the emulator's own gaps must not end a measurement
                self.errors += 1
            self.look(moment)
            if stroke and moment <= stroke["end"]:
                self.note(stroke, moment, len(data))
            fed += len(data)
            if fed > self.limit:
                self.truncated = True
                break
        for event in events:
            stroke = self.event(event, stroke)
        (self.session.out / "screen-end.txt").write_text(self.text())

    def event(self, event: tuple, stroke: dict | None) -> dict | None:
        moment, kind, name, end = event
        if kind == "snap":
            (self.session.out / f"snap-{name}.txt").write_text(self.text())
            return stroke
        stroke = {"at": moment, "end": end, "cells": self.cells(), "state": self.tracked(), "bytes": 0}
        self.latency[name].append(stroke)
        return stroke

    def look(self, moment: float) -> None:
        since = round((moment - self.terminal.start) * 1000, 1)
        if self.first_frame is None and len(re.findall(r"\S", self.text())) >= FIRST_FRAME_CHARACTERS:
            self.first_frame = since
        if len(self.reached) < len(self.marks) or self.stamps:
            text = self.text()
            for name, pattern in self.stamps.items():
                for number in pattern.findall(text):
                    self.shown[name].setdefault(int(number), moment)
            for name, pattern in self.marks.items():
                if name not in self.reached and pattern.search(text):
                    self.reached[name] = since

    def note(self, stroke: dict, moment: float, size: int) -> None:
        stroke["bytes"] += size
        stroke.setdefault("first", moment)
        if "change" not in stroke and self.cells() != stroke["cells"]:
            stroke["change"] = moment
        if self.track and "track" not in stroke and self.tracked() != stroke["state"]:
            stroke["track"] = moment
        if moment - stroke.get("settle", moment) < BURST_GAP:
            stroke["settle"] = moment

    def stamped(self, name: str) -> dict:
        """How long what the side program of a window did took to be seen."""
        lines = (self.session.out / f"{name}.side").read_text().splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        result = {"sent": len(told), "seen": sum(it["stamp"] in self.shown[name] for it in told)}
        for since in ("sent", "answered"):
            seen = (self.shown[name].get(it["stamp"], 0) - it[since] for it in told if it["stamp"] in self.shown[name])
            if times := sorted(seconds * 1000 for seconds in seen):
                at = lambda share: round(times[min(len(times) - 1, int(share * len(times)))], 1)
                result[f"since_{since}_ms"] = {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1)}
        return result

    def summary(self, name: str) -> dict:
        strokes = self.latency[name]
        result = {"keys": len(strokes), "bytes_per_key": round(sum(s["bytes"] for s in strokes) / max(1, len(strokes)))}
        for kind in ("first", "change", "track", "settle"):
            times = sorted((stroke[kind] - stroke["at"]) * 1000 for stroke in strokes if kind in stroke)
            if times:
                at = lambda share: round(times[min(len(times) - 1, int(share * len(times)))], 2)
                result[kind] = {"n": len(times), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1)}
        return result


def report(result: dict) -> None:
    print(
        f"== {result['name']}  {result['size']}  first byte {result['first_byte_ms']} ms  "
        f"first frame {result['first_frame_ms']} ms  marks {result['marks_ms']}  until {result['until']}"
    )
    if result["died_before"]:
        print(f"  it ended by itself before the step {result['died_before']}")
    for name, window in result["windows"].items():
        print(f"  {name}: " + "  ".join(f"{key} {value}" for key, value in window.items() if value != {}))
    for name, stamps in result["stamps"].items():
        print(f"  stamps {name}: " + "  ".join(f"{key} {value}" for key, value in stamps.items()))
    for name, latency in result["keys"].items():
        print(f"  latency {name} (ms): " + "  ".join(f"{key} {value}" for key, value in latency.items()))
    print(f"  memory (MiB) {result['memory_mib']}  at the end {result['end']}  quit after {result['quit_seconds']} s")
    print(f"  kept in {result['out']}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = arguments.add_argument
    add("--size", default="200x50", help="columns x rows")
    add("--out", type=pathlib.Path, help="folder for the results; a new one by default")
    add("--env", action="append", default=[], metavar="K=V", help="for the program")
    add("--term", default="xterm-256color")
    add("--cwd")
    add("--nice", type=int, default=0)
    add("--name", help="how the report calls it")
    add("--step", action="append", default=[], help="see above")
    add("--mark", action="append", default=[], metavar="NAME=REGEX", help="when does the screen first show it?")
    add("--stamps", action="append", default=[], metavar="NAME=REGEX", help="see above")
    add("--track", default="", help="a regex whose matches on the screen are the state, or @hl: highlighted rows")
    add("--ignore-rows", default="", help="rows left out of change detection, from 0, -1 is the last")
    add("--watch", action="append", default=[], metavar="NAME=PID", help="CPU of another process in every window")
    add("--quit", default="", help="keys sent at the end; then SIGTERM, then SIGKILL")
    add("--no-answer", action="store_true", help="be a terminal that answers no query")
    add("--no-replay", action="store_true", help="only the stream: no marks, no latencies")
    add("--replay-max", type=int, default=40_000_000, help="bytes replayed at most")
    add("command", nargs=argparse.REMAINDER)
    given = arguments.parse_args()
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        arguments.error("no command")
    name = given.name or pathlib.Path(command[0]).name
    out = given.out or pathlib.Path(tempfile.mkdtemp(prefix=f"ptyharness-{name}-"))
    out.mkdir(parents=True, exist_ok=True)

    watched = {key: int(process) for key, process in (pair.split("=", 1) for pair in given.watch)}
    terminal = Terminal(given, command)
    session = Session(terminal, watched, out)
    died, end, quit_seconds = None, None, None
    try:
        for step in given.step:
            if not terminal.alive:
                died = step
                break
            session.step(step)
        last = usage(terminal.family())
        end = {"rss": round(last["rss"] / 1024, 1), "peak": round(last["peak"] / 1024, 1), "alive": terminal.alive}
    finally:
        quit_seconds = terminal.end(given.quit)

    (out / "stream.bin").write_bytes(b"".join(data for _, data in terminal.chunks))
    timing = [(round(moment - terminal.start, 6), len(data)) for moment, data in terminal.chunks]
    (out / "chunks.json").write_text(json.dumps(timing))
    replay = None
    if not given.no_replay:
        replay = Replay(given, terminal, session)
        replay.run()
    result = {
        "name": name,
        "command": command,
        "size": given.size,
        "first_byte_ms": round(timing[0][0] * 1000, 1) if timing else None,
        "first_frame_ms": replay.first_frame if replay else None,
        "marks_ms": replay.reached if replay else {},
        "until": session.found,
        "died_before": died,
        "windows": session.windows,
        "keys": {key: replay.summary(key) for key in session.strokes} if replay else {},
        "stamps": {name: replay.stamped(name) for name in replay.stamps} if replay else {},
        "memory_mib": session.memory,
        "end": end,
        "quit_seconds": quit_seconds,
        "total_bytes": terminal.total,
        "queries_answered": terminal.queries,
        "emulator_errors": replay.errors if replay else 0,
        "replay_truncated": replay.truncated if replay else False,
        "out": str(out),
    }
    (out / "result.json").write_text(json.dumps(result, indent=1))
    report(result)


if __name__ == "__main__":
    main()
