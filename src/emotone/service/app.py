"""The service as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response, WebSocket
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from emotone.service import documents
from emotone.service.access import Access
from emotone.service.engine import Engine
from emotone.service.metrics import Metrics
from emotone.service.problems import handle_problems
from emotone.service.routes import Service, router
from emotone.service.settings import Settings
from emotone.service.streaming import serve_stream

__all__ = ["create_app"]


def create_app(settings: Settings) -> FastAPI:
    """Return the application, whose `state.service` is a `Service`. Its model is loaded, its processes start with it.

    Raises:
        EmotoneError: a model that cannot be loaded, keys that cannot be read.
    """
    engine = Engine(settings)
    access = Access(settings.keys, rate=settings.rate, origins=settings.origins)
    service = Service(engine, access, Metrics(engine))

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        async with engine:
            yield

    app = FastAPI(
        title="emotone",
        version=version("emotone"),
        summary="Emotions in speech: of recordings, and live.",
        docs_url=None,  # its page loads programs from elsewhere
        redoc_url=None,
        lifespan=running,
    )
    app.state.service = service
    handle_problems(app)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "X-API-Key", "Content-Type"),
            expose_headers=("Retry-After",),
        )
    app.include_router(router)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await serve_stream(socket, engine, access, service.metrics)

    _serve_page(app)
    _document_problems(app)
    return app


def _serve_page(app: FastAPI) -> None:
    """Serve the web page, where it is installed."""
    page = files("emotone").joinpath("web")
    if isinstance(page, Path) and page.is_dir():
        app.mount("/static", StaticFiles(directory=page))

        @app.get("/", include_in_schema=False)
        async def index() -> Response:
            return FileResponse(page / "index.html")


def _document_problems(app: FastAPI) -> None:
    """Put the shape of errors into the OpenAPI document, in place of FastAPI's own."""
    made = app.openapi

    def document() -> dict[str, Any]:
        told = made()
        schemas = told["components"]["schemas"]
        schemas["Problem"] = documents.Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        return told

    app.openapi = document  # type: ignore[method-assign]
