"""Three sets of documents of different kinds, and questions whose answers are known."""
