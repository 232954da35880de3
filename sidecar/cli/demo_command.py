"""`demo`: the page, served by the daemon's own WebSocket, on the sample project or on another.

The token never stands on a command line, where every user of the machine could read it: the
browser is given a file that only its owner can read and that leads on to the page.
"""

import argparse
import html
import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.cli import streams
from sidecar.cli.folders import own_history_file, project_folder
from sidecar.errors import UsageError

if TYPE_CHECKING:
    from sidecar.rpc.websocket import Endpoint

_LEAD_ON = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>Workflow sidecar</title>
<p><a href="{url}">The demo of workflow-sidecar</a></p>
"""


def run(options: argparse.Namespace) -> int:
    """Serve the demo until Ctrl-C; the exit status. Raises UsageError."""
    from sidecar.cli.demo_files import Door, data_folder, demo_folder, page_files, sample_copy
    from sidecar.daemon import DaemonOptions, serve
    from sidecar.logs import set_up_logging
    from sidecar.rpc.websocket import WebSocketOptions

    demo = demo_folder()
    if options.project:
        project = project_folder(options)
        data = _data_folder_if_any()
    else:
        data = data_folder()
        project = sample_copy(demo, data)
    door = Door(data)
    port = _free(door.port) if options.port is None else options.port
    set_up_logging("error", project=project)
    # That a step failed, the page shows; in the terminal it would hide the page's address.
    logging.getLogger("sidecar.engine.step_execution").setLevel(logging.CRITICAL)

    def announce(endpoint: "Endpoint") -> str:
        url = f"http://{endpoint.address}/?token={endpoint.token}"
        door.keep(endpoint.port)
        streams.tell(f"workflow-sidecar: serving {project}; Ctrl-C ends it")
        if not options.no_browser:
            # It may take its time, and whatever it prints goes to stderr.
            threading.Thread(target=_open, args=(url, data), daemon=True).start()
        return url

    return serve(
        DaemonOptions(
            project=project,
            history=own_history_file(project),
            stdio=False,
            websocket=WebSocketOptions(port=port, pages=page_files(demo), token=door.token),
            # Started in the background it has no stdin to speak of; Ctrl-C and signals end it.
            ends_with_stdin=False,
        ),
        announce,
    )


def _data_folder_if_any() -> Path | None:
    """A project of the user's can be shown without one; only the next demo is not found then."""
    from sidecar.cli.demo_files import data_folder

    try:
        return data_folder()
    except UsageError:
        return None


def _free(port: int) -> int:
    """The port of the last demo if it is free, else 0 for any."""
    from sidecar.rpc.websocket import WebSocketOptions, listen

    try:
        listen(WebSocketOptions(port=port)).close()
    except UsageError:
        return 0
    return port


def _open(url: str, data: Path | None) -> None:
    """Show the page in the user's browser, if there is one with a window."""
    import webbrowser

    from sidecar.cli.demo_files import write_private

    # Without a window, a browser would take over the terminal.
    has_screen = sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    lead_on = None if data is None else data / "open-demo.html"
    is_written = lead_on is not None and write_private(
        lead_on, _LEAD_ON.format(url=html.escape(url))
    )
    if not has_screen or lead_on is None or not is_written or not webbrowser.open(lead_on.as_uri()):
        streams.tell("workflow-sidecar: no browser could be opened; open the address above in one")
