"""Errors as a caller meets them: problem details of RFC 9457, one shape for all."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from emotone.errors import EmotoneError
from emotone.service.wire import TooLongError

__all__ = ["ProblemError", "handle_problems", "problem_of"]


class ProblemError(Exception):
    """Why a request is not answered.

    Args:
        status: of HTTP.
        detail: what is wrong, and what is allowed.
        retry_after: seconds after which it may go.
        headers: more of them.
    """

    def __init__(
        self, status: int, detail: str, *, retry_after: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {**(headers or {}), **({} if retry_after is None else {"Retry-After": str(retry_after)})}

    def to_dict(self) -> dict[str, Any]:
        """Return the members of the problem."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }

    def response(self) -> JSONResponse:
        """Return it as an answer of HTTP."""
        return JSONResponse(self.to_dict(), self.status, self.headers, "application/problem+json")


def problem_of(error: EmotoneError) -> ProblemError:
    """Return what a caller is told of something that emotone refuses."""
    return ProblemError(413 if isinstance(error, TooLongError) else 422, str(error).removeprefix("audio: "))


def handle_problems(app: FastAPI) -> None:
    """Answer every error of an application by a problem."""

    @app.exception_handler(ProblemError)
    async def _(request: Request, error: ProblemError) -> JSONResponse:
        return error.response()

    @app.exception_handler(EmotoneError)
    async def _(request: Request, error: EmotoneError) -> JSONResponse:
        return problem_of(error).response()

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        detail = {404: "There is nothing here; see /openapi.json."}.get(error.status_code, str(error.detail))
        return ProblemError(error.status_code, detail, headers=dict(error.headers or {})).response()

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> JSONResponse:
        told = [f"{each['loc'][-1]} is {each.get('input')!r}: {each['msg']}" for each in error.errors()]
        return ProblemError(422, "; ".join(told)).response()

    @app.exception_handler(ClientDisconnect)
    async def _(request: Request, error: ClientDisconnect) -> JSONResponse:
        return ProblemError(400, "The body was not sent to its end.").response()  # which nobody reads

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> JSONResponse:
        return ProblemError(500, "The service failed; its operator's log says why.").response()
