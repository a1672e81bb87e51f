#!/usr/bin/env python3
"""Simulates the kubelets of a whole cluster against a real API server on the loopback.

It registers nodes, renews their leases, takes the pods that the scheduler binds to
them through their lives, finishes deletions, and serves /containerLogs so that
`kubectl logs -f` works. It runs nothing: exec, attach and port-forward are those of `streams`, which stands before it
and hands over what it does not answer itself.

How a pod behaves is said by annotations on it (or on its template):
  fake.k/state        running (default), crashloop, imagepull, oom, notready, pending, succeed, fail
  fake.k/ready-after  seconds until it is ready (0.2)
  fake.k/stop-after   seconds from deletion to gone (0.2; the grace period is the most)
  fake.k/run-for      seconds that one which succeeds or fails runs (2)
A node named in STATE/down-nodes, one a line, falls silent: NotReady some 45 s later.
"""

import argparse
import asyncio
import datetime
import json
import pathlib
import ssl
import time

import aiohttp
from aiohttp import web

MERGE = "application/merge-patch+json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
# As a real kubelet: the lease every 10 s, the conditions every 5 minutes.
LEASE_EVERY = 10
CONDITIONS_EVERY = 30 * LEASE_EVERY
# A real back-off grows to 300 s; a test wants to see more than one restart.
LONGEST_BACK_OFF = 60
# States whose pods take their time: they must not hold one of the few slots.
LASTING = {"crashloop", "oom", "imagepull", "succeed", "fail"}
# Log lines that every container had written before this program started.
OLD_LINES = 1000


def timestamp(when: float | None = None) -> str:
    moment = datetime.datetime.fromtimestamp(time.time() if when is None else when, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(when: float | None = None) -> str:
    moment = datetime.datetime.fromtimestamp(time.time() if when is None else when, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def annotation(pod: dict, key: str, default: str) -> str:
    return (pod["metadata"].get("annotations") or {}).get(f"fake.k/{key}", default)


class Client:
    """The API server, with the few retries that a busy one needs."""

    def __init__(self, session: aiohttp.ClientSession, api: str):
        self.session = session
        self.api = api

    async def ask(self, method: str, path: str, body: dict | None = None, kind: str = "application/json"):
        data = None if body is None else json.dumps(body)
        for attempt in range(6):
            try:
                async with self.session.request(
                    method, self.api + path, data=data, headers={"Content-Type": kind}
                ) as answer:
                    text = await answer.text()
                    if answer.status not in (429, 500, 503):
                        return answer.status, json.loads(text) if text.startswith("{") else {}
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.3 * (attempt + 1))
        return 0, {}


class Nodes:
    """The nodes: their registration, their heartbeats, and which are silent."""

    def __init__(self, client: Client, state: pathlib.Path, count: int, own: int, zones: int, port: int):
        self.client = client
        self.silent_file = state / "down-nodes"
        self.names = [f"node-{number:02d}" for number in range(count)] + [f"own-{number:02d}" for number in range(own)]
        self.zones = zones
        self.port = port
        self.silent: set[str] = set()
        self.addresses: dict[str, int] = {}

    def pod_address(self, node: str) -> str:
        index = self.names.index(node)
        number = self.addresses.get(node, 1) % 65000 + 1
        self.addresses[node] = number
        return f"10.{100 + index // 256}.{(index * 4 + number // 250) % 256}.{number % 250 + 2}"

    def conditions(self) -> list[dict]:
        pressures = [
            ("MemoryPressure", "KubeletHasSufficientMemory"),
            ("DiskPressure", "KubeletHasNoDiskPressure"),
            ("PIDPressure", "KubeletHasSufficientPID"),
        ]
        beat = {"lastHeartbeatTime": timestamp()}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "simulated kubelet is ready"}
        return [{"type": kind, "status": "False", "reason": why, **beat} for kind, why in pressures] + [
            {**ready, **beat}
        ]

    def status(self, index: int) -> dict:
        resources = {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "400Gi", "pods": "400"}
        identity = f"{index:032x}"
        return {
            "capacity": resources,
            "allocatable": resources,
            "conditions": self.conditions(),
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": self.names[index]},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
            "nodeInfo": {
                "machineID": identity,
                "systemUUID": identity,
                "bootID": identity,
                "kernelVersion": "6.1.0-simulated",
                "osImage": "Debian GNU/Linux 12 (simulated)",
                "containerRuntimeVersion": "simulated://1.0",
                "kubeletVersion": "v1.36.3",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        }

    async def register(self, index: int) -> None:
        name = self.names[index]
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/region": "lab-1",
            "topology.kubernetes.io/zone": f"lab-1{'abcdefgh'[index % self.zones]}",
            "node.kubernetes.io/instance-type": "simulated.8xlarge",
            "node-role.kubernetes.io/" + ("control-plane" if name == "node-00" else "worker"): "",
        }
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        if name.startswith("own-"):
            node["spec"] = {"taints": [{"key": "lab/own", "effect": "NoSchedule"}]}
        await self.client.ask("POST", "/api/v1/nodes", node)
        await self.beat(name)
        await self.client.ask("PATCH", f"/api/v1/nodes/{name}/status", {"status": self.status(index)}, STRATEGIC_MERGE)

    async def beat(self, name: str) -> None:
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_timestamp()}
        status, _ = await self.client.ask("PATCH", f"{LEASES}/{name}", {"spec": spec}, MERGE)
        if status == 404:
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
            await self.client.ask("POST", LEASES, lease)

    async def report(self, name: str) -> None:
        body = {"status": {"conditions": self.conditions()}}
        await self.client.ask("PATCH", f"/api/v1/nodes/{name}/status", body, STRATEGIC_MERGE)

    async def beat_for_ever(self) -> None:
        reported = time.monotonic()
        while True:
            due = time.monotonic() - reported > CONDITIONS_EVERY
            if due:
                reported = time.monotonic()
            for name in self.names:
                if name not in self.silent:
                    await self.beat(name)
                    if due:
                        await self.report(name)
                # Spread over the period, as many machines would be.
                await asyncio.sleep(LEASE_EVERY / len(self.names))

    def read_silent(self) -> set[str]:
        """Reads which nodes are to be silent; returns those that are not any more."""
        before = self.silent
        try:
            self.silent = set(self.silent_file.read_text().split())
        except OSError:
            self.silent = set()
        return before - self.silent


