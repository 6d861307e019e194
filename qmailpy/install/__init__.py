"""Making, checking and undoing an installation: what `make setup`, `check`, `rollback`, `users` and `demo` run."""
