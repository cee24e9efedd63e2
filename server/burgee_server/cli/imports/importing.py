"""The whole way of a file into the server."""

import burgee
from burgee_server.cli.imports.batches import batch_id_of, read_batch
from burgee_server.cli.imports.reading import Reading
from burgee_server.cli.imports.records import Chunk
from burgee_server.cli.imports.rejects import Rejects
from burgee_server.cli.imports.sending import Sender


class Importing:
    """Sends the events of a file. Begun anew, at any time and by anybody, it counts none twice.

    As long as the server has all of a chunk, nothing of it is sent, and not even read: it is asked. That is how an
    import that was interrupted comes to where it was.
    """

    def __init__(self, client: burgee.Client, reading: Reading, salt: str, rejects: Rejects) -> None:
        self._sender = Sender(client, rejects.add)
        self._reading = reading
        self._salt = salt
        self._rejects = rejects
        self._asking = True
        self.left_out = 0

    @property
    def accepted(self) -> int:
        """Events that the server has because of this."""
        return self._sender.accepted

    @property
    def duplicate(self) -> int:
        """Events that it had."""
        return self._sender.duplicate

    @property
    def done(self) -> int:
        """Records that it is known of what became of them."""
        return self.accepted + self.duplicate + self.left_out + self._rejects.count

    def take(self, chunk: Chunk) -> None:
        """Import a chunk. Raises grpc.RpcError where trying again does not help."""
        batch_id = batch_id_of(chunk, self._salt)
        known = self._sender.known(batch_id) if self._asking else None
        self._asking = known is not None
        if known == len(chunk):
            self._sender.duplicate += known
            return
        batch = read_batch(chunk, self._reading, batch_id)
        self.left_out += batch.left_out
        for rejected in batch.rejected:
            self._rejects.add(rejected)
        if known == len(batch.records):
            self._sender.duplicate += known
        else:
            self._sender.send(batch)

    def finish(self) -> None:
        """Wait for what is on its way. Raises grpc.RpcError."""
        self._sender.finish()
