"""What the service answers over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from emotone.bundle.hub import SHIPPED
from emotone.errors import EmotoneError
from emotone.service import documents
from emotone.service.access import Access, Caller
from emotone.service.engine import Engine
from emotone.service.listening import Channels
from emotone.service.metrics import Metrics
from emotone.service.problems import problem_of
from emotone.service.uploads import Upload, read_files

__all__ = ["Service", "router"]

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Service:
    """What requests are answered by."""

    engine: Engine
    access: Access
    metrics: Metrics


class Options(BaseModel):
    """How recordings are listened to, and what is told of them."""

    model_config = ConfigDict(extra="forbid")

    channels: str = Field(
        "mix",
        pattern=r"^(mix|each|[0-9]{1,3}(,[0-9]{1,3})*)$",
        description="mix; each, an answer for every channel, as calls have a speaker on each; or numbers, as 0,1.",
        examples=["mix", "each", "0,1"],
    )
    window: float | None = Field(None, description="Seconds that one answer is given for. Default: the model's.")
    hop: float | None = Field(None, description="Seconds between answers. Default: the model's.")
    min_confidence: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Below it, uncertain. Default: only of less speech than the model was trained on, or unlike it.",
    )
    timeline: bool = Field(True, description="Whether to give the emotions over time, too.")
    speaker: str | None = Field(None, max_length=64, description="Who speaks, as /v1/adapt named them.")

    @property
    def which(self) -> Channels:
        """The channels."""
        if self.channels == "mix":
            return None
        return () if self.channels == "each" else tuple(dict.fromkeys(map(int, self.channels.split(","))))


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _known(request: Request) -> Caller:
    access = _service(request).access
    access.check_origin(request.headers)
    return access.caller(request.headers)


async def _counted(request: Request) -> Caller:
    caller = await _known(request)
    caller.take()
    _service(request).engine.check_room()
    return caller


_Options = Annotated[Options, Query()]
_Known = Annotated[Caller, Depends(_known)]
_Counted = Annotated[Caller, Depends(_counted)]


@router.post(
    "/v1/recognize",
    summary="Recognise the emotions in a recording.",
    openapi_extra=documents.UPLOAD,
    responses={200: {"model": documents.Recognized}, **documents.ERRORS},
)
async def recognize(request: Request, caller: _Counted, options: _Options) -> Response:
    """The body is a form with the file, or the file itself."""
    service = _service(request)
    answering = _Answering(service, caller, options)
    async with _uploaded(request, service, field="file", raw=True) as (upload, *_):
        told = await answering(upload)
    return JSONResponse({"file": upload.name, "model": service.engine.model.info.name, "answers": told})


@router.post(
    "/v1/recognize/batch",
    summary="Recognise several recordings.",
    openapi_extra=documents.UPLOADS,
    responses={200: {"model": documents.Batch}, **documents.ERRORS},
)
async def recognize_batch(request: Request, caller: _Counted, options: _Options) -> Response:
    """One that cannot be read has an error in place of answers; each counts as a request."""
    service = _service(request)
    answering = _Answering(service, caller, options)
    at_a_time = asyncio.Semaphore(service.engine.settings.workers)

    async def one(upload: Upload) -> dict[str, Any]:
        async with at_a_time:
            try:
                return {"file": upload.name, "answers": await answering(upload)}
            except EmotoneError as error:
                return {"file": upload.name, "error": problem_of(error).to_dict()}

    async with _uploaded(request, service, field="files") as uploads:
        caller.take(len(uploads) - 1, always=True)
        results = await asyncio.gather(*map(one, uploads))
    return JSONResponse({"model": service.engine.model.info.name, "results": results})


@router.post(
    "/v1/adapt",
    status_code=201,
    summary="Get to know a speaker by recordings without labels.",
    openapi_extra=documents.UPLOADS,
    responses={201: {"model": documents.Adapted}, **documents.ERRORS},
)
async def adapt(request: Request, caller: _Counted) -> Response:
    """Requests with the same key may name the speaker for a while. The recordings should hold different moods."""
    service = _service(request)
    engine = service.engine
    async with _uploaded(request, service, field="files") as uploads:
        caller.take(len(uploads) - 1, always=True)
        name = await engine.adapt([upload.body for upload in uploads], caller)
    expires = round(engine.settings.acquaintance)
    return JSONResponse({"speaker": name, "expires_in": expires, "recordings": len(uploads)}, 201)


@router.get(
    "/v1/model",
    summary="The model's card, and the service's limits.",
    responses={200: {"model": documents.Card}, **documents.errors(401, 403)},
)
async def model(request: Request, caller: _Known) -> Response:
    """Without the numbers that adapt it to a speaker."""
    engine = _service(request).engine
    info = engine.model.info
    told = {"adapts": info.head is not None, "shipped": list(SHIPPED), "service_limits": engine.settings.limits}
    return JSONResponse({**info.model_dump(mode="json", exclude={"head"}), **told})


@router.get("/healthz", summary="Whether the service runs.", responses={200: {"model": documents.State}})
async def healthz() -> Response:
    """It needs no key."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="Whether it takes requests.",
    responses={200: {"model": documents.State}, **documents.errors(503)},
)
async def readyz(request: Request) -> Response:
    """It needs no key."""
    _service(request).engine.check_room()
    return JSONResponse({"status": "ok"})


@router.get(
    "/metrics",
    summary="Figures for Prometheus.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documents.errors(401, 403)},
)
async def metrics(request: Request, caller: _Known) -> Response:
    """They are of the service; nothing in them is a caller's."""
    return Response(_service(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@asynccontextmanager
async def _uploaded(
    request: Request, service: Service, *, field: str, raw: bool = False
) -> AsyncIterator[list[Upload]]:
    """Read the files of a request, and take it on."""
    engine, settings = service.engine, service.engine.settings
    with engine.bodies.share() as share:
        uploads = await read_files(
            request,
            share,
            field=field,
            most=1 if raw else settings.files,
            size=settings.size,
            seconds=settings.stalled,
            raw=raw,
        )
        with engine.slot():
            yield uploads


class _Answering:
    """Answers for recordings as one request wants it; what it wants is checked before its body is read."""

    def __init__(self, service: Service, caller: Caller, options: Options) -> None:
        engine = service.engine
        self._service, self._options = service, options
        self._asked = engine.asked(window=options.window, hop=options.hop, min_confidence=options.min_confidence)
        self._model = engine.model_for(options.speaker, caller)

    async def __call__(self, upload: Upload) -> list[dict[str, Any]]:
        found = await self._service.engine.recognize(upload.body, self._options.which, self._asked, self._model)
        self._service.metrics.sound.labels("request").inc(sum(result.duration for _, result in found))
        told = [{"channel": channel, **result.to_dict()} for channel, result in found]
        if not self._options.timeline:
            for each in told:
                del each["segments"]
        return told
