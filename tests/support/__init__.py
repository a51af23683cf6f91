"""What tests of several rooms share: builders, the bench, the story, fakes at the wire."""
