"""Moving one step of one run: its attempts, their events, what is kept of them.

It knows a runner of scripts, a clock and where events go; it knows neither processes nor how the
run as a whole begins and ends.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from protocol import events
from protocol.workflow import OutputStep, PythonStep
from sidecar.engine import references, retry
from sidecar.engine.clock import Clock
from sidecar.engine.events import EventListener, EventStream
from sidecar.engine.references import BadReference, Reference
from sidecar.engine.steps import Attempt, StepRun, shown_outputs_of
from sidecar.history.executions import ExecutionHistory
from sidecar.redaction import Redactor, is_secret_name
from sidecar.scripts.interface import (
    INVALID_OUTPUT,
    Permissions,
    ScriptFailure,
    ScriptRequest,
    ScriptRunner,
)

logger = logging.getLogger(__name__)

#: A reference that names nothing although the workflow's declarations allowed it.
UNRESOLVED_REFERENCE: Final = "UnresolvedReference"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all runs of one engine share.

    `slots` bounds the scripts that run at once, first come first served; `pace` is awaited after
    each step, so that whoever listens can keep up; `environment` holds what `${env.…}` may read.
    """

    runner: ScriptRunner
    slots: asyncio.Semaphore
    clock: Clock
    listener: EventListener
    pace: Callable[[], Awaitable[None]]
    environment: Mapping[str, str]
    history: ExecutionHistory | None


