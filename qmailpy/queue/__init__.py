"""The queue's file names, formats and its front door, qmail-queue."""
