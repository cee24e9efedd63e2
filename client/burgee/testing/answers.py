"""In place of insights: the answers that a test told."""

from typing import Any, NoReturn

from burgee.insights import Funnel, QueryError, Trend
from burgee.queries import Questions


class ToldAnswers(Questions):
    """Gives everybody who asks the same."""

    _trend: Trend | None = None
    _funnel: Funnel | None = None

    def tell(self, answer: Trend | Funnel) -> None:
        """Give this from now on to those who ask for its kind."""
        if isinstance(answer, Trend):
            self._trend = answer
        else:
            self._funnel = answer

    async def trend(self, *_question: Any, **_details: Any) -> Trend:
        """What was told. Raises QueryError before that."""
        return self._trend or _refuse("Trend")

    async def funnel(self, *_question: Any, **_details: Any) -> Funnel:
        """What was told. Raises QueryError before that."""
        return self._funnel or _refuse("Funnel")


def _refuse(kind: str) -> NoReturn:
    raise QueryError("FAILED_PRECONDITION", f"a fake has nothing to count: give it a burgee.{kind} with set_answer")
