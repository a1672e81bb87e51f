#!/usr/bin/env python3
"""A fake kubelet for all nodes: registers nodes, renews their leases, marks scheduled pods
Running/Ready with a podIP, and finalizes deletions. Talks to the real apiserver on loopback.

Pod behaviour can be set per pod (template) with annotations:
  fake.k/state: running (default) | crashloop | imagepull | oom | notready | pending | succeed | fail
  fake.k/ready-after: seconds before Ready (default 0.2)
  fake.k/stop-after:  seconds from deletion to gone (default 0.2; capped by the grace period)
A node named in $K8S_LAB/down-nodes (one per line) stops heartbeating (goes NotReady after ~40-50 s).
Also serves /containerLogs on 127.0.0.1:10250 (TLS) so that `kubectl logs [-f]` works end to end.
"""

import argparse, asyncio, json, random, ssl, time, os, sys, datetime
import aiohttp
from aiohttp import web

API = "https://127.0.0.1:16443"
ap = argparse.ArgumentParser()
ap.add_argument("--state", required=True)
ap.add_argument("--nodes", type=int, default=30)
ap.add_argument("--workers", type=int, default=16)
ap.add_argument("--zones", type=int, default=3)
ap.add_argument("--kubelet-port", type=int, default=10250)
ap.add_argument("--lines-per-s", type=float, default=1.0)
A = ap.parse_args()
B = A.state
ctx = ssl.create_default_context(cafile=f"{B}/pki/ca.crt")
ctx.load_cert_chain(f"{B}/pki/admin.crt", f"{B}/pki/admin.key")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def nowu():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


nodes = [f"node-{i:02d}" for i in range(A.nodes)]
nidx = {n: i for i, n in enumerate(nodes)}
ipc = {}


def podip(node):
    i = nidx.get(node, 250)
    c = ipc.get(i, 1) + 1
    if c > 65000:
        c = 2
    ipc[i] = c
    return f"10.{100 + i // 256}.{(i * 4 + c // 250) % 256}.{c % 250 + 2}"


S = None


async def req(method, path, body=None, ctype="application/json", ok404=True):
    for t in range(6):
        try:
            async with S.request(
                method, API + path, data=None if body is None else json.dumps(body), headers={"Content-Type": ctype}
            ) as r:
                txt = await r.text()
                if r.status in (429, 500, 503):
                    await asyncio.sleep(0.2 * (t + 1))
                    continue
                return r.status, (json.loads(txt) if txt.startswith("{") else txt)
        except aiohttp.ClientError:
            await asyncio.sleep(0.3 * (t + 1))
    return 0, None


def node_conditions(ready=True):
    t = now()
    return [
        {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory", "lastHeartbeatTime": t},
        {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure", "lastHeartbeatTime": t},
        {"type": "PIDPressure", "status": "False", "reason": "KubeletHasSufficientPID", "lastHeartbeatTime": t},
        {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "fake kubelet is posting ready status",
            "lastHeartbeatTime": t,
        },
    ]


def node_status(i):
    res = {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "400Gi", "pods": "400"}
    return {
        "capacity": res,
        "allocatable": res,
        "conditions": node_conditions(),
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": nodes[i]}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": A.kubelet_port}},
        "nodeInfo": {
            "machineID": f"{i:032x}",
            "systemUUID": f"{i:032x}",
            "bootID": f"{i:032x}",
            "kernelVersion": "6.1.0-fake",
            "osImage": "Debian GNU/Linux 12 (fake)",
            "containerRuntimeVersion": "fake://1.0",
            "kubeletVersion": "v1.36.2",
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }


def down():
    try:
        return set(open(f"{B}/down-nodes").read().split())
    except OSError:
        return set()


async def lease(n, create=False):
    sp = {"holderIdentity": n, "leaseDurationSeconds": 40, "renewTime": nowu()}
    if create:
        st, _ = await req(
            "POST",
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": n}, "spec": sp},
        )
        if st != 409:
            return
    await req(
        "PATCH",
        f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{n}",
        {"spec": sp},
        "application/merge-patch+json",
    )


async def mknode(n):
    i = nidx[n]
    await req(
        "POST",
        "/api/v1/nodes",
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": n,
                "labels": {
                    "kubernetes.io/hostname": n,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                    "topology.kubernetes.io/region": "lab-1",
                    "topology.kubernetes.io/zone": f"lab-1{'abcdefgh'[i % A.zones]}",
                    "node.kubernetes.io/instance-type": "fake.8xlarge",
                    "node-role.kubernetes.io/" + ("control-plane" if i == 0 else "worker"): "",
                },
            },
        },
    )
    await lease(n, True)
    await req(
        "PATCH", f"/api/v1/nodes/{n}/status", {"status": node_status(i)}, "application/strategic-merge-patch+json"
    )


