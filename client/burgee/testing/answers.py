"""In place of insights: the answers that a test told."""

from typing import Any

from burgee.channel import Connection
from burgee.insights import Query, QueryError
from burgee.queries import Questions
from burgee.waits import Waits


class ToldAnswers(Questions):
    """Gives everybody who asks for one kind of answer the same."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        super().__init__(connection, timeout)
        self._told: dict[type, Any] = {}

    def tell(self, answer: object) -> None:
        """Give this from now on to those who ask for its kind."""
        self._told[type(answer)] = answer

    async def ask(self, _waits: Waits, query: Query[Any]) -> Any:
        """What was told. Raises QueryError before that."""
        if query.answer not in self._told:
            told = f"give it a burgee.{query.answer.__name__} with set_answer"
            raise QueryError("FAILED_PRECONDITION", f"a fake has nothing to count: {told}")
        return self._told[query.answer]
