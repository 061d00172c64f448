"""The tutor: it answers a learner's question from the lesson that they are in, as a stream (004 3.7, 3.8)."""