async def heartbeats():
    k = 0
    while True:
        d = down()
        k += 1
        for n in nodes:
            if n in d:
                continue
            await lease(n)
            if k % 30 == 0:  # every ~5 min like a real kubelet
                await req(
                    "PATCH",
                    f"/api/v1/nodes/{n}/status",
                    {"status": {"conditions": node_conditions()}},
                    "application/strategic-merge-patch+json",
                )
            elif n in was_down:
                await req(
                    "PATCH",
                    f"/api/v1/nodes/{n}/status",
                    {"status": {"conditions": node_conditions()}},
                    "application/strategic-merge-patch+json",
                )
            await asyncio.sleep(10 / max(1, len(nodes)))
        was_down.clear()
        was_down.update(d)
        if not nodes or len(d) == len(nodes):
            await asyncio.sleep(10)


was_down = set()

started = {}
stopping = set()
stats = {"run": 0, "del": 0}


def ann(p, k, d):
    return (p["metadata"].get("annotations") or {}).get("fake.k/" + k, d)


def cond(t, ok, reason=None):
    c = {"type": t, "status": "True" if ok else "False", "lastTransitionTime": now(), "lastProbeTime": None}
    if reason:
        c["reason"] = reason
    return c


def cstat(p, kind, state):
    out = []
    for c in p["spec"].get(kind, []):
        out.append(
            {
                "name": c["name"],
                "image": c["image"],
                "imageID": "fake://" + c["image"],
                "containerID": f"fake://{p['metadata']['uid']}-{c['name']}",
                **state,
            }
        )
    return out