class StepExecution:
    """Runs the steps of one run, one call each. `steps` holds all of them, by id."""

    def __init__(
        self,
        surroundings: Surroundings,
        stream: EventStream,
        redactor: Redactor,
        steps: Mapping[str, StepRun],
        inputs: Mapping[str, Any],
        log_fields: Mapping[str, Any],
    ) -> None:
        self._around = surroundings
        self._clock = surroundings.clock
        self._events = stream
        self._redactor = redactor
        self._steps = steps
        self._inputs = inputs
        self._log_fields = log_fields
        self._secret_uses = _secret_uses(steps)

    async def run(self, run: StepRun) -> ScriptFailure | None:
        """Try the step until it succeeds or may not be tried again; the last failure, or None."""
        run.started_ms = self._clock.monotonic_ms()
        while True:
            failure = await self._attempt(run)
            if failure is None:
                return None
            policy = run.step.retry_policy if isinstance(run.step, PythonStep) else None
            delay_ms = retry.next_delay_ms(policy, failure, len(run.attempts))
            self.fail(run, failure, delay_ms)
            if delay_ms is None:
                return failure
            await self._clock.sleep(delay_ms)

    async def _attempt(self, run: StepRun) -> ScriptFailure | None:
        """One attempt, from `step_started` to `step_completed`, or to the failure it returns."""
        if isinstance(run.step, OutputStep):
            return await self._compose(run, run.step)
        async with self._around.slots:
            return await self._run_script(run, run.step)

    async def _compose(self, run: StepRun, step: OutputStep) -> ScriptFailure | None:
        await self._attempt_started(run, {})
        try:
            message = references.resolve(step.message, self._lookup)
        except BadReference as error:
            return ScriptFailure(error.message, UNRESOLVED_REFERENCE)
        await self._step_completed(run, {"message": references.as_text(message)})
        return None

    async def _run_script(self, run: StepRun, step: PythonStep) -> ScriptFailure | None:
        try:
            inputs = references.resolve(step.inputs, self._lookup)
            env = {
                name: references.as_text(references.resolve(value, self._lookup))
                for name, value in step.env.items()
            }
        except BadReference as error:
            await self._attempt_started(run, step.inputs)
            return ScriptFailure(error.message, UNRESOLVED_REFERENCE)
        self._redactor.learn(inputs)
        self._redactor.learn(env)
        await self._attempt_started(run, inputs)
        request = ScriptRequest(step.script, inputs, step.timeout, env, _permissions(step))
        lines = self._events.show_lines()
        outcome = await self._around.runner.run(
            request, lambda text: self._script_wrote(run, lines.line(text))
        )
        run.attempts[-1].stderr = self._events.show_output(outcome.stderr)
        if outcome.failure is not None:
            return outcome.failure
        outputs = outcome.outputs or {}
        missing = [name for name in step.outputs or () if name not in outputs]
        if missing:
            return _missing_outputs(missing, outputs)
        await self._step_completed(run, outputs)
        return None

    async def _attempt_started(self, run: StepRun, inputs: Mapping[str, Any]) -> None:
        shown = await self._events.show(dict(inputs))
        run.attempts.append(Attempt(len(run.attempts) + 1, self._clock.now_ms(), shown))
        run.ended_ms = self._clock.monotonic_ms()
        self._log("step started", run)
        self._events.step(
            run.step.id,
            events.StepStartedData(step_label=run.label, inputs=shown, attempt=len(run.attempts)),
        )

    def _script_wrote(self, run: StepRun, shown: str) -> None:
        run.attempts[-1].told.feed(f"{shown}\n".encode(errors="replace"))
        self._events.step(run.step.id, events.StepOutputData(stream="stderr", text=shown))

    async def _step_completed(self, run: StepRun, outputs: dict[str, Any]) -> None:
        for reference, name in self._secret_uses.get(run.step.id, ()):
            with contextlib.suppress(BadReference):  # told when that step's turn comes
                self._redactor.add_secret(references.member_of(outputs, reference), name)
        shown = await self._events.show(outputs)
        run.outputs, run.failure = outputs, None
        self._attempt_ended(run).outputs = shown
        self._log("step completed", run)
        self._events.step(
            run.step.id,
            events.StepCompletedData(
                outputs=shown,
                execution_time_ms=run.execution_time_ms,
                retry_count=run.retry_count,
            ),
        )

    def fail(self, run: StepRun, failure: ScriptFailure, next_delay_ms: int | None = None) -> None:
        """End the attempt under way as failed; without a delay it was the last one."""
        run.failure = failure
        attempt = self._attempt_ended(run)
        attempt.error = self._events.show_error(failure.error)
        attempt.error_type = self._redactor.text(failure.error_type)
        attempt.stack_trace = self._events.show_stack_trace(failure.stack_trace)
        # FR-9.2.5: an error is logged with its context.
        fields = {
            **self._log_fields,
            "step_id": run.step.id,
            "attempt": attempt.attempt,
            "will_retry": next_delay_ms is not None,
            "inputs": attempt.inputs,
            "outputs": self._events.fit(self._events.show_step_ids(shown_outputs_of(self._steps))),
            "error": attempt.error,
            "error_type": attempt.error_type,
            "stack_trace": attempt.stack_trace,
            "stderr": attempt.stderr,
        }
        logger.error("step failed", extra={"fields": fields})
        self._events.step(
            run.step.id,
            events.StepFailedData(
                error=attempt.error,
                error_type=attempt.error_type,
                stack_trace=attempt.stack_trace,
                inputs=attempt.inputs,
                retry_attempt=attempt.attempt - 1,
                will_retry=next_delay_ms is not None,
                next_delay_ms=next_delay_ms,
            ),
        )

    def _log(self, event: str, run: StepRun) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            ids = {**self._log_fields, "step_id": run.step.id, "attempt": len(run.attempts)}
            logger.debug(event, extra={"fields": ids})

    def _attempt_ended(self, run: StepRun) -> Attempt:
        attempt = run.attempts[-1]
        now_ms = self._clock.monotonic_ms()
        attempt.duration_ms = max(0, round(now_ms - run.ended_ms))
        run.ended_ms = now_ms
        return attempt

    def _lookup(self, reference: Reference) -> Any:
        if reference.kind == "input":
            return self._inputs[reference.name]
        if reference.kind == "env":
            return self._around.environment[reference.name]
        return references.member_of(self._steps[reference.name].outputs, reference)


def _secret_uses(steps: Mapping[str, StepRun]) -> dict[str, list[tuple[Reference, str]]]:
    """Which outputs of a step another one takes as a secret, with the secret's name.

    So that such an output is hidden from the first event on that could show it.
    """
    uses: dict[str, list[tuple[Reference, str]]] = {}
    for run in steps.values():
        if not isinstance(run.step, PythonStep):
            continue
        for path, text in references.strings_in({"inputs": run.step.inputs, "env": run.step.env}):
            names = [part for part in path if isinstance(part, str) and is_secret_name(part)]
            for part in references.parse(text) if names and "${" in text else ():
                if isinstance(part, Reference) and part.kind == "step":
                    uses.setdefault(part.name, []).append((part, names[-1]))
    return uses


def _permissions(step: PythonStep) -> Permissions:
    asked = step.permissions
    if asked is None:
        return Permissions()
    return Permissions(tuple(asked.read), tuple(asked.write), asked.network)


def _missing_outputs(missing: list[str], outputs: Mapping[str, Any]) -> ScriptFailure:
    names = ", ".join(f'"{name}"' for name in missing)
    there = ", ".join(f'"{name}"' for name in list(outputs)[:10]) or "nothing"
    return ScriptFailure(
        f"The script's output lacks {names}, which the step declares; it holds {there}",
        INVALID_OUTPUT,
    )
