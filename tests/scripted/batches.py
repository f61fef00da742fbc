"""The server's files and batches: a batch is answered as a whole, at one of the times that somebody asks for it."""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from scripted.reply import Reply

Respond = Callable[[str, dict[str, Any]], tuple[Reply, dict[str, Any]]]
"""The reply to a request at a path with a body, and the response where nothing is wrong."""


class BatchDesk:
    """Files and batches in memory.

    `delay` is how often a batch is asked for before it is done; None keeps it in progress. `invalid` returns the errors
    of a batch's lines, with which it fails as a whole. `most` is the number of lines in progress that it takes.
    """

    def __init__(self, respond: Respond, delay: int | None) -> None:
        self.delay = delay
        self.most: int | None = None
        self.invalid: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda lines: []
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self._respond = respond
        self._asked: dict[str, int] = {}
        self._number = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/files", self._upload),
            web.get("/v1/files/{file}/content", self._content),
            web.post("/v1/batches", self._create),
            web.get("/v1/batches", self._list),
            web.get("/v1/batches/{batch}", self._retrieve),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        given = form["file"]
        assert isinstance(given, web.FileField)
        assert form["purpose"] == "batch"
        content = given.file.read()
        made = {"object": "file", "bytes": len(content), "created_at": 0, "filename": given.filename}
        return web.json_response({"id": self._keep(content), "purpose": "batch", "status": "processed", **made})

    async def _content(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["file"])
        return _missing("file") if content is None else web.Response(body=content)

    async def _create(self, request: web.Request) -> web.Response:
        given = await request.json()
        lines = self._lines(given["input_file_id"])
        batch = {
            "id": f"batch_{next(self._number)}",
            "object": "batch",
            "created_at": 4_000_000_000 + len(self.batches),
            "status": "validating",
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "output_file_id": None,
            "error_file_id": None,
            "errors": None,
            **given,
        }
        self.batches[batch["id"]] = batch
        return web.json_response(batch)

    async def _list(self, request: web.Request) -> web.Response:
        newest_first = list(reversed(self.batches.values()))
        if after := request.query.get("after"):
            newest_first = newest_first[[batch["id"] for batch in newest_first].index(after) + 1 :]
        limit = int(request.query.get("limit", "20"))
        page, more = newest_first[:limit], len(newest_first) > limit
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return web.json_response({"object": "list", "data": page, "has_more": more, **ends})

    async def _retrieve(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["batch"])
        if batch is None:
            return _missing("batch")
        if batch["status"] in {"validating", "in_progress"}:
            self._advance(batch)
        return web.json_response(batch)

    def cancel(self, batch: str) -> None:
        """End a batch with the answers that it has."""
        self._end(self.batches[batch], "cancelled")

    def _advance(self, batch: dict[str, Any]) -> None:
        asked = self._asked[batch["id"]] = self._asked.get(batch["id"], 0) + 1
        if batch["status"] == "validating" and (errors := self._invalid(batch)):
            batch |= {"status": "failed", "errors": {"object": "list", "data": errors}}
        elif self.delay is not None and asked > self.delay:
            self._end(batch, "completed")
        else:
            batch["status"] = "in_progress"

    def _invalid(self, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        busy = sum(b["request_counts"]["total"] for b in self.batches.values() if b["status"] == "in_progress")
        if self.most is not None and busy + batch["request_counts"]["total"] > self.most:
            return [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": None}]
        return self.invalid(self._lines(batch["input_file_id"]))

    def _end(self, batch: dict[str, Any], status: str) -> None:
        """Answer what there is to answer; where something is left, the batch has expired."""
        output: list[str] = []
        errors: list[str] = []
        for line in reversed(self._lines(batch["input_file_id"])):  # any order but the given one
            reply, response = self._respond(line["url"], line["body"])
            if reply.hang:
                status = "expired" if status == "completed" else status
                told = {"code": f"batch_{status}", "message": "This request could not be executed in time."}
                errors.append(_line(line["custom_id"], None, told))
            elif reply.body is not None:
                output.append(reply.body)
            elif reply.status != 200:
                told = {"error": {"message": reply.content or f"scripted {reply.status}", "type": "scripted"}}
                errors.append(_line(line["custom_id"], {"status_code": reply.status, "body": told}, None))
            elif not reply.dropped:
                output.append(_line(line["custom_id"], {"status_code": 200, "body": response}, None))
        counts = batch["request_counts"] | {"completed": len(output), "failed": len(errors)}
        batch |= {
            "status": status,
            "request_counts": counts,
            "output_file_id": self._keep("".join(output).encode()) if output else None,
            "error_file_id": self._keep("".join(errors).encode()) if errors else None,
        }

    def _keep(self, content: bytes) -> str:
        name = f"file-{next(self._number)}"
        self.files[name] = content
        return name

    def _lines(self, file: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[file].splitlines()]


def _line(custom_id: str, response: Mapping[str, Any] | None, error: Mapping[str, Any] | None) -> str:
    line = {"id": f"req_{custom_id}", "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _missing(kind: str) -> web.Response:
    return web.json_response({"error": {"message": f"no such {kind}", "type": "scripted"}}, status=404)
