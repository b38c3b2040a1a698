"""What is under manifests/deploy, with the tools that will read it."""
