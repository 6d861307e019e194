"""Remote delivery: routes, connections, reports."""
