"""An OpenFeature provider that evaluates Steerway's flags in the process that asks.

    from openfeature import api
    from steerway.openfeature.provider import SteerwayProvider

    api.set_provider(SteerwayProvider())

Flags are kept in memory. A replica that Steerway runs finds them in a file; a program elsewhere
asks Steerway now and then. When Steerway is away, the flags of before hold, and the provider
says that it is stale.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from steerway.delivery.variants.rules.flagsets import ErrorCode, FlagSet, Outcome, compiled
from steerway.openfeature.counting import Counts, Reporter
from steerway.openfeature.sources import FileSource, HttpSource, Source, SourceAway

try:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.event import ProviderEventDetails
    from openfeature.exception import (
        FlagNotFoundError,
        GeneralError,
        ParseError,
        ProviderNotReadyError,
        TypeMismatchError,
    )
    from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
    from openfeature.provider import AbstractProvider, Metadata
except ImportError as error:
    raise ImportError(
        "Steerway's flag provider needs OpenFeature: pip install openfeature-sdk mmh3"
    ) from error

NAME: Final = "Steerway"
FILE_SECONDS: Final = 0.5
HTTP_SECONDS: Final = 5.0
STALE_SECONDS: Final = 30.0  # so long without a sign of Steerway is told, and nothing else
REPORT_SECONDS: Final = 2.0
EMPTY: Final = FlagSet({})
V = TypeVar("V")

_ERRORS: Final[Mapping[ErrorCode, Callable[[str], Exception]]] = {
    ErrorCode.FLAG_NOT_FOUND: FlagNotFoundError,
    ErrorCode.PARSE_ERROR: ParseError,
    ErrorCode.GENERAL: GeneralError,
}


class SteerwayProvider(AbstractProvider):
    """Flags of one service in one environment."""

    def __init__(
        self,
        file: str | Path = "",
        *,
        url: str = "",
        token: str = "",
        cache: str | Path = "",
        poll_seconds: float | None = None,
    ) -> None:
        """Read flags from `file`, or from Steerway at `url` with a token for `flags.evaluate`.

        Without either, from what Steerway gave the replica: STEERWAY_FLAGS_FILE; else from
        STEERWAY_FLAGS_URL with STEERWAY_FLAGS_TOKEN. `cache` keeps what `url` said last.
        """
        super().__init__()
        self.counts = Counts()
        self._source, self._reporter = _chosen(file, url, token, cache, self.counts)
        is_file = isinstance(self._source, FileSource)
        self._seconds = poll_seconds or (FILE_SECONDS if is_file else HTTP_SECONDS)
        self._flags = EMPTY
        self._loaded = False
        self._stale = False
        self._problem = ""
        self._reported_at = 0.0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        # A server that forks its workers has no thread in them.
        os.register_at_fork(after_in_child=self._restart)

    def get_metadata(self) -> Metadata:
        """What it is called."""
        return Metadata(name=NAME)

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Load the flags and keep them fresh from now on.

        Raises:
            ProviderNotReadyError: there are none yet; they are waited for.
        """
        self.refresh()
        self._ending.clear()
        self._begin()
        if not self._loaded:
            raise ProviderNotReadyError(self._problem or "There are no flags yet.")

    def shutdown(self) -> None:
        """Look no more, and leave the last counts."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=1)
        if self._reporter is not None:
            self._reporter.flush()

    @property
    def problem(self) -> str:
        """Why the flags could not be read the last time; empty when they could."""
        return self._problem

    def staleness(self, now: float | None = None) -> float:
        """Seconds since Steerway was last seen; infinite when it never was."""
        seen_at = self._source.seen_at()
        return (time.time() if now is None else now) - seen_at if seen_at else float("inf")

    def metrics(self) -> str:
        """Counts by variant as Prometheus scrapes them."""
        return self.counts.metrics()

    def refresh(self) -> None:
        """Read the flags again if they are others, and tell OpenFeature what became of it."""
        try:
            text = self._source.changed()
            if text is not None:
                self._take(text)
            self._problem = ""
        except SourceAway as error:
            self._problem = str(error)
        self._tell_staleness()

    def _take(self, text: str) -> None:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SourceAway(f"the flags are not JSON: {error}") from error
        if not isinstance(document, dict):
            raise SourceAway("the flags are not a JSON object")
        before, self._flags = self._flags, compiled(document, now=time.time)
        was_loaded, self._loaded = self._loaded, True
        keys = sorted({*before.flags, *self._flags.flags})
        details = ProviderEventDetails(flags_changed=keys)
        if was_loaded:
            self.emit_provider_configuration_changed(details)
        elif self._thread is not None:
            self.emit_provider_ready(details)

    def _tell_staleness(self) -> None:
        is_stale = self._loaded and self.staleness() > STALE_SECONDS
        if is_stale and not self._stale:
            self.emit_provider_stale(ProviderEventDetails(message="Steerway was not seen lately."))
        elif self._stale and not is_stale:
            self.emit_provider_ready(ProviderEventDetails(message="Steerway is there again."))
        self._stale = is_stale

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._look, name="flags", daemon=True)
        self._thread.start()

    def _restart(self) -> None:
        self.counts.lock = threading.Lock()
        if self._thread is not None and not self._ending.is_set():
            self._ending = threading.Event()
            self._begin()

    def _look(self) -> None:
        while not self._ending.wait(self._seconds):
            self.refresh()
            if self._reporter is not None and time.time() - self._reported_at > REPORT_SECONDS:
                self._reported_at = time.time()
                self._reporter.flush()

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 -- OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """True or false."""
        return self._resolved(flag_key, default_value, evaluation_context, bool)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Text."""
        return self._resolved(flag_key, default_value, evaluation_context, str)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """A whole number."""
        return self._resolved(flag_key, default_value, evaluation_context, int)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """A number."""
        found = self._resolved(flag_key, default_value, evaluation_context, (int, float))
        found.value = float(found.value)
        return found

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """A mapping or a list."""
        return self._resolved(flag_key, default_value, evaluation_context, (dict, list))

    def _resolved(
        self,
        key: str,
        default: V,
        context: EvaluationContext | None,
        kind: type | tuple[type, ...],
    ) -> FlagResolutionDetails[V]:
        if context is None:
            outcome = self._flags.evaluate(key, {})
        else:
            named = {**context.attributes, "targetingKey": context.targeting_key}
            outcome = self._flags.evaluate(key, named)
        if outcome.variant is None:
            return _fallen_back(outcome, default)
        value = outcome.value
        is_kind = isinstance(value, kind)
        if not is_kind or (value.__class__ is bool and kind is not bool):
            raise TypeMismatchError(f"The flag {key} is {type(value).__name__}.")
        self.counts.evaluated(key, outcome.variant)
        return FlagResolutionDetails(
            value,
            variant=outcome.variant,
            reason=outcome.reason,
            flag_metadata=outcome.metadata,
        )


