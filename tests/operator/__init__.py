"""What the operator is shown and told."""
