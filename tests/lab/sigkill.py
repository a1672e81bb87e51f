#!/usr/bin/env python3
"""Kills quarterdeck with SIGKILL at random moments of operations on the lab's swarm, and counts from the daemon's side.

    sigkill.py --binary PATH [--rounds 200] [--seed N]

Needs a swarm of swarm.sh, three managers and two workers, with nothing else on it; LAB_DIR says where, so that it can
be one of its own (`LAB_ID=kill LAB_DIR=/tmp/quarterdeck-lab-kill swarm.sh up 3 2`).
Eight at once, each with things of its own: four roll or scale a service, two promote a digest, one drains the
worker that runs a service, plainly or start-first, and another a manager. Every round the program is killed between
0.1 and 16 s after its start, most often early; then `ops observe` has to explain the operation. The daemon's own events
are the count: what the journal says was sent and answered happened as often as that, what was sent without an answer
happened once or never, and nothing else happened. A drained node is activated again after each round, and then every
service must have the spec that it had before.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

LAB = os.environ.get("LAB_DIR", "/tmp/quarterdeck-lab-qd")
HOST = f"unix://{LAB}/m1/docker.sock"
IMAGE = "10.77.0.1:5000/lab/app:"
STACKS = "com.docker.stack.namespace="
TOOK = {"completed", "paused", "rolled_back", "rollback_paused", "stalled"}
CONFIG = f"""
environments = [{{ name = "qa" }}, {{ name = "prod" }}]
[[connections]]
name = "lab"
platform = "swarm"
host = "{HOST}"
environment_rules = [{{ match = "qkqa", environment = "qa" }}, {{ match = "qkprod", environment = "prod" }}]
"""
totals, verbs, outcomes, wrong, lock = {}, {}, {}, [], threading.Lock()


def count(where, what, many=1):
    with lock:
        where[what] = where.get(what, 0) + many


def docker(*words):
    said = subprocess.run(["docker", "-H", HOST, *words], capture_output=True, text=True, check=True)
    return said.stdout.strip()


def quarterdeck(binary, home, *words):
    env = {"PATH": os.environ["PATH"], "HOME": home, "XDG_STATE_HOME": home, "USER": "sigkill"}
    said = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([binary, *words, "--config", os.path.join(home, "config.toml")], env=env, **said)


def spec(name):
    return json.loads(docker("service", "inspect", name))[0]["Spec"]


def create(name, *how):
    docker("service", "create", "--quiet", "--detach", "--name", name, "--replicas", "1", "--update-monitor", "1s",
           "--update-delay", "0s", *how, IMAGE + "1.0")


class Daemon(threading.Thread):
    """Every change of a spec that the daemon tells of: when, of what, and what it knows of it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.changes = []
        filters = ["--filter", "scope=swarm", "--filter", "event=update"]
        command = ["docker", "-H", HOST, "events", *filters, "--format", "{{json .}}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.start()

    def run(self):
        for line in self.process.stdout:
            event = json.loads(line)
            about = event["Actor"]["Attributes"]
            spec_of_service = event["Type"] == "service" and "updatestate.new" not in about
            if spec_of_service or "availability.new" in about:
                self.changes.append((event["timeNano"] / 1e9, event["Type"] + "s/" + event["Actor"]["ID"]))

    def since(self, then):
        found = {}
        for when, what in list(self.changes):
            if when >= then:
                found[what] = found.get(what, 0) + 1
        return found


def entries(home):
    """Every line of every journal, by operation, oldest first."""
    found = {}
    for place, _, files in os.walk(home):
        for name in sorted(files):
            if not name.endswith(".jsonl"):
                continue
            with open(os.path.join(place, name), encoding="utf-8") as lines:
                for line in lines:
                    if line.endswith("\n"):
                        record = json.loads(line)
                        found.setdefault(record["operation"], []).append(record["entry"])
    return found


SOON = [0.1, 0.3, 0.5, 0.5, 1.0, 2.0, 6.0]


class Rolled:
    """A service that is rolled or scaled."""

    moments = SOON

    def __init__(self, name):
        self.name = name
        create(name, "--constraint", "node.hostname==m1")
        self.things = {"services/" + docker("service", "inspect", name, "--format", "{{.ID}}")}

    def look(self):
        now = spec(self.name)
        return now["TaskTemplate"].get("ForceUpdate", 0), now["Mode"]["Replicated"]["Replicas"]

    def wish(self, chance):
        force, replicas = self.look()
        if chance.random() < 0.7:
            return ["roll", self.name], (force + 1, replicas)
        return ["scale", f"{self.name}={3 - replicas}"], (force, 3 - replicas)

    def after(self, *_):
        return None


class Promoted:
    """A service in qa whose digest is promoted to prod."""

    moments = SOON

    def __init__(self, name):
        self.source, self.target = f"qkqa_{name}", f"qkprod_{name}"
        create(self.source, "--label", STACKS + "qkqa", "--constraint", "node.hostname==m1")
        create(self.target, "--label", STACKS + "qkprod", "--constraint", "node.hostname==m1")
        self.things = {"services/" + docker("service", "inspect", self.target, "--format", "{{.ID}}")}

    @staticmethod
    def digest(name):
        return spec(name)["TaskTemplate"]["ContainerSpec"]["Image"].rsplit("@", 1)[-1]

    def look(self):
        return self.digest(self.target)

    def wish(self, _):
        if self.digest(self.source) == self.look():
            other = "2.0" if ":1.0@" in spec(self.source)["TaskTemplate"]["ContainerSpec"]["Image"] else "1.0"
            docker("service", "update", "--quiet", "--detach", "--image", IMAGE + other, self.source)
        return ["promote", self.source], self.digest(self.source)

    def after(self, *_):
        return None


class Drained:
    """The node that runs a service, one of two."""

    moments = [0.3, 0.5, 1.0, 2.0, 6.0, 16.0]

    def __init__(self, name, nodes):
        self.name, self.nodes = name, nodes
        for node in nodes:
            docker("node", "update", "--label-add", f"{name}=1", "--availability", "active", node)
        create(name, "--constraint", f"node.labels.{name}==1")
        self.spec = spec(name)
        self.things = {"services/" + docker("service", "inspect", name, "--format", "{{.ID}}")}
        self.things |= {"nodes/" + docker("node", "inspect", node, "--format", "{{.ID}}") for node in nodes}
        self.node = nodes[0]

    def look(self):
        now = spec(self.name)
        constraints = now["TaskTemplate"]["Placement"]["Constraints"]
        return docker("node", "inspect", self.node, "--format", "{{.Spec.Availability}}"), constraints, now.get("Labels")

    def wish(self, chance):
        format = ["--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}"]
        for _ in range(300):
            places = [line.split()[0] for line in docker("service", "ps", self.name, *format).splitlines() if " Running" in line]
            if len(places) == 1:
                break
            time.sleep(0.2)
        self.node = places[0]
        _, constraints, labels = self.look()
        return ["drain", self.node, *chance.choice([["--start-first"], ["--start-first"], []])], ("drain", constraints, labels)

    def after(self, binary, home):
        """Takes it all back, and sees that it is."""
        said = ""
        if self.look()[0] != "active" or spec(self.name) != self.spec:
            words = ["activate", self.node, "--yes", "--wait", "--override", "a test of the lab"]
            said = quarterdeck(binary, home, *words).communicate(timeout=180)
        if self.look()[0] != "active" or spec(self.name) != self.spec:
            return f"{self.node} or {self.name} is not as it was: {self.look()}; {said}"
        return None


def one_round(binary, home, chance, subject, daemon):
    """Does one thing, is killed, and is asked what became of it. Gives what was wrong."""
    known = set(entries(home))
    words, wanted = subject.wish(chance)
    time.sleep(0.5)
    before, began = subject.look(), time.time()
    process = quarterdeck(binary, home, *words, "--yes", "--wait", "--override", "a test of the lab")
    after = 0.1 + chance.choice(subject.moments) * chance.random()
    try:
        process.wait(after)
        ended = True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        ended = False
    told = process.stderr.read()
    out, err = quarterdeck(binary, home, "ops", "observe", "-o", "json").communicate(timeout=240)
    time.sleep(0.5)
    now, changes = subject.look(), daemon.since(began)
    changes = {what: many for what, many in changes.items() if what in subject.things}
    new = {name: said for name, said in entries(home).items() if name not in known}
    count(totals, "rounds")
    count(totals, "ended before" if ended else "killed")
    count(verbs, words[0] + (" --start-first" if "--start-first" in words else ""))
    words = f"{' '.join(words)}, killed after {after:.3f} s"
    if len(new) > 1:
        return f"{words}: {len(new)} operations of one command"
    if not new:
        count(totals, "unbegun")
        return f"{words}: no record, but {changes}; {told}" if changes else None
    said = next(iter(new.values()))
    if not any(entry["event"] == "verdict" for entry in said):
        return f"{words}: unexplained: {out} {err}"
    verdict = [entry for entry in said if entry["event"] == "verdict"][-1]
    count(outcomes, verdict["outcome"])
    count(totals, "took effect", bool(changes))
    sent, answered, steps = {}, {}, {}
    for entry in said:
        if entry["event"] == "sending":
            thing = re.match(r"/(\w+/\w+)/update", entry["request"]["path"]).group(1)
            steps[entry["step"]] = thing
            sent[thing] = sent.get(thing, 0) + 1
        elif entry["event"] == "answered" and entry["said"].startswith(("accepted", "no answer came, but")):
            answered[steps[entry["step"]]] = answered.get(steps[entry["step"]], 0) + 1
    count(totals, "sent", bool(sent))
    count(totals, "requests", sum(sent.values()))
    if len(steps) != sum(sent.values()):
        return f"{words}: a step was sent twice: {said}"
    for thing in subject.things:
        least, most, did = answered.get(thing, 0), sent.get(thing, 0), changes.get(thing, 0)
        if not least <= did <= most:
            return f"{words}: {thing} changed {did} times, was sent {most} times and answered {least} times: {verdict}"
    if verdict["outcome"] in TOOK and now != wanted:
        return f"{words}: said {verdict['outcome']}, and {before} is {now}: lost"
    if verdict["outcome"] == "refused" and changes:
        return f"{words}: said {verdict['text']}, and {before} is {now}"
    if "never took effect" in verdict["text"] and sum(changes.values()) >= sum(sent.values()):
        return f"{words}: said {verdict['text']}, and {before} is {now}"
    return None


def worker(binary, make, number, rounds, seed, daemon):
    chance = random.Random(f"{seed}-{number}")
    home = tempfile.mkdtemp(prefix="qk-")
    with open(os.path.join(home, "config.toml"), "w", encoding="utf-8") as file:
        file.write(CONFIG)
    try:
        subject = make()
        time.sleep(5)
        for _ in range(rounds):
            try:
                problems = [one_round(binary, home, chance, subject, daemon), subject.after(binary, home)]
            except Exception as error:  # noqa: BLE001  a round that cannot be judged is no good round
                problems = [f"{number}: {type(error).__name__}: {error} {getattr(error, 'stderr', '')}"]
            for problem in filter(None, problems):
                with lock:
                    wrong.append(problem)
                    print("WRONG", problem, flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def clean():
    names = [name for name in docker("service", "ls", "--format", "{{.Name}}").split() if name.startswith("qk")]
    for name in names:
        docker("service", "rm", name)
    for node in ["m2", "m3", "w1", "w2"]:
        docker("node", "update", "--availability", "active", node)
        labels = json.loads(docker("node", "inspect", node, "--format", "{{json .Spec.Labels}}"))
        for name in filter(lambda name: name.startswith("qk"), labels):
            docker("node", "update", "--label-rm", name, node)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", default="1")
    args = parser.parse_args()
    clean()
    daemon = Daemon()
    makes = [lambda: Drained("qkd-1", ["w1", "w2"]), lambda: Drained("qkd-2", ["m2", "m3"])]
    makes += [lambda n=n: Promoted(f"app-{n}") for n in range(2)] + [lambda n=n: Rolled(f"qk-{n}") for n in range(4)]
    began = time.time()
    share = [args.rounds // len(makes) + (n < args.rounds % len(makes)) for n in range(len(makes))]
    threads = [
        threading.Thread(target=worker, args=(args.binary, make, n, rounds, args.seed, daemon))
        for n, (make, rounds) in enumerate(zip(makes, share))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    daemon.process.kill()
    clean()
    for where in (totals, verbs, outcomes):
        print(", ".join(f"{many} {what}" for what, many in where.items()))
    print(f"in {time.time() - began:.0f} s:", f"{len(wrong)} wrong" if wrong else "none lost, none doubled, all explained")
    raise SystemExit(bool(wrong))


main()
