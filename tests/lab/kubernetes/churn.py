"""Changes the lab's bulk pods so many times a second, evenly, until it is ended.

    churn.py --state FOLDER --rate 100            an annotation of one pod after the other
    churn.py --state FOLDER --rate 50 --delete    pods are deleted; their Deployments replace them
    churn.py --state FOLDER --rate 2 --stamp --pod NAMESPACE/NAME

At the end, after --seconds or on SIGTERM, it says how many changes the server took and
how many a second that was: a busy machine may not reach the rate that was asked for.

--stamp counts the restarts of one pod (made by `kubectl run NAME`) up, and prints each
number with the moments at which it was sent and answered: what watches the screen can
tell how long an event took to get there.
"""

import argparse
import asyncio
import json
import random
import signal
import ssl
import time

import aiohttp

API = "https://127.0.0.1:16443"
BULK = "labelSelector=lab.quarterdeck/bulk"
# More in flight at once than the API server admits of one user would only wait there.
CONCURRENCY = 64
ANNOTATION = "lab.quarterdeck/churn"


class Churn:
    def __init__(self, session: aiohttp.ClientSession, given: argparse.Namespace):
        self.session, self.given = session, given
        self.slots = asyncio.Semaphore(CONCURRENCY)
        self.taken = self.refused = 0
        self.pods: list[tuple[str, str]] = []

    async def look(self) -> None:
        """The bulk pods that run now; pages, since a list of all of them holds up the loop."""
        pods, more = [], ""
        while True:
            path = f"{API}/api/v1/pods?{BULK}&limit=1000" + (f"&continue={more}" if more else "")
            accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
            async with self.session.get(path, headers=accept) as response:
                page = await response.json(content_type=None)
            for item in page["items"]:
                if not item["metadata"].get("deletionTimestamp"):
                    pods.append((item["metadata"]["namespace"], item["metadata"]["name"]))
            more = page["metadata"].get("continue", "")
            if not more:
                break
        # Neighbours in the list belong together; changes are spread over all of them.
        random.Random(len(pods)).shuffle(pods)
        self.pods = pods

    async def change(self, number: int) -> None:
        namespace, name = self.pods[number % len(self.pods)]
        path = f"{API}/api/v1/namespaces/{namespace}/pods/{name}"
        async with self.slots:
            if self.given.delete:
                request = self.session.delete(f"{path}?gracePeriodSeconds=1")
            else:
                body = json.dumps({"metadata": {"annotations": {ANNOTATION: str(number)}}})
                merge = {"Content-Type": "application/merge-patch+json"}
                request = self.session.patch(path, data=body, headers=merge)
            async with request as response:
                await response.read()
                self.taken += response.status < 300
                self.refused += response.status >= 300

    async def stamp(self, number: int) -> None:
        namespace, name = self.given.pod.split("/")
        body = json.dumps({"status": {"containerStatuses": [{"name": name, "restartCount": number}]}})
        kind = {"Content-Type": "application/strategic-merge-patch+json"}
        path = f"{API}/api/v1/namespaces/{namespace}/pods/{name}/status"
        sent = time.monotonic()
        async with self.session.patch(path, data=body, headers=kind) as response:
            await response.read()
            self.taken += response.status < 300
            self.refused += response.status >= 300
        print(json.dumps({"stamp": number, "sent": sent, "answered": time.monotonic()}), flush=True)

    async def run(self, ended: asyncio.Event) -> None:
        if not self.given.stamp:
            await self.look()
        work: set[asyncio.Task] = set()
        started, number = time.monotonic(), 0
        one = self.stamp if self.given.stamp else self.change
        while not ended.is_set() and time.monotonic() - started < self.given.seconds:
            number += 1
            task = asyncio.create_task(one(number))
            work.add(task)
            task.add_done_callback(work.discard)
            # Those that were deleted are replaced under other names.
            if self.given.delete and number % (len(self.pods) // 2) == 0:
                await self.look()
            # A server that is behind is not buried under more.
            if len(work) >= 2 * CONCURRENCY:
                await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            due = started + number / self.given.rate
            try:
                await asyncio.wait_for(ended.wait(), max(0, due - time.monotonic()))
            except TimeoutError:
                pass
        seconds = time.monotonic() - started
        # What the server did not take in time is none of the rate; nobody waits for it.
        what = "deletions" if self.given.delete else "changes"
        print(f"{self.taken} {what} in {seconds:.1f} s, {self.taken / seconds:.0f} a second, {self.refused} refused", flush=True)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = arguments.add_argument
    add("--state", required=True, help="the folder that holds the lab's state")
    add("--rate", type=float, required=True, help="changes a second")
    add("--seconds", type=float, default=float("inf"), help="for how long; until it is ended by default")
    add("--delete", action="store_true", help="delete pods instead of annotating them")
    add("--stamp", action="store_true", help="count one pod's restarts up, and print when")
    add("--pod", help="the pod to be stamped, NAMESPACE/NAME")
    given = arguments.parse_args()
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    tls = ssl.create_default_context(cafile=f"{given.state}/pki/ca.crt")
    tls.load_cert_chain(f"{given.state}/pki/admin.crt", f"{given.state}/pki/admin.key")
    connector = aiohttp.TCPConnector(ssl=tls, limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector) as session:
        await Churn(session, given).run(ended)


asyncio.run(main())
