"""What the safety rests on, tried on the services themselves (`sheetsync doctor --live`)."""
