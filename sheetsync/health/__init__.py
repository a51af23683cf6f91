"""How runs go, told to machines that watch: a dead-man's-switch service, and Prometheus."""
