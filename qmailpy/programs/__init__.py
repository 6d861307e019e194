"""One module for each program, named after it; each has main(argv, env) -> int."""
