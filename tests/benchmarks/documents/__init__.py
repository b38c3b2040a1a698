"""Documents that nobody here wrote, questions about them, and how well the embedded assistant answers."""
