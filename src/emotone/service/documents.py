"""What the requests and answers look like, for the OpenAPI document: nothing is checked by it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ERRORS", "UPLOAD", "UPLOADS", "Adapted", "Batch", "Card", "Problem", "Recognized", "State", "errors"]

_SCORES = {"angry": 0.91, "calm": 0.01, "disgust": 0.02, "fearful": 0.02, "happy": 0.03, "sad": 0.01}


class Segment(BaseModel):
    """A stretch with one emotion, or of silence."""

    start: float = Field(examples=[0.0], description="In seconds.")
    end: float = Field(examples=[1.68])
    emotion: str = Field(examples=["angry"], description="A label of the model; silence; or uncertain.")
    confidence: float = Field(examples=[0.91], description="The largest score.")
    scores: dict[str, float] = Field(examples=[_SCORES], description="They sum to 1; empty for silence.")


class Answer(BaseModel):
    """What a recording, or one of its channels, says."""

    channel: int | None = Field(examples=[None], description="From 0; null for the mix of all.")
    emotion: str = Field(examples=["angry"], description="A label of the model; no speech; or uncertain.")
    confidence: float = Field(examples=[0.91])
    start: float = Field(examples=[0.0])
    duration: float = Field(examples=[3.4], description="In seconds.")
    speech: float = Field(examples=[1.68], description="Seconds of it.")
    scores: dict[str, float] = Field(examples=[_SCORES])
    segments: list[Segment] | None = Field(default=None, description="From beginning to end; not with timeline=false.")
    notes: list[str] = Field(examples=[[]], description="What is to be known: that it is cut short, for instance.")


class Recognized(BaseModel):
    """The answers to one recording: one, or one for each channel."""

    file: str | None = Field(examples=["talk.wav"])
    model: str = Field(examples=["emotone/probe"])
    answers: list[Answer]


class Problem(BaseModel):
    """An error: problem details of RFC 9457."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["not audio, or no format that can be read"])


class Item(BaseModel):
    """The answers to one recording of several, or why there are none."""

    file: str | None = Field(examples=["talk.wav"])
    answers: list[Answer] | None = None
    error: Problem | None = None


class Batch(BaseModel):
    """An item for each recording, in their order."""

    model: str = Field(examples=["emotone/probe"])
    results: list[Item]


class Adapted(BaseModel):
    """A speaker, as requests may name them."""

    speaker: str = Field(examples=["H5kW0v1lZ3tq0V8mQpY1aA"])
    expires_in: int = Field(examples=[3600], description="In seconds.")
    recordings: int = Field(examples=[3])


class Card(BaseModel):
    """The model's card, the models that come with emotone, and the service's limits."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(examples=["emotone/probe"])
    labels: list[str]
    window: float
    hop: float
    rate: int
    adapts: bool = Field(description="Whether it can get to know a speaker.")
    shipped: list[str] = Field(examples=[["emotone/probe", "emotone/large", "emotone/base", "emotone/tiny"]])
    limits: str = Field(description="What the model cannot do.")
    service_limits: dict[str, float] = Field(examples=[{"duration": 600.0}], description="What is refused beyond.")


class State(BaseModel):
    """How the service is."""

    status: str = Field(examples=["ok"])


_SAID = {
    400: "The body is not what it says it is.",
    401: "No API key, or one that is not known.",
    403: "A web page of another origin.",
    408: "The body took too long to come.",
    413: "The body is too large, or the recording too long.",
    415: "A body of a type that is not taken.",
    422: "A parameter out of range, or a recording that cannot be read.",
    429: "Too many requests with this key; Retry-After says when it may go on.",
    503: "Too many requests at a time; Retry-After says when to try again.",
}
_RETRY = {"Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}}


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of errors."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        code: {"description": _SAID[code], "content": content, **({"headers": _RETRY} if code in (429, 503) else {})}
        for code in codes
    }


ERRORS = errors(*_SAID)
"""Of everything that takes a body."""

_FILE = {"type": "string", "format": "binary"}


def _form(field: str, what: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": [field], "properties": {field: what}}
    return {"multipart/form-data": {"schema": schema}}


UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            **_form("file", _FILE),
            "audio/*": {"schema": _FILE},
            "video/*": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
        },
    }
}
UPLOADS = {
    "requestBody": {"required": True, "content": _form("files", {"type": "array", "items": _FILE, "minItems": 1})}
}
