"""The floor for "time to an active channel": the fewest steps that bring up bitcoind and a line of lnd nodes.

A yardstick with no safety at all (no TLS, no macaroons, fixed ports, loopback only); `benchmarks.lightning` compares
`cartridge up` with it in one run.

usage: python -m benchmarks.floor NODES --bitcoind "CMD" --lnd PATH [--wallets PATH] [--payments N]
  --bitcoind   command line that starts bitcoind, e.g. "/path/ld.so --library-path /path/lib /path/bitcoind"
  --wallets    path of regtest-wallet: each node's wallet is written first, with cheap key derivation
Prints one line a stage: seconds since the start, then what was reached.
"""

import argparse
import base64
import contextlib
import json
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

BITCOIN_RPC, ZMQ_BLOCK, ZMQ_TX = 18555, 28332, 28333
REST, GRPC, P2P = 9100, 9300, 9500  # each plus the node's index


def call(url, body=None, headers=None, timeout=60):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read().splitlines()[-1])


def bitcoin(method, *params, wallet=""):
    auth = {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}
    body = {"method": method, "params": list(params), "id": 1}
    return call(f"http://127.0.0.1:{BITCOIN_RPC}/{wallet}", body, auth)["result"]


def lnd(node, path, body=None):
    return call(f"http://127.0.0.1:{REST + node}{path}", body)


def until(condition, timeout=120):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, KeyError, ValueError):
            if value := condition():
                return value
        time.sleep(0.02)
    raise TimeoutError(condition)


def start_bitcoind(command, folder, processes):
    folder.mkdir()
    options = f"-regtest -datadir={folder} -server -rpcuser=u -rpcpassword=p -rpcport={BITCOIN_RPC} -listen=0 -fallbackfee=0.0002 "
    options += f"-zmqpubrawblock=tcp://127.0.0.1:{ZMQ_BLOCK} -zmqpubrawtx=tcp://127.0.0.1:{ZMQ_TX} -rpcthreads=16 -rpcworkqueue=128"
    processes.append(subprocess.Popen(shlex.split(command) + options.split(), stdout=subprocess.DEVNULL))
    until(lambda: bitcoin("getblockchaininfo"))


def write_wallets(program, folders):
    """Write every node's wallet; it believes that the chain up to its tip does not concern it."""
    tip = bitcoin("getblockheader", bitcoin("getbestblockhash"))
    about = {"macaroon_root_key": "00" * 32, "addresses": 0, "hosts": [], "ips": ["127.0.0.1"]}
    nodes = [{"name": folder.name, "seed": f"{index + 1:064x}", **about} for index, folder in enumerate(folders)]
    known = {"height": tip["height"], "hash": tip["hash"], "time": tip["time"]}
    said = "\n".join(json.dumps(line) for line in ({"nodes": nodes}, {"synced_to": known}))
    answer = subprocess.run([program], input=said, capture_output=True, text=True, check=True).stdout
    for folder, node in zip(folders, json.loads(answer.splitlines()[1])["nodes"], strict=True):
        for path, content in node["files"].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(base64.b64decode(content))


def start_lnd(binary, folder, node, processes):
    folder.mkdir(exist_ok=True)
    options = f"""--lnddir={folder} --bitcoin.regtest --bitcoin.node=bitcoind --bitcoind.rpchost=127.0.0.1:{BITCOIN_RPC}
        --bitcoind.rpcuser=u --bitcoind.rpcpass=p --bitcoind.zmqpubrawblock=tcp://127.0.0.1:{ZMQ_BLOCK}
        --bitcoind.zmqpubrawtx=tcp://127.0.0.1:{ZMQ_TX} --noseedbackup --no-macaroons --no-rest-tls --nobootstrap
        --restlisten=127.0.0.1:{REST + node} --rpclisten=127.0.0.1:{GRPC + node} --listen=127.0.0.1:{P2P + node}
        --trickledelay=50 --gossip.sub-batch-delay=5ms --caches.rpc-graph-cache-duration=100ms --db.batch-commit-interval=10ms
        --bitcoin.defaultchanconfs=1 --gossip.announcement-conf=3 --maxpendingchannels=64 --accept-keysend --debuglevel=error"""
    with (folder / "log").open("w") as log:
        processes.append(subprocess.Popen([binary, *options.split()], stdout=log, stderr=log))