class Pods:
    """Takes every pod that is bound to one of the nodes through its life."""

    def __init__(self, client: Client, nodes: Nodes, concurrency: int):
        self.client = client
        self.nodes = nodes
        self.slots = asyncio.Semaphore(concurrency)
        self.started: set[str] = set()
        self.stopping: set[str] = set()
        # The event loop itself holds tasks weakly only.
        self.tasks: set[asyncio.Task] = set()

    def spawn(self, work, lasting: bool = False) -> None:
        async def run():
            if lasting:
                await work
            else:
                async with self.slots:
                    await work

        task = asyncio.create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            print("a pod's task failed:", repr(task.exception()), flush=True)

    def handle(self, change: str, pod: dict) -> None:
        metadata, identity = pod["metadata"], pod["metadata"]["uid"]
        if change == "DELETED":
            self.started.discard(identity)
            self.stopping.discard(identity)
            return
        node = pod["spec"].get("nodeName")
        if node not in self.nodes.names or node in self.nodes.silent:
            return
        if metadata.get("deletionTimestamp"):
            if identity not in self.stopping:
                self.stopping.add(identity)
                self.spawn(self.stop(pod))
        elif identity not in self.started:
            self.started.add(identity)
            if not self.settled(pod):
                slow = float(annotation(pod, "ready-after", "0.2")) > 1
                self.spawn(self.run(pod), lasting=slow or annotation(pod, "state", "running") in LASTING)

    @staticmethod
    def settled(pod: dict) -> bool:
        """Whether an earlier run of this program has brought the pod where it belongs."""
        status = pod.get("status", {})
        if status.get("phase") in ("Succeeded", "Failed"):
            return True
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
        return status.get("phase") == "Running" and annotation(pod, "state", "running") == "running" and ready

    def status(self, pod: dict, address: str, since: str, ready: bool, phase: str = "Running", **container) -> dict:
        def condition(kind: str, holds: bool) -> dict:
            reason = {} if holds else {"reason": "ContainersNotReady"}
            return {"type": kind, "status": str(holds), "lastTransitionTime": timestamp(), **reason}

        def containers(kind: str, facts: dict) -> list[dict]:
            identity = pod["metadata"]["uid"]
            return [
                {
                    "name": one["name"],
                    "image": one["image"],
                    "imageID": f"simulated://{one['image']}",
                    "containerID": f"simulated://{identity}-{one['name']}",
                    **facts,
                }
                for one in pod["spec"].get(kind, [])
            ]

        facts = {"ready": ready, "started": ready, "restartCount": 0, "state": {"running": {"startedAt": since}}}
        status = {
            "phase": phase,
            "hostIP": "127.0.0.1",
            "hostIPs": [{"ip": "127.0.0.1"}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": since,
            "conditions": [
                condition("PodReadyToStartContainers", True),
                condition("Initialized", True),
                condition("Ready", ready),
                condition("ContainersReady", ready),
                condition("PodScheduled", True),
            ],
            "containerStatuses": containers("containers", {**facts, **container}),
        }
        if pod["spec"].get("initContainers"):
            done = {"exitCode": 0, "reason": "Completed", "startedAt": since, "finishedAt": since}
            finished = {"ready": True, "restartCount": 0, "state": {"terminated": done}}
            status["initContainerStatuses"] = containers("initContainers", finished)
        return status

    async def run(self, pod: dict) -> None:
        state = annotation(pod, "state", "running")
        if state == "pending":
            return
        metadata, since = pod["metadata"], timestamp()
        identity = metadata["uid"]
        address = self.nodes.pod_address(pod["spec"]["nodeName"])
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"

        async def put(ready: bool, phase: str = "Running", **container) -> int:
            status = self.status(pod, address, since, ready, phase, **container)
            # With the uid: a pod of the same name that came after it is another one.
            body = {"metadata": {"uid": identity}, "status": status}
            answer, _ = await self.client.ask("PATCH", path, body, STRATEGIC_MERGE)
            return answer

        delay = float(annotation(pod, "ready-after", "0.2"))
        if delay > 1:
            await put(False, "Pending", state={"waiting": {"reason": "ContainerCreating"}})
        await asyncio.sleep(delay)
        if identity in self.stopping:
            return
        match state:
            case "running":
                await put(True)
            case "notready":
                await put(False)
            case "imagepull":
                await self.fail_to_pull(pod, put)
            case "crashloop":
                await self.crash(pod, put, "Error", 1)
            case "oom":
                await self.crash(pod, put, "OOMKilled", 137)
            case "succeed":
                await self.complete(pod, put, since, "Succeeded", "Completed", 0)
            case "fail":
                await self.complete(pod, put, since, "Failed", "Error", 1)

    async def fail_to_pull(self, pod: dict, put) -> None:
        waiting = {"reason": "ErrImagePull", "message": "failed to pull: not found"}
        await put(False, "Pending", state={"waiting": waiting})
        await asyncio.sleep(5)
        waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
        await put(False, "Pending", state={"waiting": waiting})
        image = pod["spec"]["containers"][0]["image"]
        await self.event(pod, "Failed", f'Failed to pull image "{image}": not found')

    async def crash(self, pod: dict, put, reason: str, code: int) -> None:
        identity, restarts = pod["metadata"]["uid"], 0
        while identity in self.started and identity not in self.stopping:
            if await put(True, restartCount=restarts) == 404:
                return
            await asyncio.sleep(3)
            restarts += 1
            ended = timestamp()
            last = {"exitCode": code, "reason": reason, "startedAt": ended, "finishedAt": ended}
            back_off = min(300, 10 * 2 ** min(restarts, 5))
            waiting = {"reason": "CrashLoopBackOff", "message": f"back-off {back_off}s restarting failed container"}
            await put(False, state={"waiting": waiting}, restartCount=restarts, lastState={"terminated": last})
            await self.event(pod, "BackOff", f"Back-off restarting failed container in pod {pod['metadata']['name']}")
            await asyncio.sleep(min(LONGEST_BACK_OFF, 5 * 2 ** min(restarts, 4)))

    async def complete(self, pod: dict, put, since: str, phase: str, reason: str, code: int) -> None:
        await put(True)
        await asyncio.sleep(float(annotation(pod, "run-for", "2")))
        ended = {"exitCode": code, "reason": reason, "startedAt": since, "finishedAt": timestamp()}
        await put(False, phase, state={"terminated": ended})

    async def event(self, pod: dict, reason: str, message: str) -> None:
        metadata, moment = pod["metadata"], timestamp()
        namespace = metadata["namespace"]
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name'][:50]}.", "namespace": namespace},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "namespace": namespace,
                "uid": metadata["uid"],
            },
            "type": "Warning",
            "reason": reason,
            "message": message,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
            "source": {"component": "kubelet", "host": pod["spec"].get("nodeName", "")},
        }
        await self.client.ask("POST", f"/api/v1/namespaces/{namespace}/events", body)

    async def stop(self, pod: dict) -> None:
        metadata = pod["metadata"]
        grace = float(metadata.get("deletionGracePeriodSeconds") or 0)
        await asyncio.sleep(min(float(annotation(pod, "stop-after", "0.2")), grace))
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        await self.client.ask("DELETE", path, body)

    async def list(self) -> str:
        """Handles every bound pod; returns the version from which to watch."""
        token = ""
        while True:
            path = f"/api/v1/pods?limit=1000&fieldSelector=spec.nodeName!%3D&continue={token}"
            _, answer = await self.client.ask("GET", path)
            for pod in answer["items"]:
                self.handle("ADDED", pod)
            token = answer["metadata"].get("continue")
            if not token:
                return answer["metadata"]["resourceVersion"]

    async def watch(self, version: str) -> str:
        """Handles changes until the server ends the stream; returns the version reached."""
        path = f"/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=240"
        no_limit = aiohttp.ClientTimeout(total=None)
        async with self.client.session.get(f"{self.client.api}{path}&fieldSelector=spec.nodeName!%3D", timeout=no_limit) as answer:
            if answer.status != 200:
                raise RuntimeError(f"the watch was answered with {answer.status}")
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    change = json.loads(line)
                    if change["type"] == "ERROR":
                        raise RuntimeError(str(change["object"])[:200])
                    version = change["object"]["metadata"]["resourceVersion"]
                    if change["type"] != "BOOKMARK":
                        self.handle(change["type"], change["object"])
        return version

    async def follow_for_ever(self) -> None:
        while True:
            try:
                version = await self.list()
                while True:
                    version = await self.watch(version)
            except Exception as error:  # whatever it was, listing again puts it right
                print("listing the pods again:", repr(error)[:300], flush=True)
                await asyncio.sleep(1)

    async def notice_silence_for_ever(self) -> None:
        while True:
            for node in self.nodes.read_silent():
                await self.nodes.report(node)
                # What was bound to it or deleted from it meanwhile.
                _, answer = await self.client.ask("GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}")
                for pod in answer.get("items", []):
                    self.handle("ADDED", pod)
            await asyncio.sleep(1)