def _fallen_back(outcome: Outcome, default: V) -> FlagResolutionDetails[V]:
    if outcome.error is not None:
        raise _ERRORS[outcome.error](outcome.message)
    return FlagResolutionDetails(default, reason=outcome.reason, flag_metadata=outcome.metadata)


def _chosen(
    file: str | Path, url: str, token: str, cache: str | Path, counts: Counts
) -> tuple[Source, Reporter | None]:
    """The source that was named, and where counts are left."""
    given: Mapping[str, Any] = os.environ  # noqa: TID251 -- a service's own, not the server's
    path = file or ("" if url else given.get("STEERWAY_FLAGS_FILE", ""))
    if path:
        folder = Path(path).with_suffix(".seen")
        replica = given.get("STEERWAY_REPLICA", "x")
        return FileSource(Path(path)), Reporter(counts, folder, replica)
    address = url or given.get("STEERWAY_FLAGS_URL", "")
    if not address:
        raise ValueError(
            "Name where flags are: SteerwayProvider(file=…), or url=… and token=…, or one of the "
            "variables STEERWAY_FLAGS_FILE and STEERWAY_FLAGS_URL."
        )
    secret = token or given.get("STEERWAY_FLAGS_TOKEN", "")
    return HttpSource(address, secret, time.time, Path(cache) if cache else None), None