def main():  # noqa: PLR0915 - one stage after another, as it runs
    parser = argparse.ArgumentParser()
    parser.add_argument("nodes", type=int)
    parser.add_argument("--bitcoind", required=True)
    parser.add_argument("--lnd", required=True)
    parser.add_argument("--wallets")
    parser.add_argument("--payments", type=int, default=0)
    options = parser.parse_args()
    nodes, last = range(options.nodes), options.nodes - 1
    folder, processes, began = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm")), [], time.monotonic()

    def reached(stage):
        print(f"{time.monotonic() - began:7.2f} {stage}", flush=True)

    def everywhere(step, over=nodes):
        return list(pool.map(step, over))

    def pay(amount):
        invoice = lnd(last, "/v1/invoices", {"value": str(amount)})["payment_request"]
        order = {
            "payment_request": invoice,
            "timeout_seconds": 30,
            "no_inflight_updates": True,
            "fee_limit_sat": 100000,
        }
        return lnd(0, "/v2/router/send", order)["result"]["status"] == "SUCCEEDED"

    with ThreadPoolExecutor(64) as pool, contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(lambda: [p.wait() for p in processes])
        stack.callback(lambda: [p.terminate() for p in processes])
        start_bitcoind(options.bitcoind, folder / "bitcoind", processes)
        bitcoin("createwallet", "miner")
        address = bitcoin("getnewaddress", "", "bech32", wallet="wallet/miner")
        bitcoin("generatetoaddress", 101, address)
        reached("bitcoind with 101 blocks")

        folders = [folder / f"lnd{node}" for node in nodes]
        if options.wallets:
            write_wallets(options.wallets, folders)
        for node in nodes:
            start_lnd(options.lnd, folders[node], node, processes)
        everywhere(lambda n: until(lambda: lnd(n, "/v1/state")["state"] == "SERVER_ACTIVE"))
        reached(f"{options.nodes} lnd active")

        keys = everywhere(lambda n: lnd(n, "/v1/getinfo")["identity_pubkey"])
        wallets = everywhere(lambda n: lnd(n, "/v1/newaddress?type=TAPROOT_PUBKEY")["address"])
        bitcoin("sendmany", "", dict.fromkeys(wallets, 1), wallet="wallet/miner")
        bitcoin("generatetoaddress", 1, address)
        everywhere(
            lambda n: lnd(n, "/v1/peers", {"addr": {"pubkey": keys[n + 1], "host": f"127.0.0.1:{P2P + n + 1}"}}),
            nodes[:-1],
        )
        everywhere(
            lambda n: until(
                lambda: (
                    int(lnd(n, "/v1/balance/blockchain")["confirmed_balance"])
                    and lnd(n, "/v1/getinfo")["synced_to_chain"]
                )
            )
        )
        reached("wallets funded")

        open_channel = {"local_funding_amount": "10000000", "push_sat": "5000000"}
        everywhere(
            lambda n: until(lambda: lnd(n, "/v1/channels", {"node_pubkey_string": keys[n + 1], **open_channel})),
            nodes[:-1],
        )
        until(lambda: len(bitcoin("getrawmempool")) >= last)
        bitcoin("generatetoaddress", 1, address)
        everywhere(
            lambda n: until(lambda: len(lnd(n, "/v1/channels?active_only=true")["channels"]) == (n > 0) + (n < last))
        )
        reached("channels active")

        bitcoin("generatetoaddress", 5, address)
        both = lambda edge: edge["node1_policy"] and edge["node2_policy"]  # noqa: E731
        everywhere(lambda n: until(lambda: sum(1 for edge in lnd(n, "/v1/graph")["edges"] if both(edge)) == last))
        reached("every node knows every channel, both policies")
        reached("first payment end to end" if pay(1000) else "first payment FAILED")
        if options.payments:
            start = time.monotonic()
            paid = sum(pool.map(lambda _: pay(10), range(options.payments)))
            reached(f"{paid}/{options.payments} payments, {paid / (time.monotonic() - start):.0f}/s")
    reached("down")


if __name__ == "__main__":
    main()
