"""Load with murder: a whole home takes and delivers mail while its processes are killed in turn; then every message is looked for."""