class Logs:
    """Answers /containerLogs with lines that follow from the pod's name and the time."""

    def __init__(self, lines_per_second: float):
        self.rate = lines_per_second
        self.start = time.time()

    def line(self, source: tuple[str, str, str], number: int, stamped: bool) -> str:
        namespace, pod, container = source
        level = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "INFO", "INFO", "ERROR")[(number * 7 + len(pod)) % 8]
        status = (200, 200, 201, 404, 200, 500)[number % 6]
        stamp = micro_timestamp(self.start + number / self.rate)[:-1] + "000Z " if stamped else ""
        return (
            f"{stamp}{level} {namespace}/{pod}/{container} seq={number} handled request "
            f"path=/api/v1/items/{number * 37 % 9973} status={status} dur={number * 13 % 250}ms\n"
        )

    async def serve(self, request: web.Request) -> web.StreamResponse:
        source = tuple(request.match_info[part] for part in ("namespace", "pod", "container"))
        query = request.query
        stamped = query.get("timestamps") == "true"
        current = int((time.time() - self.start) * self.rate)
        oldest = -OLD_LINES
        if query.get("tailLines"):
            oldest = current - int(query["tailLines"]) + 1
        if query.get("sinceSeconds"):
            oldest = max(oldest, current - int(float(query["sinceSeconds"]) * self.rate))
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        try:
            history = (self.line(source, number, stamped) for number in range(oldest, current + 1))
            await response.write("".join(history).encode())
            while query.get("follow") == "true":
                await asyncio.sleep(1 / self.rate)
                current += 1
                await response.write(self.line(source, current, stamped).encode())
        except (ConnectionError, aiohttp.ClientError):
            pass  # the reader has gone
        return response


