"""qmail-send: preprocessing, scheduling, delivery, bounces."""
