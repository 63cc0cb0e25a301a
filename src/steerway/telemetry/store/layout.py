"""How tables are named and made on one engine, and on a cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """One engine, or the cluster of this name.

    On a cluster every table is two: `NAME_local`, replicated, holds the rows of a shard, and
    `NAME`, distributed, is what is read and written.
    """

    cluster: str = ""

    def local(self, table: str) -> str:
        """The table whose parts are dropped and changed, as it stands in a statement."""
        return f"{table}_local{self.everywhere}" if self.cluster else table

    @property
    def everywhere(self) -> str:
        """What makes a statement run on all servers."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def system(self, table: str) -> str:
        """A system table with the rows of all shards, each once."""
        return f"cluster('{self.cluster}', system.{table})" if self.cluster else f"system.{table}"

    def stored(self, table: str) -> str:
        """The name that parts are listed under."""
        return f"{table}_local" if self.cluster else table

    def engine(self, engine: str) -> str:
        """An engine of the MergeTree family, replicated where there are replicas."""
        return f"Replicated{engine}" if self.cluster else engine
