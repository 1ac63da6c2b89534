"""Which operations come first: what is named before what names it, and circles as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Search:
    """Tarjan's numbers: when a node was met, and the earliest node on the path that it leads back to."""

    met: dict[int, int] = field(default_factory=dict)
    earliest: dict[int, int] = field(default_factory=dict)
    path: list[int] = field(default_factory=list)
    on_path: set[int] = field(default_factory=set)

    def enter(self, node: int) -> None:
        self.met[node] = self.earliest[node] = len(self.met)
        self.path.append(node)
        self.on_path.add(node)

    def leave(self, node: int) -> list[int] | None:
        """Return the circle that ``node`` is the first of, a single node included; None within a circle."""
        if self.earliest[node] != self.met[node]:
            return None
        first = self.path.index(node)
        circle, self.path = self.path[first:], self.path[:first]
        self.on_path.difference_update(circle)
        return sorted(circle)


def in_order(edges: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the nodes in circles, each after all that it leads to, else as they stand (Tarjan 1972).

    ``edges[n]`` lists the nodes that ``n`` leads to. No recursion: a chain may be as long as a request.
    """
    search, circles = _Search(), list[list[int]]()
    for root in range(len(edges)):
        if root not in search.met:
            circles.extend(_from(root, edges, search))
    return circles


def _from(root: int, edges: Sequence[Sequence[int]], search: _Search) -> Iterator[list[int]]:
    search.enter(root)
    work = [(root, iter(edges[root]))]
    while work:
        node, rest = work[-1]
        following = next(rest, None)
        if following is None:
            work.pop()
            if work:
                _lower(search, work[-1][0], search.earliest[node])
            if (circle := search.leave(node)) is not None:
                yield circle
        elif following not in search.met:
            search.enter(following)
            work.append((following, iter(edges[following])))
        elif following in search.on_path:
            _lower(search, node, search.met[following])


def _lower(search: _Search, node: int, found: int) -> None:
    search.earliest[node] = min(search.earliest[node], found)
