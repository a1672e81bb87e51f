#!/usr/bin/env python3
"""Serves metrics.k8s.io for the lab's cluster, through the API server's own aggregation layer.

Nobody measures anything here: what a pod uses is made up from what it asks for, slowly
moving, the same for the same pod at the same time. Pods are those that exist and run;
what a node uses is what its pods use and a little for itself. Every 15 seconds all of
it is measured anew, as a metrics-server does. Nodes that are silent (STATE/down-nodes)
and pods on them are not measured.

It makes the APIService that leads here, and answers only whom the API server vouches
for (a client certificate of its front proxy). Rights are the API server's business.

A pod says how much it uses by annotations on it (or on its template):
  fake.k/cpu     thousandths of a CPU, fixed
  fake.k/memory  MiB, fixed
"""

import argparse
import asyncio
import base64
import datetime
import hashlib
import json
import math
import pathlib
import ssl
import time

import aiohttp
from aiohttp import web

GROUP = "metrics.k8s.io"
VERSION = f"{GROUP}/v1beta1"
ROOT = f"/apis/{VERSION}"
# The resolution of a metrics-server that nobody has configured.
PERIOD = 15
WINDOW = "15s"
# What a container uses that asks for nothing.
USUAL = (50_000_000, 64 << 20)
# How long a wave of its use takes.
WAVE = 600
FRONT_PROXY = "front-proxy-client"


def nanos(text: str) -> int:
    return int(float(text[:-1]) * 1_000_000) if text.endswith("m") else int(float(text) * 1_000_000_000)