async def run_pod(p):
    m = p["metadata"]
    uid = m["uid"]
    path = f"/api/v1/namespaces/{m['namespace']}/pods/{m['name']}/status"
    state = ann(p, "state", "running")
    ra = float(ann(p, "ready-after", "0.2"))
    if state == "pending":
        return
    t0 = now()
    ip = podip(p["spec"]["nodeName"])
    base = {
        "phase": "Running",
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": t0,
    }

    def st(ready, phase="Running", state=None, **kw):
        s = dict(base)
        s["phase"] = phase
        s["conditions"] = [
            cond("PodReadyToStartContainers", True),
            cond("Initialized", True),
            cond("Ready", ready, None if ready else "ContainersNotReady"),
            cond("ContainersReady", ready, None if ready else "ContainersNotReady"),
            cond("PodScheduled", True),
        ]
        d = {"ready": ready, "started": ready, "restartCount": 0, "state": state or {"running": {"startedAt": t0}}}
        d.update(kw)
        s["containerStatuses"] = cstat(p, "containers", d)
        if p["spec"].get("initContainers"):
            s["initContainerStatuses"] = cstat(
                p,
                "initContainers",
                {
                    "ready": True,
                    "restartCount": 0,
                    "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": t0, "finishedAt": t0}},
                },
            )
        return {"metadata": {"uid": uid}, "status": s}

    async def put(b):
        return await req("PATCH", path, b, "application/strategic-merge-patch+json")

    if ra > 1:
        await put(st(False, "Pending", {"waiting": {"reason": "ContainerCreating"}}))
    await asyncio.sleep(ra)
    if uid in stopping:
        return
    if state == "running":
        await put(st(True))
        stats["run"] += 1
    elif state == "notready":
        await put(st(False))
    elif state == "imagepull":
        await put(st(False, "Pending", {"waiting": {"reason": "ErrImagePull", "message": "failed to pull: not found"}}))
        await asyncio.sleep(5)
        await put(
            st(False, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}})
        )
        await event(p, "Warning", "Failed", f'Failed to pull image "{p["spec"]["containers"][0]["image"]}": not found')
    elif state in ("crashloop", "oom"):
        n = 0
        rs, ec = ("OOMKilled", 137) if state == "oom" else ("Error", 1)
        while uid in started and uid not in stopping and n < 1000:
            s, _ = await put(st(True, restartCount=n))
            if s == 404:
                return
            await asyncio.sleep(3)
            n += 1
            t1 = now()
            last = {"terminated": {"exitCode": ec, "reason": rs, "startedAt": t1, "finishedAt": t1}}
            await put(
                st(
                    False,
                    state={
                        "waiting": {
                            "reason": "CrashLoopBackOff",
                            "message": f"back-off {min(300, 10 * 2 ** min(n, 5))}s restarting failed container",
                        }
                    },
                    restartCount=n,
                    lastState=last,
                )
            )
            await event(p, "Warning", "BackOff", f"Back-off restarting failed container in pod {m['name']}")
            await asyncio.sleep(min(60, 5 * 2 ** min(n, 4)))
    elif state in ("succeed", "fail"):
        await put(st(True))
        await asyncio.sleep(float(ann(p, "run-for", "2")))
        ok = state == "succeed"
        t1 = now()
        await put(
            st(
                False,
                "Succeeded" if ok else "Failed",
                {
                    "terminated": {
                        "exitCode": 0 if ok else 1,
                        "reason": "Completed" if ok else "Error",
                        "startedAt": t0,
                        "finishedAt": t1,
                    }
                },
            )
        )


async def event(p, typ, reason, msg):
    m = p["metadata"]
    t = now()
    await req(
        "POST",
        f"/api/v1/namespaces/{m['namespace']}/events",
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": m["name"][:50] + ".", "namespace": m["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": m["name"],
                "namespace": m["namespace"],
                "uid": m["uid"],
            },
            "type": typ,
            "reason": reason,
            "message": msg,
            "firstTimestamp": t,
            "lastTimestamp": t,
            "count": 1,
            "source": {"component": "kubelet", "host": p["spec"].get("nodeName", "")},
        },
    )


async def stop_pod(p):
    m = p["metadata"]
    await asyncio.sleep(min(float(ann(p, "stop-after", "0.2")), float(m.get("deletionGracePeriodSeconds") or 0)))
    await req(
        "DELETE",
        f"/api/v1/namespaces/{m['namespace']}/pods/{m['name']}",
        {"gracePeriodSeconds": 0, "preconditions": {"uid": m["uid"]}},
    )
    stats["del"] += 1


sem = None


async def guarded(co):
    async with sem:
        try:
            await co
        except Exception as e:
            print("task", repr(e), flush=True)


def handle(typ, p):
    uid = p["metadata"]["uid"]
    if typ == "DELETED":
        started.pop(uid, None)
        stopping.discard(uid)
        return
    if not p["spec"].get("nodeName") or p["spec"]["nodeName"] not in nidx:
        return
    if p["spec"]["nodeName"] in DOWN:
        return
    if p["metadata"].get("deletionTimestamp"):
        if uid not in stopping:
            stopping.add(uid)
            asyncio.ensure_future(guarded(stop_pod(p)))
    elif uid not in started:
        started[uid] = 1
        long = (
            ann(p, "state", "running") in ("crashloop", "oom", "imagepull", "succeed", "fail")
            or float(ann(p, "ready-after", "0.2")) > 1
        )
        if p.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            return
        if (
            p.get("status", {}).get("phase") == "Running"
            and ann(p, "state", "running") == "running"
            and any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))
        ):
            return
        asyncio.ensure_future(run_pod(p) if long else guarded(run_pod(p)))


DOWN = set()


