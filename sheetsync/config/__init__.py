"""The settings of a run, from YAML and the environment; every problem at once, with file and line."""
