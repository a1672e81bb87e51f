"""Copies the lab's bulk pods to the spare API server (spare.sh up), until it holds so many.

    copies.py --state FOLDER --count 10000

The copies are whole, with their status, and stay as they are: nothing runs there. So a
cluster of any size can be listed while others use the lab. Prints a kubeconfig for it.
"""

import argparse
import asyncio
import os
import pathlib
import ssl
import time

import aiohttp

API = "https://127.0.0.1:16443"
PORT = os.environ.get("SPARE_PORT", "16543")
SPARE = f"https://127.0.0.1:{PORT}"
BULK = "labelSelector=lab.quarterdeck/bulk"
# Requests in flight at once: more only queue in the API server.
CONCURRENCY = 32
# What a server gives each object itself.
OWN = ("uid", "resourceVersion", "creationTimestamp", "generation", "selfLink", "managedFields")


async def originals(session: aiohttp.ClientSession) -> list[dict]:
    pods, more = [], ""
    while True:
        path = f"{API}/api/v1/pods?{BULK}&limit=500" + (f"&continue={more}" if more else "")
        async with session.get(path) as response:
            page = await response.json()
        pods += [pod for pod in page["items"] if not pod["metadata"].get("deletionTimestamp")]
        more = page["metadata"].get("continue", "")
        if not more:
            return pods


async def copy(session: aiohttp.ClientSession, slots: asyncio.Semaphore, pod: dict, number: int) -> None:
    metadata = {key: value for key, value in pod["metadata"].items() if key not in OWN}
    metadata["name"] += f"-{number}" if number else ""
    # Without service accounts there is no token to mount.
    spec = {key: value for key, value in pod["spec"].items() if key not in ("volumes", "serviceAccount", "serviceAccountName")}
    spec["automountServiceAccountToken"] = False
    for container in spec["containers"]:
        container.pop("volumeMounts", None)
    path = f"{SPARE}/api/v1/namespaces/{metadata['namespace']}/pods"
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    async with slots:
        async with session.post(path, json=body) as response:
            if response.status == 409:
                return
            if response.status != 201:
                raise SystemExit(f"copies.py: {response.status}: {(await response.text())[:300]}")
        merge = {"Content-Type": "application/merge-patch+json"}
        path = f"{path}/{metadata['name']}/status"
        async with session.patch(path, json={"status": pod["status"]}, headers=merge) as response:
            if response.status != 200:
                raise SystemExit(f"copies.py: {response.status}: {(await response.text())[:300]}")


async def fill(state: pathlib.Path, count: int) -> None:
    tls = ssl.create_default_context(cafile=state / "pki/ca.crt")
    tls.load_cert_chain(state / "pki/admin.crt", state / "pki/admin.key")
    started, slots = time.monotonic(), asyncio.Semaphore(CONCURRENCY)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=CONCURRENCY)) as session:
        pods = await originals(session)
        for namespace in {pod["metadata"]["namespace"] for pod in pods}:
            await session.post(f"{SPARE}/api/v1/namespaces", json={"metadata": {"name": namespace}})
        work = (copy(session, slots, pods[number % len(pods)], number // len(pods)) for number in range(count))
        await asyncio.gather(*work)
    kubeconfig = state / f"spare-{PORT}/kubeconfig"
    kubeconfig.write_text((state / "kubeconfig").read_text().replace(API, SPARE))
    kubeconfig.chmod(0o600)
    print(f"{count} pods after {time.monotonic() - started:.1f} s: {kubeconfig}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--state", required=True, type=pathlib.Path, help="the folder that holds the lab's state")
    arguments.add_argument("--count", required=True, type=int, help="pods that there shall be")
    given = arguments.parse_args()
    asyncio.run(fill(given.state, given.count))


main()
