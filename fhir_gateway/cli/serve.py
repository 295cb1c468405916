"""Running the gateway: `serve` and `worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from fhir_gateway.cli.terminal import fail, plain_errors, say


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    deliver: Annotated[
        bool,
        typer.Option(
            "--worker/--no-worker", help="Also deliver requests in this process (the default)."
        ),
    ] = True,
) -> None:
    """Serve the patient pages and the FHIR API, and deliver requests to the EPRs.

    Settings come from FHIR_GATEWAY_... variables and fhir-gateway.toml; see
    `fhir-gateway settings check`. To deliver in processes of their own, run this with --no-worker
    and `fhir-gateway worker` beside it, on PostgreSQL.
    """
    import uvicorn

    from fhir_gateway import logs
    from fhir_gateway.app import build, create_app
    from fhir_gateway.delivery.deadman import DeadMansSwitch
    from fhir_gateway.settings import load

    given = {"host": host, "port": port}
    with plain_errors():
        settings = load(**{k: v for k, v in given.items() if v is not None})
        logs.configure(settings.log_format)
        check_port(settings.port, settings.host)
        gateway = build(settings)
        # Here, so that a database that cannot be used ends with a sentence.
        gateway.prepare()
        app = create_app(gateway, deliver=deliver)
        DeadMansSwitch(settings.timing.freeze).start()
    say(f"Patients reach this gateway at {settings.base_url}; the FHIR API is below /fhir/R4.")
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )


def worker() -> None:
    """Deliver accepted requests, without serving pages.

    Any number of these can run on one PostgreSQL database. One that dies is missed, and what it had
    in hand is taken over; one that was frozen too long (timing.freeze) ends itself, so run it under
    a supervisor that starts it again.
    """
    import signal
    import threading

    from fhir_gateway import logs
    from fhir_gateway.app import Worker, build
    from fhir_gateway.delivery.deadman import DeadMansSwitch
    from fhir_gateway.settings import load

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with plain_errors():
        settings = load()
        logs.configure(settings.log_format)
        gateway = build(settings)
        if gateway.database.is_sqlite:
            say("On SQLite, a worker must be on the same machine as `serve --no-worker`.")
        gateway.prepare()
        DeadMansSwitch(settings.timing.freeze).start()
        running = Worker(gateway)
        running.start()
    say(f"Delivering as {settings.worker_id}. Stop with Ctrl-C.")
    stopping.wait()
    running.stop()
    gateway.close()


def check_port(port: int, host: str) -> None:
    """End with a sentence when a port is taken."""
    import errno
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                fail(f"Port {port} is in use. Choose another with --port.")
            fail(f"{host}:{port} cannot be listened on: {error.strerror}.")
