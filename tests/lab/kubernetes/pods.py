"""Makes the Deployments behind pods.sh and waits for their pods."""

import argparse
import asyncio
import json
import os
import ssl
import time

import aiohttp

API = f"https://127.0.0.1:{16443 + int(os.environ.get('K8S_LAB_PORTS', '0'))}"
NAMESPACES = 20
REPLICAS = 25
# Requests in flight at once: more only queue in the API server.
CONCURRENCY = 8
LABEL = "lab.quarterdeck/bulk"
STATES = ["crashloop", "imagepull", "notready", "oom"]


def deployment(number: int, replicas: int) -> tuple[str, dict]:
    namespace = f"team-{number % NAMESPACES:02d}"
    name = f"app-{number:03d}"
    # Every fiftieth is in trouble; with 5,000 pods that is four Deployments.
    state = STATES[number // 50 % len(STATES)] if number % 50 == 49 else "running"
    labels = {"app": name, LABEL: "true"}
    container = {
        "name": "main",
        "image": f"registry.example/{name}@sha256:{number:064x}",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "env": [{"name": "TEAM", "value": namespace}],
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": labels, "annotations": {"fake.k/state": state}},
            "spec": {"containers": [container], "topologySpreadConstraints": [spread]},
        },
    }
    return namespace, {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    }


class Cluster:
    def __init__(self, session: aiohttp.ClientSession):
        self.session = session
        self.slots = asyncio.Semaphore(CONCURRENCY)

    async def create(self, path: str, body: dict) -> None:
        async with self.slots, self.session.post(API + path, json=body) as response:
            if response.status not in (201, 409):
                raise SystemExit(f"pods.py: {response.status} for {path}: {(await response.text())[:300]}")

    async def existing(self) -> dict[str, int]:
        """The bulk Deployments that are there, and how many replicas each is asked for."""
        async with self.session.get(f"{API}/apis/apps/v1/deployments?labelSelector={LABEL}") as response:
            items = (await response.json())["items"]
        return {item["metadata"]["name"]: item["spec"]["replicas"] for item in items}

    async def scale(self, namespace: str, name: str, replicas: int) -> None:
        path = f"{API}/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"
        headers = {"Content-Type": "application/merge-patch+json"}
        body = json.dumps({"spec": {"replicas": replicas}})
        async with self.slots, self.session.patch(path, data=body, headers=headers) as response:
            if response.status != 200:
                raise SystemExit(f"pods.py: {response.status} scaling {name}: {(await response.text())[:300]}")

    async def observed(self) -> tuple[int, int]:
        """Pods that exist, and pods that a healthy Deployment still lacks."""
        async with self.session.get(f"{API}/apis/apps/v1/deployments?labelSelector={LABEL}") as response:
            items = (await response.json())["items"]
        made = lacking = 0
        for item in items:
            status = item.get("status", {})
            made += status.get("replicas", 0)
            annotations = item["spec"]["template"]["metadata"].get("annotations", {})
            if annotations.get("fake.k/state") == "running":
                lacking += item["spec"]["replicas"] - status.get("readyReplicas", 0)
        return made, lacking


async def fill(state: str, count: int) -> None:
    tls = ssl.create_default_context(cafile=f"{state}/pki/ca.crt")
    tls.load_cert_chain(f"{state}/pki/admin.crt", f"{state}/pki/admin.key")
    started = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        cluster = Cluster(session)
        namespaces = [f"team-{number:02d}" for number in range(NAMESPACES)]
        await asyncio.gather(
            *(
                cluster.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}})
                for n in namespaces
            )
        )
        there = await cluster.existing()
        wanted = [min(REPLICAS, count - first) for first in range(0, count, REPLICAS)]
        work = []
        for number in range(max(len(wanted), len(there))):
            replicas = wanted[number] if number < len(wanted) else 0
            namespace, body = deployment(number, replicas)
            name = body["metadata"]["name"]
            if name not in there:
                work.append(cluster.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", body))
            elif there[name] != replicas:
                work.append(cluster.scale(namespace, name, replicas))
        await asyncio.gather(*work)
        while True:
            made, lacking = await cluster.observed()
            if made == count and lacking == 0:
                break
            if time.monotonic() - started > 600:
                raise SystemExit(f"pods.py: after 600 s {made} of {count} pods exist, {lacking} are not ready")
            await asyncio.sleep(0.5)
    print(f"{count} pods after {time.monotonic() - started:.1f} s")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--state", required=True, help="the folder that holds the lab's state")
    arguments.add_argument("--count", type=int, required=True, help="pods that there shall be")
    given = arguments.parse_args()
    asyncio.run(fill(given.state, given.count))


main()
