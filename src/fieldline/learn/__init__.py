"""Learning from the log: models fitted to it, and policies judged by it before they are served."""
