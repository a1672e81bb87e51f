#!/usr/bin/env python3
"""Kills quarterdeck with SIGKILL at random moments of operations on the lab's swarm, and counts from the daemon's side.

    sigkill.py --binary PATH [--rounds 200] [--workers 8] [--seed N]

Needs the swarm of swarm.sh. Each worker has a service of its own (qk-N), rolls or scales it, and is killed between
0.1 and 6 s after its start, most often early. One worker drains, cordons and activates w2 instead. After each kill
`ops observe` has to explain the operation, and what it says must be what the daemon counts: a forced update raises
its counter once when it is said to have taken effect, and not at all when it is said not to have.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

LAB = os.environ.get("LAB_DIR", "/tmp/quarterdeck-lab-qd")
HOST = f"unix://{LAB}/m1/docker.sock"
IMAGE = "10.77.0.1:5000/lab/app:1.0"
NODE = "w2"
TOOK = {"completed", "paused", "rolled_back", "rollback_paused", "stalled"}
totals = {"rounds": 0, "unbegun": 0, "killed": 0, "ended before": 0, "sent": 0, "took effect": 0}
wrong, lock = [], threading.Lock()


def docker(*words):
    said = subprocess.run(["docker", "-H", HOST, *words], capture_output=True, text=True, check=True)
    return said.stdout.strip()


def quarterdeck(binary, home, *words, **more):
    env = {"PATH": os.environ["PATH"], "HOME": home, "XDG_STATE_HOME": home, "DOCKER_HOST": HOST, "USER": "sigkill"}
    return subprocess.Popen(
        [binary, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def service(name):
    spec = json.loads(docker("service", "inspect", name))[0]["Spec"]
    return spec["TaskTemplate"].get("ForceUpdate", 0), spec["Mode"]["Replicated"]["Replicas"]


def entries(home):
    """Every line of every journal, by operation, oldest first."""
    folder = os.path.join(home, "quarterdeck")
    found = {}
    for place, _, files in os.walk(folder):
        for name in sorted(files):
            if not name.endswith(".jsonl"):
                continue
            with open(os.path.join(place, name), encoding="utf-8") as lines:
                for line in lines:
                    if not line.endswith("\n"):
                        continue
                    record = json.loads(line)
                    found.setdefault(record["operation"], []).append(record["entry"])
    return found


def one_round(binary, home, chance, subject):
    """Does one thing, is killed, and is asked what became of it. Gives what was wrong."""
    known = set(entries(home))
    if subject == NODE:
        verb = chance.choice(["cordon", "drain", "activate"])
        words = [verb, NODE]
        look = lambda: docker("node", "inspect", NODE, "--format", "{{.Spec.Availability}}")  # noqa: E731
        wanted = {"cordon": "pause", "drain": "drain", "activate": "active"}[verb]
    else:
        verb = chance.choice(["roll", "roll", "scale"])
        look = lambda: service(subject)  # noqa: E731
        force, replicas = look()
        words = ["roll", subject] if verb == "roll" else ["scale", f"{subject}={3 - replicas}"]
        wanted = (force + 1, replicas) if verb == "roll" else (force, 3 - replicas)
    before = look()
    process = quarterdeck(binary, home, *words, "--yes", "--wait", "--override", "a test of the lab")
    after = 0.1 + chance.choice([0.1, 0.3, 0.5, 0.5, 1.0, 2.0, 6.0]) * chance.random()
    try:
        process.wait(after)
        ended = True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        ended = False
    observed = quarterdeck(binary, home, "ops", "observe", "-o", "json")
    out, err = observed.communicate(timeout=180)
    now = look()
    new = {name: said for name, said in entries(home).items() if name not in known}
    with lock:
        totals["rounds"] += 1
        totals["ended before" if ended else "killed"] += 1
        if not new:
            totals["unbegun"] += 1
    if len(new) > 1:
        return f"{words}: {len(new)} operations of one command"
    if not new:
        return None if now == before else f"{words}: no record, and {before} became {now}"
    said = next(iter(new.values()))
    sent = sum(1 for entry in said if entry["event"] == "sending")
    verdicts = [entry for entry in said if entry["event"] == "verdict"]
    with lock:
        totals["sent"] += sent > 0
        totals["took effect"] += now != before
    if not verdicts:
        return f"{words}: unexplained after {after:.3f} s: {out} {err}"
    outcome = verdicts[-1]["outcome"]
    if now not in (before, wanted):
        return f"{words}: {before} became {now}, not {wanted}: doubled"
    if now == wanted != before and not sent:
        return f"{words}: took effect without a record"
    if outcome in TOOK and now != wanted:
        return f"{words}: said {outcome}, and is {now}: lost"
    if outcome in ("refused", "failed") and now != before and outcome != "failed":
        return f"{words}: said {outcome}, and is {now}"
    if outcome == "failed" and "never took effect" in verdicts[-1]["text"] and now != before:
        return f"{words}: said {verdicts[-1]['text']}, and is {now}"
    return None


def worker(binary, number, rounds, seed):
    chance = random.Random(f"{seed}-{number}")
    home = tempfile.mkdtemp(prefix="qk-")
    subject = NODE if number == 0 else f"qk-{number}"
    try:
        for _ in range(rounds):
            try:
                problem = one_round(binary, home, chance, subject)
            except Exception as error:  # noqa: BLE001  a round that cannot be judged is no good round
                problem = f"{subject}: {type(error).__name__}: {error}"
            if problem:
                with lock:
                    wrong.append(problem)
                    print("WRONG", problem, flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seed", default="1")
    args = parser.parse_args()
    names = [f"qk-{number}" for number in range(1, args.workers)]
    for name in names:
        subprocess.run(["docker", "-H", HOST, "service", "rm", name], capture_output=True, check=False)
        docker("service", "create", "--quiet", "--detach", "--name", name, "--replicas", "1",
               "--constraint", "node.role==manager", "--update-monitor", "1s", "--update-delay", "0s", IMAGE)
    time.sleep(5)
    began = time.time()
    share = [args.rounds // args.workers + (n < args.rounds % args.workers) for n in range(args.workers)]
    threads = [
        threading.Thread(target=worker, args=(args.binary, n, rounds, args.seed)) for n, rounds in enumerate(share)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        subprocess.run(["docker", "-H", HOST, "service", "rm", name], capture_output=True, check=False)
    docker("node", "update", "--availability", "active", NODE)
    print(", ".join(f"{count} {what}" for what, count in totals.items()), f"in {time.time() - began:.0f} s")
    print(f"{len(wrong)} wrong" if wrong else "none lost, none doubled, every operation explained")
    raise SystemExit(bool(wrong))


main()