def octets(text: str) -> int:
    for suffix, size in (("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1000), ("M", 1000**2), ("G", 1000**3)):
        if text.endswith(suffix):
            return int(float(text[: -len(suffix)]) * size)
    return int(text)


class Pod:
    """What has to be known of a pod to make up what it uses."""

    def __init__(self, pod: dict):
        metadata, spec = pod["metadata"], pod["spec"]
        self.name, self.namespace = metadata["name"], metadata["namespace"]
        self.labels = metadata.get("labels", {})
        self.node = spec.get("nodeName")
        self.runs = pod.get("status", {}).get("phase") == "Running"
        annotations = metadata.get("annotations") or {}
        self.fixed = annotations.get("fake.k/cpu"), annotations.get("fake.k/memory")
        digest = hashlib.sha256(metadata["uid"].encode()).digest()
        self.phase, self.level = digest[0] / 256, 0.3 + digest[1] / 512
        self.containers = []
        for container in spec["containers"]:
            asked = container.get("resources", {}).get("requests", {})
            cpu = nanos(asked["cpu"]) if "cpu" in asked else USUAL[0]
            memory = octets(asked["memory"]) if "memory" in asked else USUAL[1]
            self.containers.append((container["name"], cpu, memory))

    def usage(self, now: float) -> list[dict]:
        wave = math.sin(2 * math.pi * (now / WAVE + self.phase))
        cpu_level, memory_level = self.level + 0.2 * wave, self.level + 0.05 * wave
        measured = []
        for name, cpu, memory in self.containers:
            cpu, memory = int(cpu * cpu_level), int(memory * memory_level)
            if self.fixed[0]:
                cpu = int(self.fixed[0]) * 1_000_000 // len(self.containers)
            if self.fixed[1]:
                memory = (int(self.fixed[1]) << 20) // len(self.containers)
            measured.append({"name": name, "usage": {"cpu": f"{cpu}n", "memory": f"{memory >> 10}Ki"}})
        return measured


class Gauge:
    """The pods that exist, and what was measured last."""

    def __init__(self, session: aiohttp.ClientSession, api: str, state: pathlib.Path):
        self.session, self.api, self.state = session, api, state
        self.pods: dict[str, Pod] = {}
        self.nodes: list[dict] = []
        self.measured: list[dict] = []

    async def get(self, path: str) -> dict:
        async with self.session.get(self.api + path) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def list(self) -> str:
        pods, token = {}, ""
        while True:
            page = await self.get(f"/api/v1/pods?limit=1000&continue={token}")
            pods |= {pod["metadata"]["uid"]: Pod(pod) for pod in page["items"]}
            token = page["metadata"].get("continue", "")
            if not token:
                self.pods = pods
                return page["metadata"]["resourceVersion"]

    async def watch(self, version: str) -> str:
        path = f"/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds=240"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.session.get(self.api + path, timeout=timeout) as answer:
            answer.raise_for_status()
            begun = b""
            async for piece in answer.content.iter_any():
                *lines, begun = (begun + piece).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise aiohttp.ClientError("the watch is too old")
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self.pods[event["object"]["metadata"]["uid"]] = Pod(event["object"])
                    elif event["type"] == "DELETED":
                        self.pods.pop(event["object"]["metadata"]["uid"], None)
        return version

    async def follow_for_ever(self) -> None:
        while True:
            try:
                version = await self.list()
                while True:
                    version = await self.watch(version)
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
                await asyncio.sleep(1)

    async def measure_for_ever(self) -> None:
        while True:
            try:
                await self.measure()
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
                print("nothing was measured:", repr(error), flush=True)
            await asyncio.sleep(PERIOD - time.time() % PERIOD)

    async def measure(self) -> None:
        now = time.time()
        at = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            silent = set((self.state / "down-nodes").read_text().split())
        except OSError:
            silent = set()
        nodes = (await self.get("/api/v1/nodes"))["items"]
        # A kubelet and what it needs.
        sums = {node["metadata"]["name"]: [120_000_000, 600 << 20] for node in nodes}
        measured = []
        for pod in sorted(self.pods.values(), key=lambda pod: (pod.namespace, pod.name)):
            if not pod.runs or pod.node in silent or pod.node not in sums:
                continue
            containers = pod.usage(now)
            for container in containers:
                sums[pod.node][0] += int(container["usage"]["cpu"][:-1])
                sums[pod.node][1] += octets(container["usage"]["memory"])
            metadata = {"name": pod.name, "namespace": pod.namespace, "labels": pod.labels, "creationTimestamp": at}
            measured.append({"metadata": metadata, "timestamp": at, "window": WINDOW, "containers": containers})
        self.measured = measured
        self.nodes = [
            {
                "metadata": {"name": name, "creationTimestamp": at},
                "timestamp": at,
                "window": WINDOW,
                "usage": {"cpu": f"{cpu}n", "memory": f"{memory >> 10}Ki"},
            }
            for name, (cpu, memory) in sorted(sums.items())
            if name not in silent
        ]


class Server:
    """The API, as a metrics-server answers it."""

    def __init__(self, gauge: Gauge):
        self.gauge = gauge

    @web.middleware
    async def vouched_for(self, request: web.Request, handler):
        subject = dict(part[0] for part in (request.get_extra_info("peercert") or {}).get("subject", ()))
        if subject.get("commonName") != FRONT_PROXY or not request.headers.get("X-Remote-User"):
            return self.refused(401, "Unauthorized", "only the API server is answered")
        return await handler(request)

    @staticmethod
    def refused(code: int, reason: str, message: str) -> web.Response:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
        return web.json_response({**status, "message": message}, status=code)

    async def resources(self, _: web.Request) -> web.Response:
        def resource(name: str, kind: str, namespaced: bool) -> dict:
            return {"name": name, "singularName": "", "kind": kind, "namespaced": namespaced, "verbs": ["get", "list"]}

        both = [resource("nodes", "NodeMetrics", False), resource("pods", "PodMetrics", True)]
        return web.json_response({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": VERSION, "resources": both})

    def page(self, request: web.Request, kind: str, items: list[dict]) -> web.Response:
        """As etcd's lists are paged: the token says where to go on."""
        selector = dict(part.split("=", 1) for part in filter(None, request.query.get("labelSelector", "").split(",")))
        items = [it for it in items if selector.items() <= it["metadata"].get("labels", {}).items()]
        first, limit = int(request.query.get("continue") or 0), int(request.query.get("limit") or 0)
        metadata = {}
        if limit and first + limit < len(items):
            metadata["continue"] = str(first + limit)
        items = items[first : first + limit] if limit else items[first:]
        body = {"kind": kind + "List", "apiVersion": VERSION, "metadata": metadata}
        return web.json_response({**body, "items": [{"kind": kind, "apiVersion": VERSION, **it} for it in items]})

    def one(self, kind: str, items: list[dict], name: str) -> web.Response:
        for it in items:
            if it["metadata"]["name"] == name:
                return web.json_response({"kind": kind, "apiVersion": VERSION, **it})
        return self.refused(404, "NotFound", f'{kind} "{name}" was not measured')

    async def nodes(self, request: web.Request) -> web.Response:
        return self.page(request, "NodeMetrics", self.gauge.nodes)

    async def node(self, request: web.Request) -> web.Response:
        return self.one("NodeMetrics", self.gauge.nodes, request.match_info["name"])

    def of_namespace(self, request: web.Request) -> list[dict]:
        wanted = request.match_info.get("namespace")
        return [it for it in self.gauge.measured if wanted in (None, it["metadata"]["namespace"])]

    async def pods(self, request: web.Request) -> web.Response:
        return self.page(request, "PodMetrics", self.of_namespace(request))

    async def pod(self, request: web.Request) -> web.Response:
        return self.one("PodMetrics", self.of_namespace(request), request.match_info["name"])

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self.vouched_for])
        application.router.add_get(ROOT, self.resources)
        application.router.add_get(f"{ROOT}/nodes", self.nodes)
        application.router.add_get(f"{ROOT}/nodes/{{name}}", self.node)
        application.router.add_get(f"{ROOT}/pods", self.pods)
        application.router.add_get(f"{ROOT}/namespaces/{{namespace}}/pods", self.pods)
        application.router.add_get(f"{ROOT}/namespaces/{{namespace}}/pods/{{name}}", self.pod)
        return application


async def register(session: aiohttp.ClientSession, api: str, authority: str, port: int) -> None:
    """The API server is told who serves the API. A Service of the type ExternalName leads it to the loopback."""
    place = {"name": "metrics-server", "namespace": "kube-system"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": place, "spec": {"type": "ExternalName", "externalName": "localhost"}}
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1beta1.{GROUP}"},
        "spec": {
            "group": GROUP,
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {**place, "port": port},
            "caBundle": authority,
        },
    }
    # As a metrics-server's own manifests do: whoever may view, edit or administer may see usage too.
    aggregate = {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true" for role in ("view", "edit", "admin")}
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:aggregated-metrics-reader", "labels": aggregate},
        "rules": [{"apiGroups": [GROUP], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]}],
    }
    for path, body in (
        ("/api/v1/namespaces/kube-system/services", service),
        ("/apis/apiregistration.k8s.io/v1/apiservices", registration),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", reader),
    ):
        for _ in range(60):
            async with session.post(api + path, json=body) as answer:
                if answer.status in (201, 409):
                    break
                # The namespace is made a moment after the server is ready.
                print(path, answer.status, (await answer.text())[:200], flush=True)
            await asyncio.sleep(1)


async def serve(given: argparse.Namespace) -> None:
    keys = given.state / "pki"
    trust = ssl.create_default_context(cafile=keys / "ca.crt")
    trust.load_cert_chain(keys / "admin.crt", keys / "admin.key")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(keys / "metrics-server.crt", keys / "metrics-server.key")
    serving.load_verify_locations(keys / "ca.crt")
    serving.verify_mode = ssl.CERT_REQUIRED

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        gauge = Gauge(session, given.api, given.state)
        runner = web.AppRunner(Server(gauge).application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", given.port, ssl_context=serving).start()
        following = asyncio.create_task(gauge.follow_for_ever())
        authority = base64.b64encode((keys / "ca.crt").read_bytes()).decode()
        await register(session, given.api, authority, given.port)
        await asyncio.gather(following, gauge.measure_for_ever())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--state", type=pathlib.Path, required=True, help="the folder that holds the lab's state")
    arguments.add_argument("--api", required=True, help="the address of the API server")
    arguments.add_argument("--port", type=int, required=True, help="where usage is served")
    asyncio.run(serve(arguments.parse_args()))


main()
