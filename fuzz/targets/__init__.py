"""One target per reader; each says on top what must hold for whatever bytes come, and checks it."""
