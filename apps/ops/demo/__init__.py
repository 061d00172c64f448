"""The demo's content: films of a drawn coach, and the lessons, people and clients that a newcomer meets."""
