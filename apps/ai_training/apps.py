from django.apps import AppConfig


class AiTrainingConfig(AppConfig):
    name = "apps.ai_training"
    verbose_name = "AI Training"