async def simulate(given: argparse.Namespace) -> None:
    keys = given.state / "pki"
    trust = ssl.create_default_context(cafile=keys / "ca.crt")
    trust.load_cert_chain(keys / "admin.crt", keys / "admin.key")

    application = web.Application()
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", Logs(given.lines_per_second).serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, given.state / "kubelets.sock").start()

    connector = aiohttp.TCPConnector(ssl=trust, limit=given.concurrency + 8)
    async with aiohttp.ClientSession(connector=connector) as session:
        client = Client(session, given.api)
        nodes = Nodes(client, given.state, given.nodes, given.own, given.zones, given.port)
        pods = Pods(client, nodes, given.concurrency)
        nodes.read_silent()
        await asyncio.gather(*(nodes.register(index) for index in range(len(nodes.names))))
        await asyncio.gather(nodes.beat_for_ever(), pods.follow_for_ever(), pods.notice_silence_for_ever())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--state", type=pathlib.Path, required=True, help="the folder that holds the lab's state")
    arguments.add_argument("--api", default="https://127.0.0.1:16443", help="the address of the API server")
    arguments.add_argument("--nodes", type=int, default=30)
    arguments.add_argument("--own", type=int, default=0, help="more of them, to which only pods come that bear their taint, lab/own")
    arguments.add_argument("--zones", type=int, default=3)
    arguments.add_argument("--concurrency", type=int, default=16, help="pods that are worked on at once")
    arguments.add_argument("--port", type=int, default=10250, help="where the API server finds the kubelets")
    arguments.add_argument("--lines-per-second", type=float, default=1.0, help="of each container's log")
    asyncio.run(simulate(arguments.parse_args()))


main()