async def downwatch():
    DOWN.update(down())
    while True:
        await asyncio.sleep(1)
        d = down()
        back = DOWN - d
        DOWN.clear()
        DOWN.update(d)
        for n in back:  # a node came back: act on what happened while it was away
            st, l = await req("GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{n}")
            for p in (l or {}).get("items", []):
                handle("ADDED", p)


async def pods():
    while True:
        try:
            rv = ""
            cont = ""
            n = 0
            while True:
                st, l = await req(
                    "GET",
                    f"/api/v1/pods?limit=1000&fieldSelector=spec.nodeName!%3D" + (f"&continue={cont}" if cont else ""),
                )
                for p in l["items"]:
                    handle("ADDED", p)
                    n += 1
                rv = l["metadata"]["resourceVersion"]
                cont = l["metadata"].get("continue")
                if not cont:
                    break
            print(f"listed {n} pods rv={rv}", flush=True)
            while True:
                async with S.get(
                    f"{API}/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion={rv}&timeoutSeconds=240&fieldSelector=spec.nodeName!%3D",
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as r:
                    buf = b""
                    if r.status != 200:
                        raise RuntimeError(f"watch {r.status}")
                    async for chunk in r.content.iter_any():
                        buf += chunk
                        *lines, buf = buf.split(b"\n")
                        for ln in lines:
                            ev = json.loads(ln)
                            if ev["type"] == "ERROR":
                                raise RuntimeError(str(ev)[:200])
                            rv = ev["object"]["metadata"]["resourceVersion"]
                            if ev["type"] != "BOOKMARK":
                                handle(ev["type"], ev["object"])
        except Exception as e:
            print("pods loop", repr(e)[:300], flush=True)
            await asyncio.sleep(1)


# --- kubelet HTTP: logs ---
BOOT = time.time()


def line(ns, pod, c, i):
    t = datetime.datetime.fromtimestamp(BOOT + i / A.lines_per_s, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S.%f000Z"
    )
    lvl = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "INFO", "INFO", "ERROR")[(i * 7 + len(pod)) % 8]
    return (
        t,
        f"{lvl} {ns}/{pod}/{c} seq={i} handled request path=/api/v1/items/{i * 37 % 9973} status={(200, 200, 201, 404, 200, 500)[i % 6]} dur={(i * 13) % 250}ms",
    )


async def logs(rq):
    ns, pod, c = rq.match_info["ns"], rq.match_info["pod"], rq.match_info["c"]
    q = rq.query
    ts = q.get("timestamps") == "true"
    follow = q.get("follow") == "true"
    cur = int((time.time() - BOOT) * A.lines_per_s)
    tail = int(q["tailLines"]) if q.get("tailLines") else None
    lo = -1000 if tail is None else cur - tail + 1
    if q.get("sinceSeconds"):
        lo = max(lo, cur - int(float(q["sinceSeconds"]) * A.lines_per_s))
    r = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await r.prepare(rq)
    fmt = lambda i: ((line(ns, pod, c, i)[0] + " ") if ts else "") + line(ns, pod, c, i)[1] + "\n"
    await r.write("".join(fmt(i) for i in range(lo, cur + 1)).encode())
    try:
        while follow:
            await asyncio.sleep(1 / A.lines_per_s)
            cur += 1
            await r.write(fmt(cur).encode())
    except (ConnectionError, aiohttp.ClientError):
        pass
    return r


async def main():
    global S, sem
    sem = asyncio.Semaphore(A.workers)
    S = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ctx, limit=A.workers + 8))
    app = web.Application()
    app.router.add_get("/containerLogs/{ns}/{pod}/{c}", logs)
    kctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    kctx.load_cert_chain(f"{B}/pki/kubelet-serving.crt", f"{B}/pki/kubelet-serving.key")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", A.kubelet_port, ssl_context=kctx).start()
    await asyncio.gather(*(mknode(n) for n in nodes))
    print(f"{len(nodes)} nodes registered", flush=True)
    await asyncio.gather(heartbeats(), pods(), downwatch())


asyncio.run(main())
