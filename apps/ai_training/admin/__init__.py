"""What may staff see and do of training? Each noun's pages in a module of its own (contract 8, 11)."""

from apps.ai_training.admin import exercises, records, templates, training_plans

__all__ = ["exercises", "records", "templates", "training_plans"]
