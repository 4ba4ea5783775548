"""An entry of Go's checksum database, found as `go` finds it: by its `lookup`, which is not believed."""

from __future__ import annotations

from tiles.errors import AccessError, LogError, NotFound, NotLogged
from tiles.read.client import LogClient
from tiles.read.go_sumdb import MAX_LOOKUP_SIZE, lookup_path, parse_lookup
from tiles.read.trouble import judged
from tiles.store.past_caches import fetch_for


def look_up(client: LogClient, module_version: str) -> tuple[int, bytes]:
    """Return index and entry of a module@version, believed as any entry is.

    Raises NotLogged if the database has no such record; LogError if its answer is not what the tree has there.
    """
    path = lookup_path(module_version)
    where = f"{client.fetcher.url}/{path}"

    def parsed(data: bytes) -> tuple[int, bytes]:
        with judged(data, where):
            found = parse_lookup(data)
        return found.index, found.record

    try:
        index, record = fetch_for(client.fetcher, path, MAX_LOOKUP_SIZE, parsed)
    except NotFound as error:
        raise NotLogged(f"{client.fetcher.url}: no record of {module_version}", hint="is it served?") from error
    module, _, version = module_version.partition("@")
    if not any(line.split(" ")[:2] == [module, version] for line in record.decode("utf-8").splitlines()):
        raise LogError(f"{where} answers with a record of something else")
    if index >= client.tree.size:
        raise AccessError(
            f"{where} says that it is entry {index}, and the checkpoint has {client.tree.size} entries",
            hint="the checkpoint is a little older: try again in a while",
        )
    if (entry := client.entry(index)) != record:
        raise LogError(f"{where} answers with another text than entry {index} has in the tree")
    return index, entry
