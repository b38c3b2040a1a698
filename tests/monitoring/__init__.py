"""The rules and the dashboard of manifests/monitoring, with Prometheus itself."""
