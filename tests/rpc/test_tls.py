"""A server with a certificate: who trusts it is answered, and a renewed one is shown without a restart."""

import logging
import os

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc

import burgee
from burgee_server.cli.target import in_words
from burgee_server.errors import BurgeeError
from burgee_server.rpc import certificate
from burgee_server.rpc.certificate import Certificate
from burgee_server.rpc.server import RpcServer
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import Transport
from tests.fixtures.server import TRANSPORT

pytestmark = pytest.mark.skipif(TRANSPORT == "native", reason="the native transport has no TLS")


@pytest.fixture
def files(tmp_path):
    """Where the certificate and its key are."""
    return tmp_path / "tls.crt", tmp_path / "tls.key"


@pytest.fixture
def authority(files):
    """Somebody who signs, and has signed what is in the files."""
    authority = trustme.CA()
    put(authority, files)
    return authority


@pytest.fixture
async def secure(server, files, authority):
    """Where the session's server is served once more, with the certificate."""
    house, transport = server.house, Transport(certificate=Certificate(*files))
    rpc = RpcServer(house.servicers, house.gate, OpenStreams(), house.limits, house.calls, transport)
    port = await rpc.start("127.0.0.1:0")
    await rpc.ready()
    yield f"localhost:{port}"
    await rpc.stop(0)


def put(authority, files):
    """Write a new certificate and its key, first the one and then the other."""
    issued = authority.issue_cert("localhost")
    texts = b"".join(each.bytes() for each in issued.cert_chain_pems), issued.private_key_pem.bytes()
    for path, text in zip(files, texts, strict=True):
        path.with_suffix(".new").write_bytes(text)
        os.replace(path.with_suffix(".new"), path)


async def asked(target, trusted):
    """The health of a server, on a connection of its own."""
    credentials = grpc.ssl_channel_credentials(trusted.cert_pem.bytes())
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(target, credentials, options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return (await stub.Check(health_pb2.HealthCheckRequest(), timeout=20)).status


async def test_a_client_that_trusts_the_certificate_is_answered_and_no_other(secure, admin, authority):
    """By https:// and by tls=True; not in plain text, and not by who trusts somebody else."""
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    for target in (secure, f"https://{secure}"):
        async with burgee.AsyncClient(target, admin.secret, tls=True, credentials=credentials) as client:
            assert (await client.resolve("none")).error_code is burgee.ErrorCode.FLAG_NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as untrusted:
        await asked(secure, trustme.CA())
    async with grpc.aio.insecure_channel(secure) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as plain:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
    told = [in_words(secure, each.value.code(), each.value.details()) for each in (untrusted, plain)]
    assert "nobody who is trusted here has signed its certificate" in told[0]
    assert "if it has a certificate, write https://" in told[1]


async def test_a_renewed_certificate_is_shown_to_who_connects_next(secure, files, authority):
    """By another authority, so that it can be told from the one before, which nobody is shown any more."""
    assert await asked(secure, authority)
    another = trustme.CA()
    put(another, files)
    assert await asked(secure, another)
    with pytest.raises(grpc.aio.AioRpcError):
        await asked(secure, authority)


async def test_a_certificate_that_is_half_renewed_is_not_shown(secure, files, authority, caplog):
    """While the key is not there yet, and while it is no key, connections are shown the one from before."""
    before = files[1].read_bytes()
    put(authority, files)
    for key in (before, b"no key", None):
        files[1].write_bytes(key) if key is not None else files[1].unlink()
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            assert await asked(secure, authority)
        assert "connections are shown the one from before" in caplog.text
    put(authority, files)
    caplog.clear()
    assert await asked(secure, authority)
    assert not caplog.records


async def test_a_key_that_can_be_read_only_later_is_shown_from_then_on(secure, files, authority, caplog, monkeypatch):
    """As one that is given to the server's user after it was written; meanwhile it is told once, not each time."""
    another = trustme.CA()
    with monkeypatch.context() as unreadable:
        unreadable.setattr(certificate, "server_side", refuse)
        put(another, files)
        for _ in range(3):
            assert await asked(secure, authority)
    assert caplog.text.count("connections are shown the one from before") == 1
    assert await asked(secure, another)


def refuse(chain, key):
    """As for a file that may not be read."""
    raise BurgeeError(f"{key} cannot be read")


@pytest.mark.parametrize("key", ["another's", "missing", "with a password"])
def test_a_server_does_not_start_with_half_of_a_certificate(files, authority, key):
    """It says which files, and what is wrong with them; nobody is asked for a password on a terminal."""
    if key == "another's":
        files[1].write_bytes(authority.issue_cert("localhost").private_key_pem.bytes())
    elif key == "missing":
        files[1].unlink()
    else:
        files[1].write_bytes(with_password(files[1].read_bytes()))
    with pytest.raises(BurgeeError, match=r"tls\.crt and .*tls\.key: .*(cannot be read|belong together)"):
        Certificate(*files)


def with_password(key):
    """The same key, locked."""
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hush"),
    )
