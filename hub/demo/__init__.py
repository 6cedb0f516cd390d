"""`peerwatt-hub demo`: a whole campus on one machine, from meters to settled bills, with embedded servers."""
