"""The venues the router asks. A new one is one file beside this and one line here."""

from collections.abc import Mapping

from chalicelib.routing.meteora import Meteora
from chalicelib.routing.raydium import Raydium
from chalicelib.routing.simulated import Surroundings
from chalicelib.routing.venue import Venue

#: By name, in the order in which they are shown.
VENUE_NAMES = (Raydium.name, Meteora.name)


def simulated_venues(surroundings: Surroundings) -> Mapping[str, Venue]:
    """All venues by name, in the order in which they are shown."""
    venues: tuple[Venue, ...] = (Raydium(surroundings), Meteora(surroundings))
    return {venue.name: venue for venue in venues}
