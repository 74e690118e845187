"""`connect`: what each kind of client needs to reach a component. Secrets only where asked for."""

from __future__ import annotations

import base64
import urllib.parse
from pathlib import Path

from cartridge.operations.access import credentials, secrets
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.access.selection import component as known
from cartridge.operations.results.reports import ConnectResult
from cartridge.plan.state import ComponentRecord

HIDDEN = "<hidden; --reveal shows it>"


def connect(context: Context, *, component: str, reveal: bool = False) -> ConnectResult:
    """Return environment, URIs, files and command lines for one component.

    Args:
        context: of this run.
        component: which.
        reveal: put passwords and macaroons into the answer instead of a word that they are hidden.

    Raises:
        MissingError: no such stack or component.
    """
    state = chosen(context)
    record = state.components[known(state, component)]
    folder = context.folder(state.stack)
    match record.kind:
        case "lnd":
            return _lnd(component, record, folder, reveal=reveal)
        case "ldk":
            return _ldk(component, record, folder, reveal=reveal)
        case "bitcoind":
            return _bitcoind(component, record, folder, reveal=reveal)
        case _:
            addresses = {name: f"127.0.0.1:{port}" for name, port in record.ports.items()}
            prefix = component.upper().replace("-", "_")
            environment = {f"{prefix}_{name.upper()}": address for name, address in addresses.items()}
            return ConnectResult(component, environment, addresses, {})


def _lnd(component: str, record: ComponentRecord, folder: Path, *, reveal: bool) -> ConnectResult:
    held = credentials.of(folder, component)
    rest, grpc = (f"127.0.0.1:{record.ports[name]}" for name in ("rest", "grpc"))
    macaroon = _base64url(held.admin_macaroon.read_bytes()) if reveal else HIDDEN
    query = f"cert={_certificate(held.tls_cert)}&macaroon={macaroon if reveal else urllib.parse.quote(HIDDEN)}"
    environment = {
        "LND_GRPC": grpc,
        "LND_REST": f"https://{rest}",
        "LND_TLS_CERT": str(held.tls_cert),
        "LND_MACAROON": str(held.admin_macaroon),
    }
    cli = f"lncli --rpcserver={grpc} --tlscertpath={held.tls_cert} --macaroonpath={held.admin_macaroon}"
    return ConnectResult(
        component,
        environment,
        {
            "lndconnect": f"lndconnect://{grpc}?{query}",
            "lndconnect_rest": f"lndconnect://{rest}?{query}",
            **({"p2p": f"{held.identity}@127.0.0.1:{record.ports['p2p']}"} if "p2p" in record.ports else {}),
        },
        {"tls_cert": str(held.tls_cert), "admin_macaroon": str(held.admin_macaroon)},
        (f"{cli} --network=regtest getinfo", f"cartridge exec {component} -- lncli getinfo"),
    )


def _ldk(component: str, record: ComponentRecord, folder: Path, *, reveal: bool) -> ConnectResult:
    api, identity = f"http://127.0.0.1:{record.ports['api']}", credentials.read(folder, component, credentials.IDENTITY)
    token = credentials.place(folder, component, credentials.TOKEN)
    word = credentials.read(folder, component, credentials.TOKEN).decode() if reveal else HIDDEN
    p2p = {"p2p": f"{identity.decode()}@127.0.0.1:{record.ports['p2p']}"} if "p2p" in record.ports else {}
    return ConnectResult(
        component,
        {"LDK_API": api, "LDK_TOKEN": word, "LDK_TOKEN_FILE": str(token)},
        {"api": api, **p2p},
        {"token": str(token)},
        (f"sed 's/.*/oauth2-bearer = \"&\"/' {token} | curl --config - --data '' {api}/v1/info",),
    )


def _bitcoind(component: str, record: ComponentRecord, folder: Path, *, reveal: bool) -> ConnectResult:
    rpc = f"127.0.0.1:{record.ports['rpc']}"
    password = secrets.ensure(folder)["rpc_password"] if reveal else HIDDEN
    user = secrets.RPC_USER
    return ConnectResult(
        component,
        {"BITCOIN_RPC": f"http://{rpc}", "BITCOIN_RPC_USER": user, "BITCOIN_RPC_PASSWORD": password},
        {"rpc": f"http://{user}:{password if reveal else '***'}@{rpc}"},
        {},
        (f"cartridge exec {component} -- bitcoin-cli getblockchaininfo",),
    )


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _certificate(path: Path) -> str:
    lines = path.read_text(encoding="ascii").splitlines()
    body = "".join(line for line in lines if not line.startswith("-----"))
    return body.replace("+", "-").replace("/", "_").rstrip("=")
